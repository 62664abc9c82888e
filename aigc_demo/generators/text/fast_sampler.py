"""The sampler that generation runs: the rules of `sampling` in an order and a form chosen for speed.

Each step gives the token that `sampling.next_token_probs` and `sampling.UniformStream` give. What it gains is
measured by benchmarks/speed_tricks.py.
"""

# Shapes: V vocabulary, K kept tokens, in descending order of probability.

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from aigc_demo.generators.text.sampling import SamplingSettings, UniformStream, with_banned, with_min_p

# How many of the most probable tokens are sorted first where top-p alone decides: sorting 50,000 tokens takes
# 3 ms, the first 64 of them 0.05 ms, and they nearly always suffice.
NUM_FIRST = 64


class Sampler:
    """Draws tokens by the settings, the same ones as `next_token_probs` with the stream.

    The time of a step does not grow with the text, and the whole vocabulary is sorted only where the most
    probable tokens are not enough.

    Args:
        settings: which rules, how strong, and the seed.
        vocab_size: V.
        banned: ids that are never drawn.
    """

    def __init__(self, settings: SamplingSettings, vocab_size: int, banned: Sequence[int] = ()):
        self._settings = settings
        self._stream = UniformStream(settings.seed)
        self._banned = with_banned(torch.zeros(vocab_size), banned) if banned else None
        penalised = settings.repetition_penalty != 1
        self._penalty = torch.ones(vocab_size) if penalised else None

    def see(self, ids: Iterable[int]) -> None:
        """Apply the repetition penalty to these tokens from now on."""
        if self._penalty is not None:
            for index in ids:
                self._penalty[index] = self._settings.repetition_penalty

    def choose(self, logits: Tensor, index: int) -> int:
        """Draw token number `index` of the text.

        Args:
            logits: [V], float32 on the CPU, as the model gave them.
            index: which row of the stream is used.
        """
        if self._penalty is not None:
            logits = torch.where(logits < 0, logits * self._penalty, logits / self._penalty)
        if self._banned is not None:
            logits = logits + self._banned
        if self._settings.temperature == 0 or self._settings.top_p == 0:
            return int(logits.argmax())
        logits = logits / self._settings.temperature
        if not (self._settings.top_k or self._settings.top_p < 1 or self._settings.min_p):
            return int((logits + self._stream.gumbels(index, len(logits))).argmax())
        values, ids = self._kept(logits)
        return int(ids[(values + self._stream.gumbels(index, len(logits), ids)).argmax()])

    def _kept(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and ids of the tokens that top-k, top-p and min-p keep; [K] each."""
        if self._settings.top_k or self._settings.top_p < 1:
            values, ids = self._ranked_and_kept(logits)
        else:
            values, ids = logits, torch.arange(len(logits))
        if not self._settings.min_p:
            return values, ids
        kept = with_min_p(values, self._settings.min_p) != -math.inf  # NaN stays, so that it is noticed
        return values[kept], ids[kept]

    def _ranked_and_kept(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Those that top-k and top-p keep, in descending order."""
        k, p, size = self._settings.top_k, self._settings.top_p, len(logits)
        if k:
            values, ids = _ranked(logits, min(k, size))
            return (values, ids) if p >= 1 else _nucleus(values, ids, values.logsumexp(0), p)
        total = logits.logsumexp(0)
        for num_first in (NUM_FIRST, 16 * NUM_FIRST):
            ranked, ranked_ids = _ranked(logits, min(num_first, size))
            values, ids = _nucleus(ranked, ranked_ids, total, p)
            if len(values) < len(ranked):
                return values, ids
        return _nucleus(*logits.sort(descending=True, stable=True), total, p)


def _ranked(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Logits and ids of the `count` largest and of those equal to the last; of equal ones the first id first.

    Many logits are equal where a network computes in bfloat16, and `topk` alone takes any of those.
    """
    least = logits.topk(count).values[-1]
    ids = (~(logits < least)).nonzero().flatten()  # NaN is kept, so that it is drawn and noticed
    values, order = logits[ids].sort(descending=True, stable=True)
    return values, ids[order]


def _nucleus(values: Tensor, ids: Tensor, total: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """Those with a cumulative probability below p before them; `total` is the logsumexp of all candidates."""
    probs = (values - total).exp()
    kept = int((probs.cumsum(0) - probs < p).sum())
    return values[: max(kept, 1)], ids[: max(kept, 1)]
