"""How good are drawn images: are all kinds there, are they like the real ones, are they copies?

Features come from a network of this project (`nets/image_encoder.py`), so distances compare between
models measured with the same network, and not with figures from papers, which used Inception's.
"""

# Shapes: N images or real ones, M generated ones, Q queries, K modes, F features of an image, S rows
# and columns, D numbers of an image (3 S S).

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from aigc_demo.nets.image_encoder import ImageEncoder

SURE = 0.9
# An even generator of 144 kinds reaches 3 fair shares by chance, not 20.
MANY_FAIR_SHARES = 20
# An image counts as readable up to this distance to a real one (`distance_to_real`), and a generator as
# drawing from this share of readable images on. With the shipped classifier noise, plain colours, blurred
# drawings and a GAN's first 500 steps leave at most 31 % of them, a trained GAN 60 % (docs/experiments.md).
MOST_DISTANCE = 0.35
FEWEST_READABLE = 0.4
TINY = 1e-12
PAIRS_OF = 1000  # real images whose distances to each other are looked at
# Coverage below these parts of an even generator's: collapsed, or some kinds are missing.
COLLAPSED_BELOW, DROPPED_BELOW = 0.5, 0.8
Verdict = Literal["no_images", "collapsed", "dropped", "spread"]
# Numbers of one chunk of a table of distances (64 MiB in float32).
MAX_NUMBERS = 16 * 2**20


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


@dataclass(frozen=True)
class ImageFigures:
    """Figures of generated images against real ones; they depend on how many of both there are.

    Attributes:
        num_real: images held out.
        num_generated: images of the model.
        frechet_distance: of their features, 0 for the same distribution (`frechet_distance`).
        precision: share of the generated that lie among the real (`precision_recall`).
        recall: share of the real that lie among the generated.
        modes: how they spread over the kinds of image; None where kinds are not known.
        readable: the same of the readable ones alone: the classifier is sure of their kind, and they are
            near a real image (`distance_to_real`); None where there are none.
        near_share: share of the generated that are near a real image; None where kinds are not known.
    """

    num_real: int
    num_generated: int
    frechet_distance: float
    precision: float
    recall: float
    modes: ModeFigures | None = None
    readable: ModeFigures | None = None
    near_share: float | None = None

    @property
    def readable_share(self) -> float:
        """Share of the generated images that are readable."""
        return 0.0 if self.readable is None else self.readable.num_samples / self.num_generated

    @property
    def verdict(self) -> Verdict | None:
        """How a generator's images spread over the kinds; None where kinds are not known.

        no_images: too few of them are readable, as before it has learned to draw; it has not collapsed.
        collapsed: the readable ones show few kinds. dropped: some kinds are missing. spread: neither.
        """
        if self.modes is None:
            return None
        if self.readable is None or self.readable_share < FEWEST_READABLE:
            return "no_images"
        if self.readable.collapsed:
            return "collapsed"
        missing = self.readable.coverage < DROPPED_BELOW * self.readable.even_coverage
        return "dropped" if missing else "spread"


def image_figures(real_NF: Tensor, fake_MF: Tensor, probs_MK: Tensor | None = None) -> ImageFigures:
    """All figures at once.

    Args:
        real_NF: features of real images, held out from training.
        fake_MF: features of generated ones.
        probs_MK: the generated ones' probability of each mode, if a classifier knows the modes.

    Raises:
        ValueError: there are too few images to compare.
    """
    precision, recall = precision_recall(real_NF, fake_MF)
    modes = readable = near_share = None
    if probs_MK is not None:
        modes = mode_figures(probs_MK, num_modes=probs_MK.shape[1])
        near_M = distance_to_real(real_NF, fake_MF) <= MOST_DISTANCE
        near_share = near_M.float().mean().item()
        both = probs_MK[near_M & (probs_MK.amax(1) >= SURE)]
        readable = mode_figures(both, num_modes=probs_MK.shape[1]) if len(both) else None
    return ImageFigures(
        num_real=len(real_NF),
        num_generated=len(fake_MF),
        frechet_distance=frechet_distance(real_NF, fake_MF),
        precision=precision,
        recall=recall,
        modes=modes,
        readable=readable,
        near_share=near_share,
    )


@torch.inference_mode()
def encode(encoder: ImageEncoder, images: Tensor, batch_size: int = 256) -> tuple[Tensor, Tensor | None]:
    """What an encoder sees in images.

    Args:
        encoder: in evaluation mode, on any device.
        images: uint8 [N, 3, S, S].
        batch_size: images at once.

    Returns:
        Features [N, F], and the probability of each class [N, K] or None where it names none; both
        float32 on the CPU.
    """
    device = next(encoder.parameters()).device
    parts = [encoder.features(part.to(device).float() / 127.5 - 1) for part in images.split(batch_size)]
    features_NF = torch.cat(parts)
    named = encoder.config.num_classes > 0
    return features_NF.cpu(), encoder.project(features_NF).softmax(dim=-1).cpu() if named else None


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


def frechet_distance(real_NF: Tensor, fake_MF: Tensor) -> float:
    """How far apart two sets of features are, each seen as a normal distribution.

    |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), with means m and covariances C, by torchmetrics in
    float64. With few images it comes out too large: compare figures of the same N and M only.

    Args:
        real_NF: features of real images.
        fake_MF: of generated ones.

    Returns:
        0 for equal means and covariances, and no upper bound.

    Raises:
        ValueError: a set has fewer than two images, or the numbers of features differ.

    Source:
        Heusel et al. 2017, arXiv:1706.08500, eq. 6, there on Inception's features.
    """
    _check_features(real_NF, fake_MF, at_least=2)
    from torchmetrics.image.fid import FrechetInceptionDistance  # takes seconds: transformers comes with it

    as_they_are = torch.nn.Identity()
    as_they_are.num_features = real_NF.shape[1]  # type: ignore[assignment]
    metric = FrechetInceptionDistance(feature=as_they_are)
    # Both moved by the same: the distance stays, and a sum of squares keeps the digits of a variance.
    middle_F = real_NF.double().mean(dim=0)
    metric.update(real_NF.double() - middle_F, real=True)
    metric.update(fake_MF.double() - middle_F, real=False)
    return max(0.0, metric.compute().item())


