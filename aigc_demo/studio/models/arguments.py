"""Checks of a visitor's input. The page's own checks can be bypassed, so every use case calls these.

Settings check themselves (core/config); these are the arguments that stand beside them.
"""

import math
from collections.abc import Sequence
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.data.text.cleaning import clean_text

MAX_PROMPT_CHARACTERS = 20_000
MAX_SCORED_CHARACTERS = 5_000
MAX_TOKENS = 20_000


def checked_text(name: str, value: Any, limit: int = MAX_PROMPT_CHARACTERS) -> str:
    """A text of at most `limit` characters that can be written as UTF-8.

    Raises:
        InputError: it is not text, is too long, or holds half of a surrogate pair.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError("setting_type", name=name, expected="text", got=shown(value))
    if len(value) > limit:
        raise InputError("text_too_long", name=name, got=len(value), limit=limit)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError("text_not_unicode", name=name) from None
    return value


def checked_prompt(name: str, value: Any, limit: int = MAX_PROMPT_CHARACTERS) -> str:
    """A text for a model, checked as it was sent, then cleaned as training texts are (`data.text.cleaning`).

    Raises:
        InputError: as `checked_text`.
    """
    return clean_text(checked_text(name, value, limit))


def checked_ids(name: str, value: Any) -> tuple[int, ...]:
    """Token ids: whole numbers, not negative. Whether they are in the vocabulary only the model knows.

    Raises:
        InputError: it is not a list of them, or is longer than any text the page can make.
    """
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(_is_count(part) for part in value):
        raise InputError("setting_type", name=name, expected="a list of token ids", got=shown(value))
    if len(value) > MAX_TOKENS:
        raise InputError("setting_range", name=name, expected=f"at most {MAX_TOKENS} long", got=len(value))
    return tuple(int(part) for part in value)


def checked_bits(name: str, value: Any) -> float:
    """A token's surprise in bits: finite and not negative, or NaN where it is not known.

    Raises:
        InputError: it is not such a number.
    """
    if not isinstance(value, float) or value < 0 or value == math.inf:
        expected = "tokens with their surprise in bits"
        raise InputError("setting_type", name=name, expected=expected, got=shown(value))
    return value


def check_in_vocabulary(model: Any, ids: Sequence[int]) -> None:
    """Raises InputError where one of the ids is unknown to the model, or is one that it never writes."""
    for token in ids:
        if token >= model.vocab_size or token in model.banned_ids:
            raise InputError("token_not_in_vocabulary", got=token, model=model.name, count=model.vocab_size)


def check_number(name: str, value: Any, low: float, high: float, *, whole: bool = False) -> None:
    """Raises InputError where a value is no number, or outside its bounds, which are inclusive."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) < math.inf or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise InputError("setting_type", name=name, expected=kind, got=shown(value))
    if not low <= value <= high:
        bound = f"at least {low:g}" if value < low else f"at most {high:g}"
        raise InputError("setting_range", name=name, expected=bound, got=shown(value))


def _is_count(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value == value and 0 <= value <= MAX_SEED and value == int(value)
