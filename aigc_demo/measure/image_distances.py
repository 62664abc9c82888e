"""How far are images from each other: sets of them by an encoder's features, single ones pixel by pixel?

Features come from a network of this project (`nets/images/image_encoder.py`), so distances compare between
models measured with the same network, and not with figures from papers, which used Inception's.
"""

# Shapes: N images or real ones, M generated ones, Q queries, F features of an image, S rows and columns,
# P real images of pairs, D numbers of an image (3 S S).

import math

import torch
from torch import Tensor

TINY = 1e-12
PAIRS_OF = 1000  # real images whose distances to each other are looked at
# Numbers of one chunk of a table of distances (64 MiB in float32).
MAX_NUMBERS = 16 * 2**20


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
        raise ValueError(f"images of shapes {tuple(queries.shape)} and {tuple(images.shape)}")
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
