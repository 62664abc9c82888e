"""Masked words, next sentences and answers of one model, for the command line."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError

if TYPE_CHECKING:
    from aigc_demo.generators.text.masked_words import MaskedWords


def fill_in(model: str, prompt: str, count: int, **unknown: Any) -> dict[str, Any]:
    """Predict the masks of a text.

    Args:
        model: a name that the catalog finds, of a model that predicts masked words.
        prompt: a text with <mask> or [MASK] in the place of each.
        count: how many candidates for each.
        unknown: settings that there are none of.

    Returns:
        `text` with the likeliest words in their places, `guesses` (of each place, a list of `id`, `text` and
        `prob`) and `seconds`.

    Raises:
        DemoError: the model cannot be had, a setting is unknown, or the text has no masks, too many, or
            nothing else.
    """
    _check_settings(unknown)
    encoder = _encoder(model)
    started = time.perf_counter()
    filled = encoder.fill(prompt, count)
    return {
        "text": filled.text,
        "guesses": [[asdict(guess) for guess in place.guesses] for place in filled.places],
        "seconds": round(time.perf_counter() - started, 4),
    }


def next_sentence(model: str, first: str, second: str, **unknown: Any) -> dict[str, Any]:
    """The probability that one text follows another.

    Args:
        model: a name that the catalog finds, of a model that predicts masked words.
        first: a text.
        second: the text that may follow it.
        unknown: settings that there are none of.

    Returns:
        `text` ("it follows" or "it does not follow"), `prob` that it follows, and `seconds`.

    Raises:
        DemoError: the model cannot be had or has no next-sentence head, a setting is unknown, or a text is
            empty or too long.
    """
    _check_settings(unknown)
    encoder = _encoder(model)
    started = time.perf_counter()
    prob = encoder.follows(first, second)
    return {
        "text": "it follows" if prob > 0.5 else "it does not follow",
        "prob": prob,
        "seconds": round(time.perf_counter() - started, 4),
    }


def answered(model: str, prompt: str, *, seed: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of one model.

    Args:
        model: a name that the catalog finds, of a model that answers a text.
        prompt: a line or a question.
        seed: of the uniform numbers that tokens are drawn with.
        settings: of the decoding; and `story`, which the question is about.

    Returns:
        `text`, `seconds` and `num_tokens`; of a question about a story of the tiny world also `expected`, the
        right answer.

    Raises:
        DemoError: the model cannot be had, a text is empty or too long, or a setting does not fit.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.answers.model import load_answers
    from aigc_demo.generators.catalog import find
    from aigc_demo.studio.text.answer import answer_of, checked_request

    given = dict(settings)
    entry = find(model, allow_hub=True)
    request = checked_request([entry], prompt, given.pop("story", None), {**given, "seed": seed})
    set_threads()
    writer = load_answers(entry)
    started = time.perf_counter()
    answer = answer_of(writer, request)
    return {
        "text": answer.text,
        "seconds": round(time.perf_counter() - started, 4),
        "num_tokens": len(answer.tokens),
        **({} if request.expected is None else {"expected": request.expected}),
    }


def _encoder(model: str) -> "MaskedWords":
    from aigc_demo.core.device import set_threads
    from aigc_demo.generators.catalog import find
    from aigc_demo.generators.text.masked_words import load_masked_words

    set_threads()
    return load_masked_words(find(model, allow_hub=True))


def _check_settings(unknown: Mapping[str, Any]) -> None:
    for name in unknown:
        raise InputError("unknown_setting", name=shown(name), known="second")
