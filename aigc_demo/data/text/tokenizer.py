"""Tokenizers: text to token ids and back, by characters, words, or byte-level BPE.

All three wrap a `tokenizers.Tokenizer`, so transformers' AutoTokenizer loads a saved folder and gives the
same ids. Two special tokens come first: `<unk>` (0) for unknown tokens and `<start>` (1) for the beginning
of a text; an encoder's tokenizer has three more, `<pad>` (2), `<mask>` (3) and `<sep>` (4). Text is never
encoded as a special token, not even "<unk>".
"""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import disk_errors, write_atomically
from aigc_demo.core.library_errors import library_errors
from aigc_demo.data.text.byte_pairs import LONGEST_RUN, train, train_in_subprocess
from aigc_demo.data.text.chunks import CHUNK_LENGTH, split_into_chunks
from aigc_demo.data.text.tokenizer_file import kind_of, read_tokenizer, special_tokens
from aigc_demo.data.text.word_level import (
    ASCII_WORD,
    CHARACTER_PATTERN,
    ENCODER_TOKENS,
    MASK,
    PADDING,
    SEPARATOR,
    SPECIAL_TOKENS,
    START,
    UNKNOWN,
    WORD_PATTERN,
    common_words,
    most_common,
    word_level,
)

KINDS = ("characters", "words", "bpe")

NUM_BYTES = 256
BPE_VOCAB_SIZE = 4096
LONG_TEXT = 200_000
"""Number of characters from which on byte-level BPE is trained in a subprocess, which can be stopped."""
NUM_CODE_POINTS = 0x110000

IntArray = npt.NDArray[np.int64]


class Tokenizer:
    """Encodes and decodes text.

    Args:
        inner: the library's tokenizer, with the special tokens as the first ids.

    Attributes:
        special_tokens: by id.
        masks: whether it has the special tokens of an encoder, `padding_id`, `mask_id` and `separator_id`.

    Raises:
        ValueError: the special tokens have other ids, or the tokenizer is of another kind.
    """

    def __init__(self, inner: tokenizers.Tokenizer):
        first = [inner.id_to_token(index) or "" for index in range(len(ENCODER_TOKENS))]
        self.special_tokens = special_tokens(first)
        inner.encode_special_tokens = True  # "<start>" in a text is seven characters
        self._inner = inner
        self.kind, self._bounded = kind_of(inner)
        self.unknown_id, self.start_id = 0, 1
        self.special_ids = tuple(range(len(self.special_tokens)))
        self.vocab_size: int = inner.get_vocab_size()

    padding_id, mask_id, separator_id = (ENCODER_TOKENS.index(name) for name in (PADDING, MASK, SEPARATOR))

    @property
    def masks(self) -> bool:
        """Whether its special tokens are those of an encoder."""
        return self.special_tokens == ENCODER_TOKENS

    def encode(self, text: str) -> list[int]:
        """The ids of a text; no special tokens are added."""
        return self.encode_spans(text)[0].tolist()

    def decode(self, ids: list[int]) -> str:
        """The text of token ids, without special tokens.

        `decode(encode(text)) == text` for a text whose tokens are all in the vocabulary.

        Raises:
            IndexError: an id is not in the vocabulary.
        """
        if ids and not 0 <= min(ids) <= max(ids) < self.vocab_size:
            raise IndexError(f"token ids must be from 0 to {self.vocab_size - 1}")
        if self.kind == "bpe":
            return self._inner.decode(ids, skip_special_tokens=True)
        return "".join([self._tokens[index] for index in ids if index not in self.special_ids])

    def token_text(self, index: int) -> str:
        """One token as text for display: a special token by its name, an incomplete character as U+FFFD.

        Raises:
            IndexError: the id is not in the vocabulary.
        """
        return self._tokens[index] if index in self.special_ids else self.decode([index])

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """Ids and character offsets of a text's tokens: (id, start, end), end exclusive.

        A token that is part of a character's bytes has the offsets of the whole character.
        """
        return list(zip(*(array.tolist() for array in self.encode_spans(text)), strict=True))

    def encode_spans(self, text: str) -> tuple[IntArray, IntArray, IntArray]:
        """`spans` as three arrays: ids, starts, ends."""
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
        for chunk in split_into_chunks(text, runs=LONGEST_RUN if self._bounded else None):
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
        if self.masks:
            names = {"pad_token": PADDING, "mask_token": MASK, "sep_token": SEPARATOR, "cls_token": START}
            config |= names
        folder = Path(folder)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "tokenizer.json", self._inner.to_str(pretty=False))
            write_atomically(folder / "tokenizer_config.json", json.dumps(config, indent=2))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "Tokenizer":
        """The tokenizer that `save` wrote, rebuilt from its vocabulary and merges alone.

        Raises:
            InputError: the file is missing, broken, or not a tokenizer of ours.
        """
        with library_errors("broken_model", path=str(folder), detail="tokenizer.json"):
            return cls(read_tokenizer(Path(folder)))

    @cached_property
    def _tokens(self) -> list[str]:
        return [self._inner.id_to_token(index) or UNKNOWN for index in range(self.vocab_size)]

    @cached_property
    def _ids_of_words(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self._tokens) if index not in self.special_ids}

    @cached_property
    def _ids_of_code_points(self) -> IntArray:
        """The id of every Unicode code point: a table lookup is a hundred times faster than a search."""
        table = np.full(NUM_CODE_POINTS, self.unknown_id, dtype=np.int64)
        for index, token in enumerate(self._tokens):
            if index not in self.special_ids:
                table[ord(token)] = index
        return table


def train_tokenizer(
    text: str,
    kind: str = "characters",
    vocab_size: int | None = None,
    special: Sequence[str] = SPECIAL_TOKENS,
) -> Tokenizer:
    """Train a tokenizer on a text; deterministic.

    Args:
        text: cleaned.
        kind: "characters", ordered by code point; "words", ordered by frequency; or "bpe".
        vocab_size: maximum size, special tokens included; the most frequent tokens are kept. None: all
            characters, all words that occur at least twice (so that `<unk>` has training examples), or 4,096
            BPE tokens.
        special: `SPECIAL_TOKENS` or `ENCODER_TOKENS`.

    Raises:
        InputError: the kind is unknown, or `vocab_size` is too small for it.
    """
    if kind not in KINDS:
        raise InputError("setting_range", name="tokenizer", expected="one of " + ", ".join(KINDS), got=kind)
    smallest = len(special) + (NUM_BYTES if kind == "bpe" else 1)
    if vocab_size is not None and vocab_size < smallest:
        expected = f"at least {smallest} for {kind}"
        raise InputError("setting_range", name="vocab_size", expected=expected, got=vocab_size)
    if kind == "bpe":
        trained = train_in_subprocess if len(text) > LONG_TEXT else train
        chunks = split_into_chunks(text, runs=LONGEST_RUN)
        return Tokenizer(trained(chunks, vocab_size or BPE_VOCAB_SIZE, special))
    kept = None if vocab_size is None else vocab_size - len(special)
    if kind == "characters":
        counts: Counter[str] = Counter()
        for begin in range(0, len(text), CHUNK_LENGTH):  # signals are handled between chunks
            counts.update(text[begin : begin + CHUNK_LENGTH])
        return Tokenizer(word_level(sorted(most_common(counts, kept)), CHARACTER_PATTERN, special))
    return Tokenizer(word_level(common_words(text, kept), WORD_PATTERN, special))


def _without_surrogates(text: str) -> str:
    """Replace lone surrogates, which a browser may send: UTF-8 cannot encode them."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)
