"""Figures of pictures, on points and pictures whose figures can be worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.measure import images
from aigc_demo.measure.images import (
    distance_to_real,
    encode,
    frechet_distance,
    image_figures,
    mode_figures,
    nearest,
    precision_recall,
)
from aigc_demo.nets.image_encoder import ImageEncoder, ImageEncoderConfig


def certain(modes: list[int], num_modes: int, prob: float = 0.95) -> Tensor:
    """Probabilities of a classifier that gives each sample's mode `prob` and shares out the rest."""
    probs = torch.full((len(modes), num_modes), (1 - prob) / (num_modes - 1))
    probs[range(len(modes)), modes] = prob
    return probs


def test_modes_by_hand() -> None:
    # 16 samples of 4 modes: a fair share is 4, a quarter of it 1. Mode 3 is there, but never for sure.
    probs = torch.cat((certain([0] * 8 + [1] * 4 + [2] * 2, 4), certain([3, 3], 4, prob=0.85)))
    figures = mode_figures(probs, num_modes=4)
    assert (figures.num_samples, figures.num_modes, figures.counts) == (16, 4, (8, 4, 2, 0))
    assert (figures.num_covered, figures.coverage) == (3, 0.75)
    assert (figures.sure_share, figures.largest_share) == (14 / 16, 0.5)
    shares = [8 / 14, 4 / 14, 2 / 14]
    expected = -sum(share * math.log(share) for share in shares) / math.log(4)
    assert figures.evenness == pytest.approx(expected)
    # An even generator misses one of four modes in 16 draws with probability (3/4)^16.
    assert figures.even_coverage == pytest.approx(1 - 0.75**16)
    assert not figures.collapsed
    assert mode_figures(probs, num_modes=4, sure=0.8).coverage == 1


def test_a_mode_needs_a_quarter_of_its_fair_share() -> None:
    # 80 samples of 4 modes: a fair share is 20, a quarter of it 5; four samples are not enough.
    figures = mode_figures(certain([0] * 30 + [1] * 41 + [2] * 5 + [3] * 4, 4), num_modes=4)
    assert figures.num_covered == 3


def test_even_samples_are_even() -> None:
    figures = mode_figures(certain([0, 1, 2, 3, 4] * 3, 5), num_modes=5)
    assert figures.evenness == pytest.approx(1)
    assert (figures.coverage, figures.collapsed) == (1, False)


@pytest.mark.parametrize(
    ("modes", "num_modes", "alarm"),
    [
        ([0] * 100, 4, True),  # one kind alone
        ([0] * 70 + [1, 2, 3] * 10, 4, True),  # all kinds, but one has more than 62.5 %
        ([0] * 45 + [1, 2, 3] * 10, 4, False),  # 60 %
        ([*range(100)] * 2, 100, False),
        ([*range(40)] * 5, 100, True),  # 40 of 100 kinds, with samples enough for 86
        ([*range(45)], 100, False),  # 45 of 100 kinds, with samples for no more
        ([*range(100)] * 4 + [7] * 120, 100, True),  # one kind with more than 20 fair shares
        ([*range(100)] * 4 + [7] * 90, 100, False),
        ([0] * 9, 1, False),  # there is but one
    ],
)
def test_the_alarm(modes: list[int], num_modes: int, alarm: bool) -> None:
    probs = certain(modes, num_modes) if num_modes > 1 else torch.ones(len(modes), 1)
    assert mode_figures(probs, num_modes=num_modes).collapsed is alarm


def test_pictures_of_nothing_raise_the_alarm() -> None:
    figures = mode_figures(torch.full((50, 5), 0.2), num_modes=5)
    assert (figures.coverage, figures.evenness, figures.sure_share) == (0, 0, 0)
    assert figures.collapsed


@pytest.mark.parametrize("shape", [(0, 4), (3, 5), (4,)])
def test_probabilities_of_other_modes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="for 4 modes"):
        mode_figures(torch.zeros(shape), num_modes=4)


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
    # Copies of one picture are at distance 0 and within 0 of each other.
    copies = torch.full((4, 2), 0.3)
    assert precision_recall(copies, copies) == (1, 1)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = seeded(4)
    real, fake = torch.randn(41, 3, generator=rng), torch.randn(37, 3, generator=rng) + 1
    queries = torch.randint(256, (5, 3, 4, 4), generator=rng, dtype=torch.uint8)
    pictures = torch.randint(256, (23, 3, 4, 4), generator=rng, dtype=torch.uint8)
    whole, found = precision_recall(real, fake), nearest(queries, pictures)
    assert 0.1 < min(whole) <= max(whole) < 0.95
    monkeypatch.setattr(images, "MAX_NUMBERS", 200)
    assert precision_recall(real, fake) == whole
    for part, expected in zip(nearest(queries, pictures), found, strict=True):
        torch.testing.assert_close(part, expected)


