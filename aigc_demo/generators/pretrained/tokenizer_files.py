"""The files of a pretrained tokenizer, read as data: tokens, merges, added tokens and which tokens mean what.

All of it comes from outside. Sizes are asked before memory is taken, and every type, count and length is
looked at before the tokenizers library sees it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown

MEBIBYTE = 2**20
MOST_BYTES = 32 * MEBIBYTE
"""Of a vocabulary's file; Llama 3's has 9 MB, the largest of the supported kinds about 20."""
MOST_CONFIG_BYTES = 4 * MEBIBYTE
MOST_TOKENS, MOST_MERGES, MOST_ADDED = 1_000_000, 1_000_000, 10_000
LONGEST_TOKEN, LONGEST_ADDED, LONGEST_ADDED_TOGETHER = 1024, 256, 200_000
# What JSON of 32 MiB may take in memory is bounded by how many lists, objects and values it holds.
MOST_VALUES, MOST_OBJECTS = 4_000_000, 100_000

BPE, WORD_PIECE = "BPE", "WordPiece"
NAMES = ("bos", "eos", "unk", "pad", "mask", "cls", "sep")
LISTS = ("additional_special_tokens", "extra_special_tokens")

Pair = tuple[str, str]


class BrokenTokenizer(ValueError):
    """What is wrong with a file, in a few words that name it and hold nothing else of it."""


@dataclass(frozen=True)
class AddedToken:
    """A token that is found in a text before it is cut into words.

    Attributes:
        id: its number.
        content: its text.
        special: whether it means something else than its text.
        single_word: whether it is found between other letters.
        lstrip: whether it takes the white space before it along.
        rstrip: likewise after it.
        normalized: whether it is looked for in the normalized text.
    """

    id: int
    content: str
    special: bool = False
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True


@dataclass(frozen=True)
class SpecialNames:
    """Which tokens of a tokenizer mean more than text, by their own texts.

    Attributes:
        named: by what they are, of `NAMES`; None where it is said that there is none.
        others: that mean something else.
    """

    named: Mapping[str, str | None]
    others: frozenset[str]


def read_object(path: Path, most_bytes: int = MOST_CONFIG_BYTES) -> dict[str, Any]:
    """A JSON object; {} where there is no such file.

    Raises:
        BrokenTokenizer: the file is too large, holds too much, or something else.
    """
    if not path.is_file():
        return {}
    raw = _read(path, most_bytes)
    if raw.count(b"{") > MOST_OBJECTS or raw.count(b"[") + raw.count(b",") > MOST_VALUES:
        raise BrokenTokenizer(f"{path.name} holds more than a tokenizer does")
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrokenTokenizer(f"{path.name} is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise BrokenTokenizer(f"{path.name} is not a JSON object")
    return value


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without white space at their ends.

    Raises:
        BrokenTokenizer: it is too large, or not text in UTF-8.
    """
    raw = _read(path, MOST_BYTES)
    if raw.count(b"\n") > MOST_MERGES + 1:
        raise BrokenTokenizer(f"{path.name} holds more than a tokenizer does")
    try:
        # Not by splitlines(), which takes more signs than these for the end of a line.
        lines = [line.rstrip() for line in raw.decode("utf-8").split("\n")]
    except UnicodeDecodeError as error:
        raise BrokenTokenizer(f"{path.name} is not text in UTF-8") from error
    return lines if lines[-1] else lines[:-1]


def read_merges(path: Path) -> list[str]:
    """What merges.txt says, one merge a line; its first line may be a remark."""
    return [line for line in read_lines(path) if line and not line.startswith("#version")]


def checked_vocabulary(given: Any, name: str) -> dict[str, int]:
    """Tokens with their numbers, which are 0, 1, 2... without a gap.

    Args:
        given: what should be it.
        name: of its file, for the error.

    Raises:
        BrokenTokenizer: it is something else.
    """
    if not isinstance(given, dict) or not 1 <= len(given) <= MOST_TOKENS:
        raise BrokenTokenizer(f"{name} holds no vocabulary of 1 to {MOST_TOKENS} tokens")
    if set(map(type, given.values())) != {int} or sorted(given.values()) != list(range(len(given))):
        raise BrokenTokenizer(f"the tokens in {name} are not numbered from 0 on without a gap")
    if max(map(len, given)) > LONGEST_TOKEN:
        raise BrokenTokenizer(f"a token in {name} is longer than {LONGEST_TOKEN} characters")
    _check_unicode(given, name)
    return given


