"""Ways through the noise that images are made from."""

import math

import pytest
import torch

from aigc_demo.generators.images.latents import arithmetic, latents, spherical


def test_a_latent_hangs_on_its_own_seed_alone():
    together = latents([3, 4, 5], 7)
    assert together.shape == (3, 7)
    assert torch.equal(latents([4], 7)[0], together[1])
    assert not torch.equal(together[0], together[1])


def test_a_quarter_of_a_circle_in_three_steps():
    way = spherical(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 3)
    half = math.sqrt(0.5)
    torch.testing.assert_close(way, torch.tensor([[1.0, 0.0], [half, half], [0.0, 1.0]]))


def test_the_way_keeps_the_length_that_latents_have():
    way = spherical(*latents([1, 2], 100), 9)
    lengths = way.norm(dim=1)
    straight = torch.lerp(*latents([1, 2], 100), torch.tensor(0.5)).norm()
    assert lengths.min() > 0.9 * min(lengths[0], lengths[-1])
    assert straight < 0.8 * lengths.min()


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_along_one_direction_the_way_is_straight(factor: float):
    start = torch.tensor([3.0, 4.0])
    way = spherical(start, factor * start, 5)
    torch.testing.assert_close(way[2], start * (1 + factor) / 2)


def test_a_way_of_one_step_is_none():
    with pytest.raises(ValueError, match="2 steps"):
        spherical(torch.ones(2), torch.zeros(2), 1)


def test_arithmetic_of_means_at_the_usual_length():
    # (1, 1) - (0, 1) + (0, 2) = (1, 2), brought to the length of the square root of 2.
    minuend = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    found = arithmetic(minuend, torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.0], [0.0, 3.0]]))
    torch.testing.assert_close(found, torch.tensor([1.0, 2.0]) * math.sqrt(2 / 5))
    zero = torch.zeros(1, 2)
    assert torch.equal(arithmetic(zero, zero, zero), zero[0])


def test_between_vectors_of_one_direction_the_way_is_straight_and_goes_from_the_first_to_the_second():
    from_Z, to_Z = torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0])
    assert spherical(from_Z, to_Z, 5)[:, 0].tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
