"""Untrusted JSON: limits of length, depth and numbers."""

import json
import math
import re
from typing import Any

# An object of JSON: what a widget draws, an endpoint answers, a file of a run holds.
Json = dict[str, Any]

MOST_DEPTH = 8
LARGEST = 2**53
"""A float represents every integer up to here exactly, so all JSON parsers read the same value."""
MOST_DIGITS = len(str(LARGEST))

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SURROGATE = re.compile(r"\\u[dD]")
BRACKET = re.compile(r"[\[\]{}]")


def strict_json(text: str, most_characters: int, most_depth: int = MOST_DEPTH) -> Any:
    """Parse JSON within limits.

    Args:
        text: JSON.
        most_characters: maximum length.
        most_depth: maximum nesting of lists and objects.

    Raises:
        ValueError: it is not JSON, too long or too deep, or contains a lone surrogate (which no response can
            encode), a non-finite number, or an integer beyond 2**53.
    """
    if len(text) > most_characters:
        raise ValueError(f"longer than {most_characters} characters")
    _check_depth(text, most_depth)
    value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_refused)
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # UnicodeEncodeError is a ValueError
    return value


def check_counts(raw: bytes, most_objects: int, most_values: int) -> None:
    """Reject JSON that would need much memory, before it is parsed.

    An empty object takes 3 bytes in a file, and 64 in memory.

    Args:
        raw: the file; brackets and commas inside strings are counted too.
        most_objects: maximum number of objects.
        most_values: maximum number of values in all lists and objects, approximately.

    Raises:
        ValueError: a limit is exceeded.
    """
    if raw.count(b"{") > most_objects:
        raise ValueError(f"more than {most_objects} objects")
    if raw.count(b"[") + raw.count(b",") > most_values:
        raise ValueError(f"more than {most_values} values")


def _check_depth(text: str, most: int) -> None:
    """Checked before parsing, because the parser recurses for each level."""
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
