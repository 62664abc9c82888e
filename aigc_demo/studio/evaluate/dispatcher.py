"""How good is a model on a source: the figures that the model cards and the page quote."""

import time
from collections.abc import Mapping
from typing import Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import KINDS, function_named, sentences

SPLITS = ("validation", "all")


def evaluate(
    model: str,
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
    allow_hub: bool = False,
) -> dict[str, Any]:
    """Measure a model by the evaluator of its kind (`generators.kinds`).

    Args:
        model: a name that the catalog finds.
        source: of the text or the images that it is measured on.
        split: "validation" or "all" of the source.
        settings: of the preparation and of the sampling.
        samples: how much it is to make; 0 for what is usual.
        seed: of the first sample; the others have the next ones.
        allow_hub: whether hf: names of models are taken.

    Returns:
        `model`, `source`, the figures of its evaluator (see there), `seconds` of all of it with
        loading, and `peak_memory_mib` of this process.

    Raises:
        DemoError: the model or the source cannot be had, nothing measures such a model, or nothing is left to
            measure.
    """
    from aigc_demo.core.process.system import peak_memory_mib
    from aigc_demo.generators.catalog import find

    started = time.perf_counter()
    entry = find(model, allow_hub=allow_hub)
    if split not in SPLITS:
        raise InputError("setting_range", name="split", expected="validation or all", got=split)
    kind = KINDS[entry.kind]
    if not kind.evaluate:
        measured = sentences(name for name, one in KINDS.items() if one.evaluate)
        detail = f"it {kind.sentence}: {kind.not_evaluated}"
        raise InputError("foreign_model", path=entry.name, detail=detail, expected=measured)
    measure = function_named(kind.evaluate)
    figures = measure(entry, source, split, settings=settings, samples=samples, seed=seed)
    return {
        "model": entry.name,
        "source": source,
        **figures,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }
