"""Texts by one model, for the command line and evaluation."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
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


def fill_in(model: str, prompt: str, count: int) -> dict[str, Any]:
    """Predict the masks of a text.

    Args:
        model: a name that the catalog finds, of a model that predicts masked words.
        prompt: a text with <mask> or [MASK] in the place of each.
        count: how many candidates for each.

    Returns:
        `text` with the likeliest words in their places, `guesses` (of each place, a list of `id`, `text` and
        `prob`) and `seconds`.

    Raises:
        DemoError: the model cannot be had, or the text has no masks, too many, or nothing else.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.catalog import find
    from aigc_demo.generators.text.masked_words import load_masked_words

    set_threads()
    encoder = load_masked_words(find(model, allow_hub=True))
    started = time.perf_counter()
    filled = encoder.fill(prompt, count)
    return {
        "text": filled.text,
        "guesses": [[asdict(guess) for guess in place.guesses] for place in filled.places],
        "seconds": round(time.perf_counter() - started, 4),
    }


def next_sentence(model: str, first: str, second: str) -> dict[str, Any]:
    """The probability that one text follows another.

    Args:
        model: a name that the catalog finds, of a model that predicts masked words.
        first: a text.
        second: the text that may follow it.

    Returns:
        `text` ("follows" or "does not follow"), `prob` that it follows, and `seconds`.

    Raises:
        DemoError: the model cannot be had or has no next-sentence head, or a text is empty or too long.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.catalog import find
    from aigc_demo.generators.text.masked_words import load_masked_words

    set_threads()
    encoder = load_masked_words(find(model, allow_hub=True))
    started = time.perf_counter()
    prob = encoder.follows(first, second)
    return {
        "text": "follows" if prob > 0.5 else "does not follow",
        "prob": prob,
        "seconds": round(time.perf_counter() - started, 4),
    }
