"""Distances of sets of features and of images, on points that can be worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.measure import image_distances
from aigc_demo.measure.image_distances import distance_to_real, frechet_distance, nearest, precision_recall


def with_figures(mean: list[float], deviation: list[float], count: int) -> Tensor:
    """Points whose mean and (diagonal) covariance are exactly these."""
    points = torch.randn(count, len(mean), generator=seeded(len(mean) + count), dtype=torch.float64)
    points -= points.mean(dim=0)
    points = torch.linalg.qr(points).Q * math.sqrt(count - 1)
    return points * torch.tensor(deviation) + torch.tensor(mean)


def test_frechet_distance_of_two_known_distributions() -> None:
    # Diagonal covariances: |m1 - m2|^2 + sum of (s1 - s2)^2, = (4 + 0 + 1) + (4 + 0 + 6.25).
    real = with_figures([1.0, 0.0, -2.0], [1.0, 2.0, 3.0], 31)
    fake = with_figures([3.0, 0.0, -1.0], [3.0, 2.0, 0.5], 17)
    assert frechet_distance(real, fake) == pytest.approx(15.25, rel=1e-6)
    assert frechet_distance(fake, real) == pytest.approx(15.25, rel=1e-6)


def test_frechet_distance_keeps_its_digits_far_from_zero() -> None:
    real = with_figures([1e5, 1e5], [1.0, 2.0], 31)
    fake = with_figures([1e5, 1e5], [1.5, 2.0], 29)
    assert frechet_distance(real, fake) == pytest.approx(0.25, rel=1e-5)
    # Farther still, where a sum of squares alone would lose the variance.
    far = torch.tensor([1e7, -1e7], dtype=torch.float64)
    assert frechet_distance(real - 1e5 + far, fake - 1e5 + far) == pytest.approx(0.25, rel=1e-5)


def test_frechet_distance_to_itself_is_zero() -> None:
    # Fewer points than features, and one feature that never fires: covariances without an inverse.
    points = torch.randn(11, 24, generator=seeded(0))
    points[:, 5] = 0
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(points, points.flip(0)) == pytest.approx(0, abs=1e-5)


def test_precision_and_recall_by_hand() -> None:
    # Distances to the first neighbour, real: 1, 1, 2; generated: 2, 2, 5.
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[-4.0], [-2.0], [3.0]])
    # -4 and -2 lie outside [-1, 5], which the real ones span. Of the real, 0 lies within 2 of -2, 3 on
    # 3, and 1 within 5 of 3.
    precision, recall = precision_recall(real, fake, k=1)
    assert (precision, recall) == (pytest.approx(1 / 3), 1)
    # By the second neighbour, real: 3, 2, 3 (they span [-3, 6]).
    assert precision_recall(real, fake, k=2)[0] == pytest.approx(2 / 3)


def test_a_model_that_makes_one_kind_is_precise_and_recalls_little() -> None:
    # Ten real kinds far apart, three points each; the generated ones are all of the first.
    kinds = torch.arange(10.0)[:, None, None] * 100
    real = (kinds + torch.tensor([[0.0], [1.0], [2.0]])).flatten(0, 1)
    fake = torch.tensor([[0.5], [1.0], [1.5], [0.2]])
    assert precision_recall(real, fake, k=2) == (1, pytest.approx(0.1))
    assert precision_recall(real, real, k=2) == (1, 1)
    # Copies of one image are at distance 0 and within 0 of each other.
    copies = torch.full((4, 2), 0.3)
    assert precision_recall(copies, copies) == (1, 1)


@pytest.mark.parametrize("most", [200, 3])  # 3: fewer than there are points, so one is taken at a time
def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    rng = seeded(4)
    real, fake = torch.randn(41, 3, generator=rng), torch.randn(37, 3, generator=rng) + 1
    queries = torch.randint(256, (5, 3, 4, 4), generator=rng, dtype=torch.uint8)
    images = torch.randint(256, (23, 3, 4, 4), generator=rng, dtype=torch.uint8)
    whole, found = precision_recall(real, fake), nearest(queries, images)
    near = distance_to_real(real, fake)
    assert 0.1 < min(whole) <= max(whole) < 0.95
    monkeypatch.setattr(image_distances, "MAX_NUMBERS", most)
    assert precision_recall(real, fake) == whole
    torch.testing.assert_close(distance_to_real(real, fake), near)
    for part, expected in zip(nearest(queries, images), found, strict=True):
        torch.testing.assert_close(part, expected)


def test_features_that_do_not_compare_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 needed"):
        frechet_distance(torch.zeros(1, 3), torch.zeros(9, 3))
    with pytest.raises(ValueError, match="at least 4 needed"):
        precision_recall(torch.zeros(9, 3), torch.zeros(3, 3))
    with pytest.raises(ValueError, match="of shapes"):
        precision_recall(torch.zeros(9, 3), torch.zeros(9, 4))


def test_nearest_image_by_hand() -> None:
    greys = torch.tensor([10, 100, 104, 250], dtype=torch.uint8)
    images = greys[:, None, None, None].repeat(1, 3, 2, 2)
    copy, near = images[2].clone(), images[1].clone()
    near[:, 0, 0] = 96  # 4 less at one place of four: the root of 16 / 4
    index, distance = nearest(torch.stack((copy, near)), images)
    assert (index.tolist(), distance.tolist()) == ([2, 1], [0, 2])


def test_nearest_against_every_pair() -> None:
    rng = seeded(7)
    queries = torch.randint(256, (6, 3, 8, 8), generator=rng, dtype=torch.uint8)
    images = torch.randint(256, (50, 3, 8, 8), generator=rng, dtype=torch.uint8)
    pairs = (queries[:, None].double() - images[None].double()).square().mean(dim=(2, 3, 4)).sqrt()
    index, distance = nearest(queries, images)
    assert index.tolist() == pairs.argmin(dim=1).tolist()
    torch.testing.assert_close(distance.double(), pairs.min(dim=1).values, rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match="of shapes"):
        nearest(queries, images[:, :, :4])


def test_distance_to_the_real_by_hand() -> None:
    # Between the real ones 2, 6 and 8: the median is 6.
    real = torch.tensor([[0.0], [2.0], [8.0]])
    fake = torch.tensor([[2.0], [-3.0], [5.0], [20.0]])
    assert distance_to_real(real, fake).tolist() == pytest.approx([0, 0.5, 0.5, 2])
    same = torch.zeros(3, 1)
    assert distance_to_real(same, same).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="at least 2"):
        distance_to_real(real[:1], fake)
