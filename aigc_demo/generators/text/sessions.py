"""Incremental reading with a window that slides when the context is full.

What a network must offer for this is a `Reader`; ours and transformers' networks each have one (`ours.py`,
`library.py`), so both slide, branch and are called in the same way. The reader owns the key-value cache.
"""

# Shapes: B texts side by side (1, or the beams of a search), T tokens, V vocabulary.

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Reader(Protocol):
    """A network with its key-value cache."""

    def read(self, ids_BT: Tensor) -> Tensor:
        """Read T more tokens of each of the B texts; logits of the next one, [B, V], float32, on the CPU."""

    def select(self, rows_B: Tensor) -> None:
        """Keep these texts of the batch, repeats allowed."""

    def forget(self) -> None:
        """Clear the cache."""


def window_start(length: int, context_length: int) -> int:
    """Start of the model's window in a text that may be longer than its context.

    When the context is full, the last half of it is kept and read again. The place depends on the length
    of the text alone, not on how it came to be that long.

    Args:
        length: tokens in the text.
        context_length: the most that the model can look at, at least 2.

    Returns:
        The number of tokens before the window; 0 while the text fits.
    """
    step = context_length - context_length // 2
    return max(0, math.ceil((length - context_length) / step)) * step


class Session:
    """The state of one text, or of the beams of a search as a batch.

    A context that is full slides (`window_start`), which costs one reading of half a context.

    Args:
        reader: the network, with nothing read yet.
        ids: the text's tokens so far, at least one.
        context_length: the most that the network can look at.

    Raises:
        ValueError: there is no token to start from.
    """

    def __init__(self, reader: Reader, ids: Sequence[int], context_length: int):
        if not ids:
            raise ValueError("a session starts from at least one token")
        self._reader = reader
        self._context_length = context_length
        self._texts = [list(ids)]
        self._begin = 0
        self._logits_BV = self._reread()

    @property
    def logits(self) -> Tensor:
        """Logits of the next token, [V], float32, on the CPU."""
        return self._logits_BV[0]

    @property
    def logits_BV(self) -> Tensor:
        """Logits of the next token of each beam, [B, V]."""
        return self._logits_BV

    @torch.inference_mode()
    def push(self, index: int) -> None:
        """Read one more token."""
        self._texts[0].append(index)
        if len(self._texts[0]) - self._begin > self._context_length:
            self._logits_BV = self._reread()
        else:
            self._logits_BV = self._reader.read(torch.tensor([[index]]))

    @torch.inference_mode()
    def branch(self, parents: Sequence[int], ids: Sequence[int]) -> None:
        """Extend beam `parents[b]` by the token `ids[b]`, for each new beam b."""
        self._texts = [[*self._texts[parent], index] for parent, index in zip(parents, ids, strict=True)]
        if len(self._texts[0]) - self._begin > self._context_length:
            self._logits_BV = self._reread()
            return
        self._reader.select(torch.tensor(parents))
        self._logits_BV = self._reader.read(torch.tensor(ids)[:, None])

    @torch.inference_mode()
    def _reread(self) -> Tensor:
        """Read the window that is due at this length from its beginning."""
        self._reader.forget()
        self._begin = window_start(len(self._texts[0]), self._context_length)
        return self._reader.read(torch.tensor([text[self._begin :] for text in self._texts]))
