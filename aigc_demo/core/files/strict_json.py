"""JSON that others may have written: bounded in length, in depth, and in its numbers."""

import json
import math
import re
from typing import Any

MOST_DEPTH = 8
LARGEST = 2**53
"""Up to here a float holds every whole number, so every reader of JSON reads the same."""
MOST_DIGITS = len(str(LARGEST))

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SURROGATE = re.compile(r"\\u[dD]")
BRACKET = re.compile(r"[\[\]{}]")


def strict_json(text: str, most_characters: int, most_depth: int = MOST_DEPTH) -> Any:
    """The value that a text holds.

    Args:
        text: JSON.
        most_characters: it may have.
        most_depth: how deep its lists and objects may lie in each other.

    Raises:
        ValueError: it is no JSON, is longer or deeper, or holds half of a character (a lone surrogate, which
            no answer can be sent with), or a number that is not finite or, where it is whole, beyond 2**53.
    """
    if len(text) > most_characters:
        raise ValueError(f"longer than {most_characters} characters")
    _check_depth(text, most_depth)
    value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_refused)
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # UnicodeEncodeError is a ValueError
    return value


def check_counts(raw: bytes, most_objects: int, most_values: int) -> None:
    """Refuse JSON that would take much memory, before it is parsed.

    An empty object takes 3 bytes in a file, and 64 in memory.

    Args:
        raw: the file; signs in its texts count too.
        most_objects: it may hold.
        most_values: its lists and objects may hold together, roughly.

    Raises:
        ValueError: it holds more.
    """
    if raw.count(b"{") > most_objects:
        raise ValueError(f"more than {most_objects} objects")
    if raw.count(b"[") + raw.count(b",") > most_values:
        raise ValueError(f"more than {most_values} values")


def _check_depth(text: str, most: int) -> None:
    """Before it is parsed: the parser calls itself for each level."""
    if text.count("[") + text.count("{") <= most:
        return
    depth = 0
    for bracket in BRACKET.finditer(STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > most:
            raise ValueError(f"deeper than {most}")


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS or abs(int(digits)) > LARGEST:
        raise ValueError("a number beyond 2**53")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number that is not finite")
    return number


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no number")
