"""Texts by one model, for the command line and evaluation."""

import time
from collections.abc import Iterator, Mapping
from typing import Any


def write_texts(
    model: str, prompt: str, *, num: int, seed: int, settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Continue a prompt several times, text i with seed `seed + i`.

    Args:
        model: a name that the catalog finds, hf: names included.
        prompt: what each text begins with.
        num: how many texts.
        seed: of the first one.
        settings: of the decoding.

    Yields:
        `text` (without the prompt), `seed`, `seconds`, `num_tokens` and `tokens_per_second` of each.

    Raises:
        DemoError: the model cannot be had, or a setting does not fit.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.text.decoding import SamplingSettings, generate
    from aigc_demo.generators.text.loading import load_text_model

    asked = [SamplingSettings.from_mapping(settings, seed=seed + number) for number in range(num)]
    set_threads()
    writer = load_text_model(model, allow_hub=True)
    for one in asked:
        started = time.perf_counter()
        tokens = list(generate(writer, prompt, one))
        seconds = time.perf_counter() - started
        yield {
            "text": "".join(token.text for token in tokens),
            "seed": one.seed,
            "seconds": round(seconds, 4),
            "num_tokens": len(tokens),
            "tokens_per_second": round(len(tokens) / max(seconds, 1e-9), 1),
        }
