"""Rows of text to train on."""

# Shapes: B rows of a batch, T tokens of a row.

import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.data.text.corpus import TextCorpus


class Batches:
    """Rows of text, drawn anew for every step: a pure function of the seed and the step.

    So a resumed run gets the rows that it would have had, and two processes share one batch by each taking
    its rows.

    Args:
        corpus: encoded text.
        context_length: T.
        batch_size: B.
        seed: of the draw.
        paragraph_start_prob: probability that a row begins where a paragraph begins, after the start token:
            that teaches the model to start from nothing. The other rows begin anywhere.

    Raises:
        InputError: the text is shorter than a row.
    """

    def __init__(
        self,
        corpus: TextCorpus,
        context_length: int,
        batch_size: int,
        seed: int,
        paragraph_start_prob: float = 0.125,
    ):
        self.ids, self.start_id = corpus.train, corpus.tokenizer.start_id
        self.paragraph_start_prob = paragraph_start_prob
        self.context_length, self.batch_size, self.seed = context_length, batch_size, seed
        shortest = min(len(corpus.train) - 1, len(corpus.validation))
        if shortest < 9:
            raise InputError("too_little_text_at_all", got=len(corpus.train) + len(corpus.validation))
        if shortest < context_length:
            raise InputError(
                "too_little_text",
                got=len(corpus.train) + len(corpus.validation),
                context_length=context_length,
                possible=shortest,
            )
        self.starts = corpus.paragraph_starts[corpus.paragraph_starts <= len(self.ids) - context_length]

    def rows(self, step: int) -> tuple[Tensor, Tensor]:
        """Input and target tokens of a step, [B, T] each."""
        rng = seeded((self.seed * 1_000_003 + step) % 2**63)
        T, B = self.context_length, self.batch_size
        place_B = torch.randint(len(self.ids) - T, (B,), generator=rng)
        begins_B = torch.rand(B, generator=rng) < self.paragraph_start_prob
        if len(self.starts):
            paragraph_B = self.starts[torch.randint(len(self.starts), (B,), generator=rng)]
            # The row's first target is the paragraph's first token, so it is read from one before.
            place_B = torch.where(begins_B, paragraph_B - 1, place_B)
        index_BT = place_B[:, None] + torch.arange(T)
        input_BT = self.ids[index_BT.clamp(min=0)]
        if len(self.starts):
            input_BT[begins_B, 0] = self.start_id
        return input_BT, self.ids[index_BT + 1]
