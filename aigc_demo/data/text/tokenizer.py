"""Text to numbers and back: characters, words, or pieces of bytes (byte-level BPE).

All three are a `tokenizers.Tokenizer` inside, so a saved folder also opens with transformers' AutoTokenizer
and gives the same numbers there. Two special tokens come first: `<unk>` (0) stands for what the vocabulary
lacks, `<start>` (1) for the beginning of a text. They are never made from text, not even from "<unk>".
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers
from tokenizers import Regex, decoders, models, pre_tokenizers

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import disk_errors, write_atomically
from aigc_demo.core.files.strict_json import check_counts
from aigc_demo.core.library_errors import library_errors
from aigc_demo.data.text.byte_pairs import LONG_RUNS, LONGEST_RUN, byte_level, train, train_in_subprocess

UNKNOWN, START = "<unk>", "<start>"
SPECIAL_TOKENS = (UNKNOWN, START)
KINDS = ("characters", "words", "bpe")

CHARACTER_PATTERN = r"[\s\S]"
# A word or a punctuation mark takes the one space before it along, so that joining tokens gives the text
# back; other white space stands alone, and so does each Chinese character.
WORD_PATTERN = (
    r" ?\p{Han}| ?[\p{L}\p{M}\p{N}_&&[^\p{Han}]]+(?:'[\p{L}&&[^\p{Han}]]+)?| ?[^\s\p{L}\p{M}\p{N}_]|\s"
)
# What WORD_PATTERN finds in ASCII text, for Python's own engine, which is five times as fast.
ASCII_WORD = re.compile(
    r" ?[A-Za-z0-9_]+(?:'[A-Za-z]+)?| ?[^ \t\n\x0b\x0c\rA-Za-z0-9_]|[ \t\n\x0b\x0c\r]", re.ASCII
)
# Where a long text may be cut and no pattern finds other words: after a newline between two signs, before a
# space between two signs, between a letter or digit and a punctuation mark.
SAFE_CUT = re.compile(
    r"(?<=\S\n)(?=\S)|(?<=\S)(?= \S)"
    r"|(?<=[^\W_])(?=[!-&(-/:-@\[-^`{-~\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])"
)


FOREIGN_PARTS = ("normalizer", "post_processor", "padding", "truncation")
"""What a file of a tokenizer may hold and ours never do: it would change texts, fill them up or cut them."""

NUM_BYTES = 256
BPE_VOCAB_SIZE = 4096
MIN_WORD_COUNT = 2
CHUNK_LENGTH = 200_000
LONG_TEXT = 200_000
"""Byte-level BPE on more characters than these may take longer than whoever stops it would wait."""
MAX_FILE_BYTES = 32 * 2**20
MAX_OBJECTS, MAX_VALUES = 20_000, 4_000_000
NUM_CODE_POINTS = 0x110000

IntArray = npt.NDArray[np.int64]


class Tokenizer:
    """Numbers for text, and text for numbers.

    Args:
        inner: the library's tokenizer; it holds the two special tokens as 0 and 1.

    Raises:
        ValueError: the special tokens are not where they belong.
    """

    def __init__(self, inner: tokenizers.Tokenizer):
        if [inner.token_to_id(token) for token in SPECIAL_TOKENS] != [0, 1]:
            raise ValueError(f"the vocabulary does not begin with {SPECIAL_TOKENS}")
        inner.encode_special_tokens = True  # "<start>" typed by a user is seven characters, not a command
        self._inner = inner
        self.kind, self._bounded = _kind(inner)
        self.unknown_id, self.start_id = 0, 1
        self.special_ids: tuple[int, ...] = (0, 1)
        self.vocab_size: int = inner.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """The text's tokens; no special tokens are added."""
        return self.encode_spans(text)[0].tolist()

    def decode(self, ids: list[int]) -> str:
        """The text of the tokens; special ones are left out.

        `decode(encode(text)) == text` for a text whose tokens are all in the vocabulary.

        Raises:
            IndexError: a number is not in the vocabulary.
        """
        if ids and not 0 <= min(ids) <= max(ids) < self.vocab_size:
            raise IndexError(f"token ids must be from 0 to {self.vocab_size - 1}")
        if self.kind == "bpe":
            return self._inner.decode(ids, skip_special_tokens=True)
        return "".join([self._tokens[index] for index in ids if index not in self.special_ids])

    def token_text(self, index: int) -> str:
        """One token as text to show; a special token by its name, half a character as U+FFFD.

        Raises:
            IndexError: the number is not in the vocabulary.
        """
        return self._tokens[index] if index in self.special_ids else self.decode([index])

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """The text's tokens with their places: (id, first character, past the last character).

        A token that is a part of a character's bytes has the place of the whole character.
        """
        return list(zip(*(array.tolist() for array in self.encode_spans(text)), strict=True))

    def encode_spans(self, text: str) -> tuple[IntArray, IntArray, IntArray]:
        """`spans` of a long text, as three arrays: ids, first characters, places past the last."""
        if self.kind == "characters":
            code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
            first = np.arange(len(text), dtype=np.int64)
            return self._ids_of_code_points[code_points], first, first + 1
        if self.kind == "words" and text.isascii():
            words = ASCII_WORD.findall(text)
            past = np.cumsum(np.fromiter(map(len, words), np.int64, len(words)))
            known = self._ids_of_words
            found = np.fromiter((known.get(word, self.unknown_id) for word in words), np.int64, len(words))
            return found, past - np.diff(past, prepend=0), past
        ids, places = [np.empty(0, np.int64)], [np.empty((0, 2), np.int64)]
        begin = 0
        for chunk in _chunks(text, runs=LONGEST_RUN if self._bounded else None):
            encoding = self._inner.encode(_without_surrogates(chunk), add_special_tokens=False)
            ids.append(np.array(encoding.ids, np.int64))
            places.append(begin + np.array(encoding.offsets, np.int64).reshape(-1, 2))
            begin += len(chunk)
        both = np.concatenate(places)
        return np.concatenate(ids), both[:, 0], both[:, 1]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write tokenizer.json and tokenizer_config.json, as AutoTokenizer reads them.

        Raises:
            DemoError: the folder cannot be written.
        """
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "unk_token": UNKNOWN,
            "bos_token": START,
            "clean_up_tokenization_spaces": False,
            "split_special_tokens": True,
        }
        folder = Path(folder)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "tokenizer.json", self._inner.to_str(pretty=False))
            write_atomically(folder / "tokenizer_config.json", json.dumps(config, indent=2))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "Tokenizer":
        """The tokenizer that `save` wrote, made anew from its vocabulary and its merges alone.

        Raises:
            InputError: there is none, or it is broken, or it is not one of ours.
        """
        path = Path(folder) / "tokenizer.json"
        with library_errors("broken_model", path=str(folder), detail="tokenizer.json"):
            if path.stat().st_size > MAX_FILE_BYTES:
                raise ValueError("too large")
            raw = path.read_bytes()
            check_counts(raw, MAX_OBJECTS, MAX_VALUES)
            return cls(_rebuilt(json.loads(raw.decode("utf-8"))))

    @cached_property
    def _tokens(self) -> list[str]:
        return [self._inner.id_to_token(index) or UNKNOWN for index in range(self.vocab_size)]

    @cached_property
    def _ids_of_words(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self._tokens) if index not in self.special_ids}

    @cached_property
    def _ids_of_code_points(self) -> IntArray:
        """One number for every code point there is: a look-up instead of a search, a hundred times faster."""
        table = np.full(NUM_CODE_POINTS, self.unknown_id, dtype=np.int64)
        for index, token in enumerate(self._tokens):
            if index not in self.special_ids:
                table[ord(token)] = index
        return table


def train_tokenizer(text: str, kind: str = "characters", vocab_size: int | None = None) -> Tokenizer:
    """A tokenizer whose vocabulary is taken from a text; the same text gives the same one.

    Args:
        text: what it is trained on, cleaned.
        kind: "characters", numbered by code point; "words", numbered by how common they are; or "bpe".
        vocab_size: the largest vocabulary, special tokens included, the commonest kept. None: all characters,
            all words that occur twice (so that `<unk>` has examples to learn from), 4,096 pieces of bytes.

    Raises:
        InputError: the kind is unknown or the vocabulary too small for it.
    """
    if kind not in KINDS:
        raise InputError("setting_range", name="tokenizer", expected="one of " + ", ".join(KINDS), got=kind)
    smallest = len(SPECIAL_TOKENS) + (NUM_BYTES if kind == "bpe" else 1)
    if vocab_size is not None and vocab_size < smallest:
        expected = f"at least {smallest} for {kind}"
        raise InputError("setting_range", name="vocab_size", expected=expected, got=vocab_size)
    if kind == "bpe":
        trained = train_in_subprocess if len(text) > LONG_TEXT else train
        chunks = _chunks(text, runs=LONGEST_RUN)
        return Tokenizer(trained(chunks, vocab_size or BPE_VOCAB_SIZE, SPECIAL_TOKENS))
    kept = None if vocab_size is None else vocab_size - len(SPECIAL_TOKENS)
    if kind == "characters":
        counts: Counter[str] = Counter()
        for begin in range(0, len(text), CHUNK_LENGTH):  # in parts, between which a signal is heard
            counts.update(text[begin : begin + CHUNK_LENGTH])
        return Tokenizer(_word_level(sorted(_commonest(counts, kept)), CHARACTER_PATTERN))
    return Tokenizer(_word_level(_common_words(text, kept), WORD_PATTERN))


def _commonest(counts: Counter[str], kept: int | None) -> list[str]:
    """The commonest first; of equally common ones the smaller first."""
    return sorted(counts, key=lambda token: (-counts[token], token))[:kept]


def _common_words(text: str, kept: int | None) -> list[str]:
    split = pre_tokenizers.Split(Regex(WORD_PATTERN), "isolated")
    counts: Counter[str] = Counter()
    for chunk in _chunks(text):
        if chunk.isascii():
            counts.update(ASCII_WORD.findall(chunk))
        else:
            counts.update(word for word, _ in split.pre_tokenize_str(chunk))
    if kept is None:
        counts = Counter({word: count for word, count in counts.items() if count >= MIN_WORD_COUNT})
    return _commonest(counts, kept)


def _word_level(tokens: list[str], pattern: str) -> tokenizers.Tokenizer:
    """A tokenizer that cuts by a pattern and looks each part up whole."""
    vocabulary = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *tokens])}
    inner = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    inner.decoder = decoders.Fuse()
    inner.add_special_tokens(list(SPECIAL_TOKENS))
    return inner


def _rebuilt(described: dict[str, Any]) -> tokenizers.Tokenizer:
    """The tokenizer that a file describes, if it is one of ours.

    Raises:
        ValueError: it changes, fills up or cuts texts, or is one of another kind.
    """
    if any(described.get(part) is not None for part in FOREIGN_PARTS):
        raise ValueError(f"a tokenizer of ours has none of {FOREIGN_PARTS}")
    model, cutter = described["model"], described["pre_tokenizer"]
    tokens = _numbered(model["vocab"])
    if model["type"] == "BPE":
        bounded = _is_bounded(cutter)
        merges = [_pair(merge) for merge in model["merges"]]
        inner = tokenizers.Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
        return byte_level(inner, SPECIAL_TOKENS, bounded=bounded)
    pattern = cutter["pattern"]["Regex"]
    if model["type"] != "WordLevel" or pattern not in (CHARACTER_PATTERN, WORD_PATTERN):
        raise ValueError("a tokenizer of another kind")
    rest = tokens[len(SPECIAL_TOKENS) :]
    if pattern == CHARACTER_PATTERN and any(len(token) != 1 for token in rest):
        raise ValueError("a character of several characters")
    return _word_level(rest, pattern)


def _is_bounded(cutter: dict[str, Any]) -> bool:
    """Whether a byte-level BPE of ours cuts long runs, as all do that were trained since that was so.

    Raises:
        ValueError: it cuts texts in another way.
    """
    parts = cutter["pretokenizers"] if cutter["type"] == "Sequence" else [cutter]
    *before, last = parts
    runs = [(part["type"], part["pattern"], part["behavior"], part["invert"]) for part in before]
    plain = last["type"] == "ByteLevel" and not last["add_prefix_space"] and last.get("use_regex", True)
    if not plain or runs not in ([], [("Split", {"Regex": LONG_RUNS}, "Isolated", False)]):
        raise ValueError("a tokenizer that cuts texts in another way")
    return bool(runs)


def _pair(merge: Any) -> tuple[str, str]:
    """A merge, which older files have as one text.

    Raises:
        ValueError: it is no pair of texts.
    """
    first, second = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(first, str) or not isinstance(second, str):
        raise ValueError("a merge of something else than texts")
    return first, second


def _numbered(vocabulary: dict[str, int]) -> list[str]:
    """The tokens in the order of their numbers.

    Raises:
        ValueError: they do not begin with the special tokens, or a number is missing or there twice.
    """
    numbers = list(vocabulary.values())
    if any(type(number) is not int for number in numbers) or sorted(numbers) != list(range(len(numbers))):
        raise ValueError("the numbers are not 0, 1, 2 and so on")
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if tuple(tokens[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise ValueError(f"the vocabulary does not begin with {SPECIAL_TOKENS}")
    return tokens


def _kind(inner: tokenizers.Tokenizer) -> tuple[str, bool]:
    """Which of the three kinds a tokenizer is, and whether it cuts long runs.

    Raises:
        ValueError: none of them.
    """
    described: dict[str, Any] = json.loads(inner.to_str())
    cutter = described["pre_tokenizer"] or {}
    if described["model"]["type"] == "BPE" and cutter:
        return "bpe", _is_bounded(cutter)
    pattern = cutter.get("pattern", {}).get("Regex")
    if described["model"]["type"] == "WordLevel" and pattern in (CHARACTER_PATTERN, WORD_PATTERN):
        return "characters" if pattern == CHARACTER_PATTERN else "words", False
    raise ValueError("a tokenizer of another kind")


def _chunks(text: str, runs: int | None = None) -> Iterator[str]:
    """The text in parts that tokenise as the whole does: the library needs memory for each character.

    Args:
        text: any.
        runs: after how many characters the tokenizer cuts a run of letters; None if it does not.
    """
    begin = 0
    while len(text) - begin > CHUNK_LENGTH:
        near = begin + CHUNK_LENGTH
        found = SAFE_CUT.search(text, near, near + CHUNK_LENGTH)
        cut = found.end() if found else runs and _cut_in_run(text, begin, near, runs)
        found = None if cut else SAFE_CUT.search(text, near)
        cut = cut or (found.end() if found else len(text))
        yield text[begin:cut]
        begin = cut
    yield text[begin:]


def _cut_in_run(text: str, begin: int, near: int, runs: int) -> int | None:
    """Where the tokenizer cuts the run of letters at `near`; None where there is none that is long enough."""
    start = near
    while start > begin and text[start - 1].isalpha():
        start -= 1
    cut = near + (start - near) % runs
    return cut if cut < len(text) and text[start:cut].isalpha() else None


def _without_surrogates(text: str) -> str:
    """Half a surrogate pair, which a browser may send, cannot be written as UTF-8."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)
