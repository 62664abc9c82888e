"""Rows of an encoder: one text or two with special tokens, segments, and the place of each token.

One text is `<start> text <sep>`, two are `<start> first <sep> second <sep>`; the second one's tokens and the
`<sep>` behind them are of segment 1. With BERT's own vocabulary the same tokens are named [CLS] and [SEP].
"""

# Shapes: B rows, T tokens of the longest row.

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError

MASK = re.compile(r"<mask>|\[MASK\]")
"""How a mask is written in a text, for every model."""
MOST_UNKNOWN = 0.5
"""Share of unknown characters from which on a text is refused."""

Span = tuple[int, int]


class RowVocabulary(Protocol):
    """A vocabulary with an encoder's special tokens.

    Attributes:
        start_id: begins a row.
        separator_id: ends a text.
        padding_id: fills up shorter rows of a batch.
        mask_id: stands for a masked token.
        unknown_id: stands for what the vocabulary lacks; None where it lacks nothing.
        special_ids: all special tokens.
        spaces_in_tokens: whether a token begins with the space before it.
    """

    start_id: int
    separator_id: int
    padding_id: int
    mask_id: int
    unknown_id: int | None
    special_ids: Sequence[int]
    spaces_in_tokens: bool

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """The text's tokens with their offsets: (id, first character, past the last character)."""

    def sentences(self, text: str) -> list[Span]:
        """Where the parts of a text are that are tokenized each by itself."""

    def token_text(self, index: int) -> str:
        """One token as text to show."""


@dataclass(frozen=True)
class Row:
    """One text or two, as an encoder reads them.

    Attributes:
        ids: of the tokens, special ones included.
        segments: 0 or 1 for each token.
        spans: first character and past the last one of each token, in its own text; None for special ones
            that stand for no text. A mask has the place of what it hides.
    """

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    spans: tuple[Span | None, ...]

    def places_of(self, index: int) -> list[int]:
        """Where a token stands in the row."""
        return [place for place, one in enumerate(self.ids) if one == index]


@dataclass(frozen=True)
class RowBatch:
    """Rows side by side, padded at the right.

    Attributes:
        ids_BT: token ids.
        mask_BT: True at tokens, False at padding.
        segments_BT: 0 or 1; 0 at padding.
    """

    ids_BT: Tensor
    mask_BT: Tensor
    segments_BT: Tensor


def row_of(
    vocabulary: RowVocabulary, first: str, second: str | None = None, hidden: Iterable[Span] = ()
) -> Row:
    """The row of one text or two.

    Args:
        vocabulary: of the model.
        first: cleaned; each mask written in it becomes one.
        second: the same.
        hidden: ranges of characters of the first text whose tokens are masked, first and past the last.
    """
    tokens = masked_spans(vocabulary, first, hidden)
    ids, spans = [vocabulary.start_id], list[Span | None]([None])
    segments = [0] * (len(tokens) + 2)
    for part in (tokens,) if second is None else (tokens, masked_spans(vocabulary, second)):
        ids += [index for index, _, _ in part] + [vocabulary.separator_id]
        spans += [(begin, past) for _, begin, past in part]
        spans.append(None)
    segments += [1] * (len(ids) - len(segments))
    return Row(tuple(ids), tuple(segments), tuple(spans))


def masked_spans(
    vocabulary: RowVocabulary, text: str, hidden: Iterable[Span] = ()
) -> list[tuple[int, int, int]]:
    """The tokens of a text with masks in it, as `RowVocabulary.spans`.

    Where tokens begin with a space, a mask takes the space before it along, as the token that it hides would.
    """
    ranges, tokens = list(hidden), list[tuple[int, int, int]]()
    for first, last in vocabulary.sentences(text):
        tokens += [(index, first + a, first + b) for index, a, b in _with_masks(vocabulary, text[first:last])]
    return [
        (vocabulary.mask_id if any(a < last and b > first for first, last in ranges) else index, a, b)
        for index, a, b in tokens
    ]


def _with_masks(vocabulary: RowVocabulary, sentence: str) -> list[tuple[int, int, int]]:
    """The tokens of a sentence and the masks written in it, with their places."""
    tokens, begin = list[tuple[int, int, int]](), 0
    for mask in (*MASK.finditer(sentence), None):
        past = len(sentence) if mask is None else mask.start()
        if mask is not None and vocabulary.spaces_in_tokens and sentence[begin:past].endswith(" "):
            past -= 1
        tokens += [(index, begin + a, begin + b) for index, a, b in vocabulary.spans(sentence[begin:past])]
        if mask is not None:
            tokens.append((vocabulary.mask_id, past, mask.end()))
            begin = mask.end()
    return tokens


def batch_of(rows: Sequence[Row], padding_id: int) -> RowBatch:
    """Rows as tensors, padded to the longest."""
    length = max(len(row.ids) for row in rows)
    ids = [[*row.ids, *[padding_id] * (length - len(row.ids))] for row in rows]
    segments = [[*row.segments, *[0] * (length - len(row.ids))] for row in rows]
    lengths_B = torch.tensor([len(row.ids) for row in rows])
    return RowBatch(torch.tensor(ids), torch.arange(length) < lengths_B[:, None], torch.tensor(segments))


def check_length(row: Row, context_length: int, model: str) -> None:
    """Refuse a row that is longer than a model reads.

    Raises:
        InputError: it is; the counts are without special tokens.
    """
    if len(row.ids) > context_length:
        added = row.spans.count(None)
        raise InputError(
            "prompt_too_long", got=len(row.ids) - added, model=model, limit=context_length - added
        )


def check_known(row: Row, text: str, vocabulary: RowVocabulary, model: str) -> None:
    """Refuse a text that a model can hardly read, such as a Latin one for a model of Chinese.

    Args:
        row: of the text.
        text: the first of the row, cleaned.
        vocabulary: of the model.
        model: its name.

    Raises:
        InputError: more than half of its characters, white space and masks left aside, are not in the
            vocabulary.
    """
    known, unknown = 0, list[str]()
    for index, span, segment in zip(row.ids, row.spans, row.segments, strict=True):
        letters = [letter for letter in text[slice(*span)] if not letter.isspace()] if span else []
        if segment or index == vocabulary.mask_id:
            continue
        if index == vocabulary.unknown_id:
            unknown += letters
        else:
            known += len(letters)
    if len(unknown) > MOST_UNKNOWN * (known + len(unknown)):
        example = "".join(unknown[:5])
        raise InputError(
            "unknown_letters", model=model, got=len(unknown), count=known + len(unknown), example=example
        )
