"""How good is a model on a source: the figures that the model cards and the page quote."""

import time
from typing import Any

from aigc_demo.core.errors import InputError

SPLITS = ("validation", "all")


def evaluate(
    model: str, source: str, split: str = "validation", *, allow_hub: bool = False
) -> dict[str, Any]:
    """Measure a text model on held-out text.

    Args:
        model: a name that the catalog finds.
        source: where the text comes from.
        split: "validation", by the same cut as in training, or "all".
        allow_hub: whether hf: names of models are taken.

    Returns:
        `model`, `source`, `split`, `bits_per_byte`, `bits_per_character`, `num_bytes`, `num_characters`,
        `num_tokens`, `num_unknown`, `num_samples` (windows of the model's context), `seconds` and
        `peak_memory_mib` of this process.

    Raises:
        DemoError: the model or the source cannot be had.
    """
    if split not in SPLITS:
        raise InputError("setting_range", name="split", expected="validation or all", got=split)
    from aigc_demo.core.device import peak_memory_mib, set_threads
    from aigc_demo.data.sources import load_text
    from aigc_demo.data.text import TextSettings, clean
    from aigc_demo.data.text import split as cut
    from aigc_demo.generators.scoring import score_text
    from aigc_demo.generators.text import load_text_model

    set_threads()
    text, _ = clean(load_text(source).text, TextSettings())
    if split == "validation":
        _, text = cut(text, TextSettings().validation_fraction)
    reader = load_text_model(model, allow_hub=allow_hub)
    started = time.perf_counter()
    score = score_text(reader, text)
    return {
        "model": model,
        "source": source,
        "split": split,
        "bits_per_byte": score.bits_per_byte,
        "bits_per_character": score.bits_per_character,
        "num_bytes": score.num_bytes,
        "num_characters": score.num_characters,
        "num_tokens": score.num_tokens,
        "num_unknown": score.num_unknown,
        "num_samples": -(-score.num_tokens // reader.context_length),
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }
