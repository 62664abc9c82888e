"""Batches of sources and answers for an encoder-decoder."""

# Shapes: B pairs of a batch, S tokens of the longest source, T tokens of the longest answer.

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.data.text.answer_pairs import AnswerCorpus, AnswerPair, EncodedPair, encode_pair, spread
from aigc_demo.data.text.tokenizer import IntArray

IGNORED = -100
"""In place of the next token at padding."""


@dataclass(frozen=True)
class AnswerBatch:
    """Sources and answers, padded at the right.

    Attributes:
        source_BS: `<start> text <sep>`, or two texts.
        source_mask_BS: True at tokens, False at padding.
        segments_BS: 0 up to the first separator, then 1.
        target_BT: what the decoder reads: the start token and the answer (teacher forcing).
        next_BT: what it is to predict: the answer and `<sep>`; -100 at padding.
    """

    source_BS: Tensor
    source_mask_BS: Tensor
    segments_BS: Tensor
    target_BT: Tensor
    next_BT: Tensor

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in this order."""
        return self.source_BS, self.source_mask_BS, self.segments_BS, self.target_BT, self.next_BT

    @property
    def num_predicted(self) -> int:
        """Tokens to predict, without padding."""
        return int((self.next_BT != IGNORED).sum())

    @property
    def num_tokens(self) -> int:
        """Tokens of sources and answers, without padding."""
        return int(self.source_mask_BS.sum()) + self.num_predicted


def collate(pairs: Sequence[EncodedPair], padding_id: int) -> AnswerBatch:
    """Put pairs side by side.

    Args:
        pairs: at least one.
        padding_id: fills up shorter ones.
    """
    source_BS = _padded([pair.source for pair in pairs], padding_id)
    lengths_B = torch.tensor([len(pair.source) for pair in pairs])
    return AnswerBatch(
        source_BS,
        torch.arange(source_BS.shape[1]) < lengths_B[:, None],
        _padded([pair.segments for pair in pairs], 0),
        _padded([pair.target[:-1] for pair in pairs], padding_id),
        _padded([pair.target[1:] for pair in pairs], IGNORED),
    )


def _padded(rows: Sequence[IntArray], value: int) -> Tensor:
    tensors = [torch.from_numpy(row) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)


class AnswerBatches:
    """Pairs, drawn anew for every step: a pure function of the seed and the step.

    Args:
        corpus: its training and its held-out part.
        lengths: the most tokens of a source and of an answer; pairs with more are left out.
        batch_size: B.
        seed: of the draw.
    """

    def __init__(self, corpus: AnswerCorpus, lengths: tuple[int, int], batch_size: int, seed: int):
        self.corpus, self.lengths = corpus, lengths
        self.batch_size, self.seed = batch_size, seed

    def batch(self, step: int) -> AnswerBatch:
        """The pairs of a step."""
        rng = random.Random((self.seed * 1_000_003 + step) % 2**63)
        pairs = [self._drawn(rng) for _ in range(self.batch_size)]
        return collate(pairs, self.corpus.tokenizer.padding_id)

    def _drawn(self, rng: random.Random) -> EncodedPair:
        """One that is not too long; there are some, as the preparation found."""
        while True:
            pair = self._encoded(self.corpus.train[rng.randrange(len(self.corpus.train))])
            if pair.fits(*self.lengths):
                return pair

    def held_out(self, most: int) -> list[AnswerPair]:
        """So many held-out pairs, spread evenly, the same ones each time, without those that are too long."""
        return [
            pair for pair in spread(self.corpus.validation, most) if self._encoded(pair).fits(*self.lengths)
        ]

    def validation(self, most: int) -> Iterator[AnswerBatch]:
        """Batches of `held_out`."""
        pairs = self.held_out(most)
        for begin in range(0, len(pairs), self.batch_size):
            encoded = [self._encoded(pair) for pair in pairs[begin : begin + self.batch_size]]
            yield collate(encoded, self.corpus.tokenizer.padding_id)

    def _encoded(self, pair: AnswerPair) -> EncodedPair:
        return encode_pair(pair, self.corpus.tokenizer)
