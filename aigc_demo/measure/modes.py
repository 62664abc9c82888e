"""How do generated images spread over the kinds of image that there are?"""

# Shapes: N images, K modes.

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SURE = 0.9
# An even generator of 144 kinds reaches 3 fair shares by chance, not 20.
MANY_FAIR_SHARES = 20
# Coverage below this part of an even generator's: collapsed.
COLLAPSED_BELOW = 0.5


@dataclass(frozen=True)
class ModeFigures:
    """How samples spread over the kinds of image that there are; shares are between 0 and 1.

    Attributes:
        num_samples: N, images looked at.
        num_modes: K, kinds that there are.
        counts: [K], samples of each kind of which the classifier is sure.
        num_covered: kinds that have at least a quarter of their fair share of the samples (N / K / 4, and
            at least one).
        even_coverage: the coverage that a generator without favourites would have with so few samples.
    """

    num_samples: int
    num_modes: int
    counts: tuple[int, ...]
    num_covered: int
    even_coverage: float

    @property
    def coverage(self) -> float:
        """Share of the kinds that are covered."""
        return self.num_covered / self.num_modes

    @property
    def sure_share(self) -> float:
        """Share of the samples of whose kind the classifier is sure."""
        return sum(self.counts) / self.num_samples

    @property
    def largest_share(self) -> float:
        """Share of all samples that the kind with the most of them has."""
        return max(self.counts) / self.num_samples

    @property
    def evenness(self) -> float:
        """Entropy of the sure samples over the kinds, divided by log K: 1 where all are alike, 0 for one."""
        total = sum(self.counts)
        if total == 0 or self.num_modes == 1:
            return float(total > 0)
        nats = -math.fsum(count / total * math.log(count / total) for count in self.counts if count)
        return nats / math.log(self.num_modes)

    @property
    def collapsed(self) -> bool:
        """Whether the samples show few kinds, whatever they look like; see `ImageFigures.verdict`.

        So where less than half of the kinds are covered that an even generator would cover with so many
        samples, or where one kind has more than 20 fair shares of them (where there are few kinds: more
        than half way from its fair share to everything).
        """
        too_much = min(MANY_FAIR_SHARES / self.num_modes, (1 + 1 / self.num_modes) / 2)
        return self.coverage < COLLAPSED_BELOW * self.even_coverage or self.largest_share > too_much


def mode_figures(probs_NK: Tensor, *, num_modes: int, sure: float = SURE) -> ModeFigures:
    """Count which kinds of image a generator makes.

    Args:
        probs_NK: for each sample, the probability of every mode.
        num_modes: K.
        sure: a sample counts for its likeliest mode at this probability or above.

    Raises:
        ValueError: there are no samples, or not K probabilities for each.
    """
    if probs_NK.dim() != 2 or probs_NK.shape[0] < 1 or probs_NK.shape[1] != num_modes:
        raise ValueError(f"probabilities of shape {tuple(probs_NK.shape)} for {num_modes} modes")
    num_samples = len(probs_NK)
    highest_N, mode_N = probs_NK.max(dim=-1)
    counts = torch.bincount(mode_N[highest_N >= sure], minlength=num_modes).tolist()
    needed = max(1, math.ceil(num_samples / num_modes / 4))
    return ModeFigures(
        num_samples=num_samples,
        num_modes=num_modes,
        counts=tuple(counts),
        num_covered=sum(count >= needed for count in counts),
        even_coverage=_at_least(needed, num_samples, 1 / num_modes),
    )


def _at_least(needed: int, num_trials: int, prob: float) -> float:
    """Probability of at least so many hits in independent draws."""
    if prob == 1:
        return float(num_trials >= needed)
    fewer = (
        math.lgamma(num_trials + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(num_trials - hits + 1)
        + hits * math.log(prob)
        + (num_trials - hits) * math.log1p(-prob)
        for hits in range(needed)
    )
    return 1 - math.fsum(map(math.exp, fewer))