def checked_merges(given: Any, vocabulary: Mapping[str, int], name: str) -> list[Pair]:
    """The merges of byte pair encoding, in their order; older files write a pair as one text.

    Raises:
        BrokenTokenizer: they are something else, or not of tokens in the vocabulary.
    """
    if not isinstance(given, list) or len(given) > MOST_MERGES:
        raise BrokenTokenizer(f"{name} holds no list of at most {MOST_MERGES} merges")
    kinds = set(map(type, given))
    if kinds <= {str}:
        pairs = [tuple(merge.split(" ", 2)) for merge in given]
    elif kinds == {list} and set(map(type, (part for merge in given for part in merge))) <= {str}:
        pairs = [tuple(merge) for merge in given]
    else:
        raise BrokenTokenizer(f"a merge in {name} is not a pair of texts")
    if not set(map(len, pairs)) <= {2}:
        raise BrokenTokenizer(f"a merge in {name} is not a pair of texts")
    if not all(first in vocabulary and second in vocabulary for first, second in pairs):
        raise BrokenTokenizer(f"a merge in {name} is of tokens that are not in the vocabulary")
    if not all(first + second in vocabulary for first, second in pairs):
        raise BrokenTokenizer(f"a merge in {name} gives a token that is not in the vocabulary")
    return pairs


def checked_added(given: Any, name: str) -> list[AddedToken]:
    """The added tokens of a tokenizer.json, by their numbers.

    Raises:
        BrokenTokenizer: they are something else, or two have the same number or text.
    """
    if not isinstance(given, list) or len(given) > MOST_ADDED:
        raise BrokenTokenizer(f"{name} holds no list of at most {MOST_ADDED} added tokens")
    tokens = sorted((_added(token, name) for token in given), key=lambda token: token.id)
    if len({token.id for token in tokens}) < len(tokens) or len({token.content for token in tokens}) < len(
        tokens
    ):
        raise BrokenTokenizer(f"two added tokens in {name} have the same number or the same text")
    if sum(len(token.content) for token in tokens) > LONGEST_ADDED_TOGETHER:
        raise BrokenTokenizer(f"the added tokens in {name} are too long")
    _check_unicode((token.content for token in tokens), name)
    return tokens


def special_names(config: Mapping[str, Any], folder: Path) -> SpecialNames:
    """Which tokens are special, as tokenizer_config.json and, in older folders, special_tokens_map.json say.

    Raises:
        BrokenTokenizer: they name something else than tokens.
    """
    given = dict(config)
    if "added_tokens_decoder" not in config:
        given |= read_object(folder / "special_tokens_map.json")
    named = {
        name: _content(given[f"{name}_token"], f"{name}_token") for name in NAMES if f"{name}_token" in given
    }
    others = [content for name in LISTS for content in _contents(given.get(name), name)]
    return SpecialNames(named, frozenset(others))


def switch(config: Mapping[str, Any], name: str, usual: bool | None) -> bool | None:
    """A setting of tokenizer_config.json that is true or false; as usual where it is not there.

    Raises:
        BrokenTokenizer: it is something else.
    """
    value = config.get(name)
    if value is not None and not isinstance(value, bool):
        raise BrokenTokenizer(f"{name} is {shown(value)} in tokenizer_config.json")
    return usual if value is None else value


def _read(path: Path, most_bytes: int) -> bytes:
    """The bytes of a file, its size asked first; it may also grow meanwhile."""
    try:
        size = path.stat().st_size
        if size <= most_bytes:
            with path.open("rb") as file:
                raw = file.read(most_bytes + 1)
            size = max(size, len(raw))
            if size <= most_bytes:
                return raw
    except OSError as error:
        raise BrokenTokenizer(f"{path.name} cannot be read") from error
    raise BrokenTokenizer(f"{path.name} has more than the {most_bytes // MEBIBYTE} MiB that are read")


def _check_unicode(texts: Iterable[str], name: str) -> None:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise BrokenTokenizer(f"a token in {name} holds half of a character") from error


def _added(given: Any, name: str) -> AddedToken:
    if not isinstance(given, dict):
        raise BrokenTokenizer(f"an added token in {name} is not described")
    content, index = given.get("content"), given.get("id")
    if not isinstance(content, str) or not 1 <= len(content) <= LONGEST_ADDED:
        raise BrokenTokenizer(f"an added token in {name} has no text of 1 to {LONGEST_ADDED} characters")
    if type(index) is not int or not 0 <= index < MOST_TOKENS + MOST_ADDED:
        raise BrokenTokenizer(f"an added token in {name} has no number")
    special = given.get("special", False)
    usual = {
        "special": special,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": not special,
    }
    switches = {key: given.get(key, value) for key, value in usual.items()}
    if not all(isinstance(value, bool) for value in switches.values()):
        raise BrokenTokenizer(f"an added token in {name} is not described by true and false")
    return AddedToken(index, content, **switches)


def _content(given: Any, name: str) -> str | None:
    """A token's text, which may stand alone or in its description."""
    content = given.get("content") if isinstance(given, dict) else given
    if content is None and given is None:
        return None
    if not isinstance(content, str):
        raise BrokenTokenizer(f"{name} is no token")
    return content


def _contents(given: Any, name: str) -> list[str]:
    """The texts of several tokens, in a list or by names of their own."""
    tokens = list(given.values()) if isinstance(given, dict) else given or []
    if not isinstance(tokens, list) or len(tokens) > MOST_ADDED:
        raise BrokenTokenizer(f"{name} is no list of tokens")
    contents = [_content(token, name) for token in tokens]
    return [content for content in contents if content is not None]
