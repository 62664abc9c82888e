"""Reads tokenizer.json: only tokenizers of the three kinds that this project trains are accepted."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models

from aigc_demo.core.files.strict_json import check_counts
from aigc_demo.core.library_errors import library_errors
from aigc_demo.data.text.byte_pairs import LONG_RUNS, byte_level
from aigc_demo.data.text.word_level import (
    CHARACTER_PATTERN,
    ENCODER_TOKENS,
    SPECIAL_TOKENS,
    WORD_PATTERN,
    word_level,
)

FOREIGN_PARTS = ("normalizer", "post_processor", "padding", "truncation")
"""Components that tokenizers of ours never have: they change, pad or truncate texts."""
MAX_FILE_BYTES = 32 * 2**20
MAX_OBJECTS, MAX_VALUES = 20_000, 4_000_000


def read_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """Rebuild a tokenizer from the vocabulary and merges in a folder's tokenizer.json.

    Raises:
        InputError: the file is missing, invalid, or not a tokenizer of ours.
    """
    path = folder / "tokenizer.json"
    with library_errors("broken_model", path=str(folder), detail="tokenizer.json"):
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError("too large")
        raw = path.read_bytes()
        check_counts(raw, MAX_OBJECTS, MAX_VALUES)
        return from_file(json.loads(raw.decode("utf-8")))


def from_file(config: dict[str, Any]) -> tokenizers.Tokenizer:
    """The tokenizer of a parsed tokenizer.json, if it is one of ours.

    Raises:
        ValueError: it changes, pads or truncates texts, or is of another kind.
    """
    if any(config.get(part) is not None for part in FOREIGN_PARTS):
        raise ValueError(f"a tokenizer of ours has none of {FOREIGN_PARTS}")
    model, pre_tokenizer = config["model"], config["pre_tokenizer"]
    tokens = _tokens_by_id(model["vocab"])
    if model["type"] == "BPE":
        bounded = _is_bounded(pre_tokenizer)
        merges = [_pair(merge) for merge in model["merges"]]
        inner = tokenizers.Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
        return byte_level(inner, special_tokens(tokens), bounded=bounded)
    pattern = pre_tokenizer["pattern"]["Regex"]
    if model["type"] != "WordLevel" or pattern not in (CHARACTER_PATTERN, WORD_PATTERN):
        raise ValueError("a tokenizer of another kind")
    special = special_tokens(tokens)
    rest = tokens[len(special) :]
    if pattern == CHARACTER_PATTERN and any(len(token) != 1 for token in rest):
        raise ValueError("a character of several characters")
    return word_level(rest, pattern, special)


def special_tokens(tokens: Sequence[str]) -> tuple[str, ...]:
    """The special tokens that a vocabulary begins with: those of an encoder, or the two that all have.

    Args:
        tokens: in the order of their ids.

    Raises:
        ValueError: it begins with neither.
    """
    for special in (ENCODER_TOKENS, SPECIAL_TOKENS):
        if tuple(tokens[: len(special)]) == special:
            return special
    raise ValueError(f"the vocabulary does not begin with {SPECIAL_TOKENS}")


def _is_bounded(pre_tokenizer: dict[str, Any]) -> bool:
    """Whether a byte-level BPE of ours cuts long runs; those trained by earlier versions do not.

    Raises:
        ValueError: the pre-tokenizer is not one of ours.
    """
    parts = pre_tokenizer["pretokenizers"] if pre_tokenizer["type"] == "Sequence" else [pre_tokenizer]
    *before, last = parts
    runs = [(part["type"], part["pattern"], part["behavior"], part["invert"]) for part in before]
    plain = last["type"] == "ByteLevel" and not last["add_prefix_space"] and last.get("use_regex", True)
    if not plain or runs not in ([], [("Split", {"Regex": LONG_RUNS}, "Isolated", False)]):
        raise ValueError("an unknown pre-tokenizer")
    return bool(runs)


def _pair(merge: Any) -> tuple[str, str]:
    """A merge; older files have it as one string.

    Raises:
        ValueError: it is not a pair of strings.
    """
    first, second = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(first, str) or not isinstance(second, str):
        raise ValueError("a merge that is not a pair of strings")
    return first, second


def _tokens_by_id(vocabulary: dict[str, int]) -> list[str]:
    """The tokens in the order of their ids.

    Raises:
        ValueError: an id is missing or duplicate.
    """
    numbers = list(vocabulary.values())
    if any(type(number) is not int for number in numbers) or sorted(numbers) != list(range(len(numbers))):
        raise ValueError("the ids are not 0, 1, 2 and so on")
    return sorted(vocabulary, key=vocabulary.__getitem__)


def kind_of(inner: tokenizers.Tokenizer) -> tuple[str, bool]:
    """The kind of a tokenizer, and whether it cuts long runs.

    Raises:
        ValueError: it is of another kind.
    """
    config: dict[str, Any] = json.loads(inner.to_str())
    pre_tokenizer = config["pre_tokenizer"] or {}
    if config["model"]["type"] == "BPE" and pre_tokenizer:
        return "bpe", _is_bounded(pre_tokenizer)
    pattern = pre_tokenizer.get("pattern", {}).get("Regex")
    if config["model"]["type"] == "WordLevel" and pattern in (CHARACTER_PATTERN, WORD_PATTERN):
        return "characters" if pattern == CHARACTER_PATTERN else "words", False
    raise ValueError("a tokenizer of another kind")
