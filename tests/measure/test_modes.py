"""How samples spread over modes, on samples whose figures can be worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from aigc_demo.measure.modes import mode_figures


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


def test_images_of_nothing_raise_the_alarm() -> None:
    figures = mode_figures(torch.full((50, 5), 0.2), num_modes=5)
    assert (figures.coverage, figures.evenness, figures.sure_share) == (0, 0, 0)
    assert figures.collapsed


@pytest.mark.parametrize("shape", [(0, 4), (3, 5), (4,)])
def test_probabilities_of_other_modes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="for 4 modes"):
        mode_figures(torch.zeros(shape), num_modes=4)
