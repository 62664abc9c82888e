"""Captions as the token ids that CLIP's text encoder reads: start and end token added, cut and padded."""

# Shapes: M texts, T tokens.

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from aigc_demo.generators.pretrained.tokenizer import PretrainedTokenizer


class CaptionTokens:
    """The tokens of captions.

    Args:
        tokenizer: a CLIP's.
        config: of its text encoder: how many places it has, and which tokens begin and end a text where the
            tokenizer does not say.
    """

    def __init__(self, tokenizer: PretrainedTokenizer, config: Any):
        self._encode = tokenizer.encode
        self.length = int(config.max_position_embeddings)
        vocab_size = int(config.vocab_size)
        first, last = tokenizer.bos_id, tokenizer.eos_id
        self.first = first if first is not None else (config.bos_token_id or vocab_size - 2)
        self.last = last if last is not None else (config.eos_token_id or vocab_size - 1)
        self.padding = tokenizer.pad_id if tokenizer.pad_id is not None else self.last

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text with start and end token, truncated."""
        return [[self.first, *self._encode(text)[: self.length - 2], self.last] for text in texts]

    def padded(self, texts: Sequence[str]) -> Tensor:
        """The ids of texts, int64 [M, T], padded to the context length T of the text encoder."""
        return self.filled(self.rows(texts), self.length)

    def filled(self, rows: Sequence[Sequence[int]], length: int) -> Tensor:
        """Rows of ids padded to a length T, int64 [M, T]."""
        return torch.tensor([[*row, *[self.padding] * (length - len(row))] for row in rows])
