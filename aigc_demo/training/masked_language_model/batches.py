"""Rows for the pretraining of an encoder: two texts, or one, with a number for each word."""

# Shapes: B rows of a batch, T tokens of a row.

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.text.documents import DocumentCorpus, Documents
from aigc_demo.data.text.sentence_pairs import SentencePair, SentencePairs
from aigc_demo.data.text.tokenizer import Tokenizer

NO_PAIR = -100
"""In place of a label, where a row has one text alone."""
SPECIAL = -1
"""In place of a word's number."""
FOLLOWS, WRONG = 0, 1


@dataclass(frozen=True)
class Rows:
    """A batch before masking.

    Attributes:
        ids_BT: `<start> A <sep> B <sep>` or `<start> A <sep>`, then padding.
        segments_BT: 0 up to the first separator, then 1.
        words_BT: the number of each token's word in its row; -1 for special tokens.
        labels_B: 0 where B follows A, 1 where not, -100 where there is no B.
    """

    ids_BT: Tensor
    segments_BT: Tensor
    words_BT: Tensor
    labels_B: Tensor


@dataclass(frozen=True)
class Text:
    """Tokens of one text of a row: ids, and for each the number of its word, from 0."""

    ids: Sequence[int]
    words: Sequence[int]


def text_of(documents: Documents, begin: int, end: int) -> Text:
    """Consecutive sentences as one text.

    Args:
        documents: of the sentences.
        begin: index of the first one.
        end: one past the last one.
    """
    ids: list[int] = []
    words: list[int] = []
    for index in range(begin, end):
        first = words[-1] + 1 if words else 0
        ids += documents.tokens[index].tolist()
        words += (first + documents.words[index]).tolist()
    return Text(ids, words)


def collate(
    texts: Sequence[tuple[Text, ...]], labels: Sequence[int], tokenizer: Tokenizer, context_length: int
) -> Rows:
    """Put texts into rows of one length.

    Args:
        texts: one or two for each row. The first keeps its end where both are too long, the second its
            beginning.
        labels: of each row.
        tokenizer: with the special tokens of an encoder.
        context_length: the most tokens of a row.
    """
    ids, segments, words = [], [], []
    for parts in texts:
        row_ids, row_segments, row_words = [tokenizer.start_id], [0], [SPECIAL]
        for segment, part in enumerate(_shortened(parts, context_length)):
            first = max(row_words) + 1
            row_ids += [*part.ids, tokenizer.separator_id]
            row_words += [*(first + number for number in part.words), SPECIAL]
            row_segments += [segment] * (len(part.ids) + 1)
        ids.append(row_ids)
        segments.append(row_segments)
        words.append(row_words)
    return Rows(
        _padded(ids, tokenizer.padding_id),
        _padded(segments, 0),
        _padded(words, SPECIAL),
        torch.tensor(labels),
    )


def _shortened(parts: tuple[Text, ...], context_length: int) -> list[Text]:
    """Texts that fit a row together with the special tokens."""
    room = context_length - 1 - len(parts)
    if len(parts) == 1:
        return [Text(parts[0].ids[:room], parts[0].words[:room])]
    first, second = parts
    second_room = max(room // 2, room - len(first.ids))
    second = Text(second.ids[:second_room], second.words[:second_room])
    first_room = room - len(second.ids)
    ids, words = first.ids[-first_room:], first.words[-first_room:]
    # From 0 again: masking looks words up by their numbers, which no row has more of than tokens.
    return [Text(ids, [number - words[0] for number in words]), second]


def _padded(rows: list[list[int]], value: int) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


class PairBatches:
    """Rows of text, drawn anew for every step: a pure function of the seed and the step.

    All rows of a batch have the same number of sentences, drawn for the batch, so that little is padded. In
    most of them the last sentence is the second text, right or wrong; the others are one text.

    Args:
        corpus: its training part.
        context_length: the most tokens of a row.
        batch_size: B.
        seed: of the draw.
        max_sentences: of the first text.
        single_text_prob: probability that a row has one text alone.
        may_follow: as in `SentencePairs`.

    Raises:
        InputError: no sentence of the training part follows another one.
    """

    def __init__(
        self,
        corpus: DocumentCorpus,
        context_length: int,
        batch_size: int,
        seed: int,
        *,
        max_sentences: int,
        single_text_prob: float,
        may_follow: Callable[[str, str], bool] | None = None,
    ):
        self.documents, self.tokenizer = corpus.train, corpus.tokenizer
        self.context_length, self.batch_size, self.seed = context_length, batch_size, seed
        self.max_sentences, self.single_text_prob = max_sentences, single_text_prob
        self.pairs = SentencePairs(corpus.train, may_follow)
        if self.pairs.draw(random.Random(seed)) is None:
            raise InputError("no_sentence_pairs", name=corpus.name)

    def rows(self, step: int) -> Rows:
        """The rows of a step."""
        rng = random.Random((self.seed * 1_000_003 + step) % 2**63)
        num_sentences = rng.randint(1, self.max_sentences)
        drawn = [self._row(num_sentences, rng) for _ in range(self.batch_size)]
        return collate(
            [texts for texts, _ in drawn],
            [label for _, label in drawn],
            self.tokenizer,
            self.context_length,
        )

    def _row(self, num_sentences: int, rng: random.Random) -> tuple[tuple[Text, ...], int]:
        if rng.random() < self.single_text_prob:
            first = rng.choice(self.pairs.firsts)
            return (text_before(self.documents, first + 1, num_sentences + 1),), NO_PAIR
        pair = self.pairs.draw(rng)
        assert pair is not None  # there is one, as was tried
        return pair_texts(self.documents, pair, num_sentences)


def text_before(documents: Documents, last: int, num_sentences: int) -> Text:
    """A sentence and those before it in its document, so many in all or as many as there are."""
    return text_of(documents, max(int(documents.first[last]), last + 1 - num_sentences), last + 1)


def pair_texts(documents: Documents, pair: SentencePair, num_sentences: int) -> tuple[tuple[Text, Text], int]:
    """The two texts of a pair, and its label.

    Args:
        documents: of the pair.
        pair: of sentences.
        num_sentences: of the first text, with those before the pair's first.
    """
    first = text_before(documents, pair.first, num_sentences)
    label = FOLLOWS if pair.follows else WRONG
    return (first, text_of(documents, pair.second, pair.second + 1)), label