def precision_recall(real_NF: Tensor, fake_MF: Tensor, k: int = 3) -> tuple[float, float]:
    """Share of generated images that lie among the real, and of real ones among the generated.

    A point lies among a set if some point of the set has it within the distance to its own k-th
    neighbour in that set. Distances are counted out, not by the faster sum of squares, so that
    an image equal to another is at distance 0.

    Args:
        real_NF: features of real images.
        fake_MF: of generated ones.
        k: which neighbour; the point itself does not count.

    Returns:
        Precision and recall, both in [0, 1].

    Raises:
        ValueError: a set has no k-th neighbours, or the numbers of features differ.

    Source:
        Kynkaanniemi et al. 2019, arXiv:1904.06991, eq. 1 and 2.
    """
    _check_features(real_NF, fake_MF, at_least=k + 1)
    precision = _share_among(real_NF, _neighbour_distance(real_NF, k), fake_MF)
    return precision, _share_among(fake_MF, _neighbour_distance(fake_MF, k), real_NF)


def distance_to_real(real_NF: Tensor, fake_MF: Tensor) -> Tensor:
    """How far each generated image is from the nearest real one, the real ones' own distances being 1.

    Unlike precision it hardly depends on how many real images there are, and it tells a drawing with wrong
    details from what is no drawing: both have precision 0.

    Args:
        real_NF: features of real images.
        fake_MF: of generated ones.

    Returns:
        [M], in medians of the distance between two real images.

    Raises:
        ValueError: there are fewer than two real ones, or the numbers of features differ.
    """
    _check_features(real_NF, fake_MF, at_least=1)
    _check_features(real_NF, real_NF, at_least=2)
    some_PF = real_NF[:: -(-len(real_NF) // PAIRS_OF)]
    pair_PP = _distances(some_PF, some_PF)
    usual = pair_PP[~torch.eye(len(some_PF), dtype=torch.bool)].median().clamp_min(TINY)
    parts = fake_MF.split(max(1, MAX_NUMBERS // len(real_NF)))
    return torch.cat([_distances(part, real_NF).amin(1) for part in parts]) / usual


def _check_features(real_NF: Tensor, fake_MF: Tensor, at_least: int) -> None:
    if real_NF.shape[1:] != fake_MF.shape[1:] or min(len(real_NF), len(fake_MF)) < at_least:
        shapes = f"{tuple(real_NF.shape)} and {tuple(fake_MF.shape)}"
        raise ValueError(f"features of shapes {shapes}, at least {at_least} needed")


def _distances(rows_F: Tensor, columns_F: Tensor) -> Tensor:
    return torch.cdist(rows_F, columns_F, compute_mode="donot_use_mm_for_euclid_dist")


def _neighbour_distance(points_NF: Tensor, k: int) -> Tensor:
    """[N], how far each point's k-th neighbour is; the nearest of all is the point itself."""
    parts = points_NF.split(max(1, MAX_NUMBERS // len(points_NF)))
    return torch.cat([_distances(part, points_NF).kthvalue(k + 1, dim=1).values for part in parts])


def _share_among(points_NF: Tensor, radius_N: Tensor, asked_MF: Tensor) -> float:
    parts = asked_MF.split(max(1, MAX_NUMBERS // len(points_NF)))
    inside = sum(int((_distances(part, points_NF) <= radius_N).any(dim=1).sum()) for part in parts)
    return inside / len(asked_MF)


@torch.inference_mode()
def nearest(queries: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """The image that comes nearest to each query, pixel by pixel: has the generator copied it?

    |q - p|^2 = |q|^2 - 2 q p + |p|^2, so that all pairs are one matrix product; the distance of the pair
    that is found is then counted out.

    Args:
        queries: uint8 [Q, 3, S, S].
        images: uint8 [N, 3, S, S], those that the model was trained on.

    Returns:
        Index [Q] of the nearest, and the root of the mean square difference [Q] in steps of 255 (0: the
        same image), float32.

    Raises:
        ValueError: the sizes differ, or there is no image.
    """
    if queries.shape[1:] != images.shape[1:] or not len(images):
        raise ValueError(f"pictures of shapes {tuple(queries.shape)} and {tuple(images.shape)}")
    asked_QD = _as_rows(queries)
    best_Q = torch.full((len(queries),), math.inf)
    index_Q = torch.zeros(len(queries), dtype=torch.int64)
    at_once = max(1, MAX_NUMBERS // max(asked_QD.shape[1], len(queries)))
    for start in range(0, len(images), at_once):
        part_ND = _as_rows(images[start : start + at_once])
        # |q|^2 is the same for all images and left out.
        distance_QN = part_ND.square().sum(dim=1) - 2 * asked_QD @ part_ND.T
        least_Q, place_Q = distance_QN.min(dim=1)
        index_Q = torch.where(least_Q < best_Q, place_Q + start, index_Q)
        best_Q = torch.minimum(least_Q, best_Q)
    difference_QD = asked_QD - _as_rows(images[index_Q])
    return index_Q, difference_QD.square().mean(dim=1).sqrt()


def _as_rows(images: Tensor) -> Tensor:
    """[N, D] float32, the middle grey at 0, so that squares stay small."""
    return images.flatten(1).float() - 128
