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
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers

from aigc_demo.core.errors import InputError
from aigc_demo.core.library_errors import library_errors
from aigc_demo.core.run_directory import write_atomically, writing
from aigc_demo.core.strict_json import check_counts

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
# Patterns must not find other words when a long text is cut there: after the newline between two letters.
SAFE_CUT = re.compile(r"(?<=\S\n)(?=\S)")

FOREIGN_PARTS = ("normalizer", "post_processor", "padding", "truncation")
"""What a file of a tokenizer may hold and ours never do: it would change texts, fill them up or cut them."""

NUM_BYTES = 256
BPE_VOCAB_SIZE = 4096
MIN_WORD_COUNT = 2
CHUNK_LENGTH = 500_000
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
        self.kind = _kind(inner)
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
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        begin = 0
        for chunk in _chunks(text):
            encoding = self._inner.encode(_without_surrogates(chunk), add_special_tokens=False)
            ids += encoding.ids
            places += [(begin + first, begin + past) for first, past in encoding.offsets]
            begin += len(chunk)
        both = np.array(places, dtype=np.int64).reshape(-1, 2)
        return np.array(ids, dtype=np.int64), both[:, 0], both[:, 1]

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
        with writing(folder):
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
        return Tokenizer(_byte_pairs(text, vocab_size or BPE_VOCAB_SIZE))
    kept = None if vocab_size is None else vocab_size - len(SPECIAL_TOKENS)
    if kind == "characters":
        return Tokenizer(_word_level(sorted(_commonest(Counter(text), kept)), CHARACTER_PATTERN))
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


def _byte_pairs(text: str, vocab_size: int) -> tokenizers.Tokenizer:
    """Byte-level BPE: the pair of neighbours that occurs most becomes a token, again and again.

    Source:
        Sennrich et al. 2016, arXiv:1508.07909; on bytes: Radford et al. 2019 (GPT-2).
    """
    inner = _on_bytes(tokenizers.Tokenizer(models.BPE()))
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(_chunks(text), trainer)
    return inner


def _on_bytes(inner: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """The same, cutting and joining texts as bytes, as GPT-2 does."""
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    if inner.get_vocab_size():
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
    if model["type"] == "BPE" and cutter["type"] == "ByteLevel" and not cutter["add_prefix_space"]:
        merges = [_pair(merge) for merge in model["merges"]]
        inner = tokenizers.Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
        return _on_bytes(inner)
    pattern = cutter["pattern"]["Regex"]
    if model["type"] != "WordLevel" or pattern not in (CHARACTER_PATTERN, WORD_PATTERN):
        raise ValueError("a tokenizer of another kind")
    rest = tokens[len(SPECIAL_TOKENS) :]
    if pattern == CHARACTER_PATTERN and any(len(token) != 1 for token in rest):
        raise ValueError("a character of several characters")
    return _word_level(rest, pattern)


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


def _kind(inner: tokenizers.Tokenizer) -> str:
    """Which of the three kinds a tokenizer is.

    Raises:
        ValueError: none of them.
    """
    described: dict[str, Any] = json.loads(inner.to_str())
    cutter = described["pre_tokenizer"] or {}
    if described["model"]["type"] == "BPE" and cutter.get("type") == "ByteLevel":
        return "bpe"
    pattern = cutter.get("pattern", {}).get("Regex")
    if described["model"]["type"] == "WordLevel" and pattern in (CHARACTER_PATTERN, WORD_PATTERN):
        return "characters" if pattern == CHARACTER_PATTERN else "words"
    raise ValueError("a tokenizer of another kind")


def _chunks(text: str) -> Iterator[str]:
    """The text in parts that tokenise as the whole does: the library needs memory for each character."""
    begin = 0
    while len(text) - begin > CHUNK_LENGTH:
        cut = SAFE_CUT.search(text, begin + CHUNK_LENGTH)
        if cut is None:
            break
        yield text[begin : cut.end()]
        begin = cut.end()
    yield text[begin:]


def _without_surrogates(text: str) -> str:
    """Half a surrogate pair, which a browser may send, cannot be written as UTF-8."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)