def test_features_that_do_not_compare_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 needed"):
        frechet_distance(torch.zeros(1, 3), torch.zeros(9, 3))
    with pytest.raises(ValueError, match="at least 4 needed"):
        precision_recall(torch.zeros(9, 3), torch.zeros(3, 3))
    with pytest.raises(ValueError, match="of shapes"):
        precision_recall(torch.zeros(9, 3), torch.zeros(9, 4))


def test_nearest_picture_by_hand() -> None:
    greys = torch.tensor([10, 100, 104, 250], dtype=torch.uint8)
    pictures = greys[:, None, None, None].repeat(1, 3, 2, 2)
    copy, near = pictures[2].clone(), pictures[1].clone()
    near[:, 0, 0] = 96  # 4 less at one place of four: the root of 16 / 4
    index, distance = nearest(torch.stack((copy, near)), pictures)
    assert (index.tolist(), distance.tolist()) == ([2, 1], [0, 2])


def test_nearest_against_every_pair() -> None:
    rng = seeded(7)
    queries = torch.randint(256, (6, 3, 8, 8), generator=rng, dtype=torch.uint8)
    pictures = torch.randint(256, (50, 3, 8, 8), generator=rng, dtype=torch.uint8)
    pairs = (queries[:, None].double() - pictures[None].double()).square().mean(dim=(2, 3, 4)).sqrt()
    index, distance = nearest(queries, pictures)
    assert index.tolist() == pairs.argmin(dim=1).tolist()
    torch.testing.assert_close(distance.double(), pairs.min(dim=1).values, rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match="of shapes"):
        nearest(queries, pictures[:, :, :4])


def test_an_encoder_sees_the_same_in_batches_of_any_size() -> None:
    torch.manual_seed(0)
    encoder = ImageEncoder(ImageEncoderConfig(num_classes=5, width=8, feature_size=16)).eval()
    pictures = torch.randint(256, (7, 3, 32, 32), generator=seeded(2), dtype=torch.uint8)
    features, probs = encode(encoder, pictures, batch_size=3)
    assert probs is not None
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(7))
    with torch.no_grad():
        expected = encoder(pictures / 127.5 - 1).softmax(dim=-1)
    torch.testing.assert_close(probs, expected, atol=1e-5, rtol=1e-4)
    assert features.shape == (7, 16)


def test_all_figures_of_one_model() -> None:
    real, fake = torch.randn(20, 4, generator=seeded(0)), torch.randn(16, 4, generator=seeded(1))
    figures = image_figures(real, fake, certain([0, 1] * 8, 2))
    assert (figures.num_real, figures.num_generated) == (20, 16)
    assert (figures.precision, figures.recall) == precision_recall(real, fake)
    assert figures.frechet_distance == frechet_distance(real, fake)
    assert figures.modes is not None and figures.modes.counts == (8, 8)
    assert image_figures(real, fake).modes is None


def test_readable_is_what_is_near_and_sure() -> None:
    # Between the real ones 1 (four times), 2 (three times), 3 (twice) and 4: the median is 2.
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0]])
    fake = torch.tensor([[0.5], [1.75], [3.0], [10.0], [4.6], [4.8]])
    probs = torch.tensor([[0.95, 0.05], [0.6, 0.4], [0.1, 0.9], [0.05, 0.95], [0.97, 0.03], [0.99, 0.01]])
    figures = image_figures(real, fake, probs)
    # The second is not sure, the fourth is far, the last is 0.8 / 2 away, the one before it 0.6 / 2.
    assert figures.readable is not None
    assert (figures.readable.num_samples, figures.readable.counts) == (3, (2, 1))
    assert figures.readable_share == 0.5
    assert figures.modes is not None and figures.modes.counts == (3, 2)
    nothing = image_figures(real, fake + 50, probs)
    assert (nothing.readable, nothing.readable_share, nothing.verdict) == (None, 0, "no_images")


def test_distance_to_the_real_by_hand() -> None:
    # Between the real ones 2, 6 and 8: the median is 6.
    real = torch.tensor([[0.0], [2.0], [8.0]])
    fake = torch.tensor([[2.0], [-3.0], [5.0], [20.0]])
    assert distance_to_real(real, fake).tolist() == pytest.approx([0, 0.5, 0.5, 2])
    same = torch.zeros(3, 1)
    assert distance_to_real(same, same).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="at least 2"):
        distance_to_real(real[:1], fake)
