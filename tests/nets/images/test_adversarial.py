"""The generator's losses image by image, and their gradients, against autograd and by hand."""

import math

import pytest
import torch

from aigc_demo.nets.images.adversarial import (
    discriminator_loss,
    generator_gradients,
    generator_loss,
    generator_terms,
    matching_terms,
    r1_penalty,
    value_terms,
)
from aigc_demo.nets.options import GAN_LOSSES

SCORES = torch.tensor([-30.0, -2.0, 0.0, 0.5, 30.0], dtype=torch.float64)


@pytest.mark.parametrize("kind", GAN_LOSSES)
def test_gradients_are_the_derivatives_of_the_terms(kind):
    score = SCORES.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(generator_terms(score, kind).sum(), score)
    torch.testing.assert_close(generator_gradients(SCORES, kind), expected)
    assert generator_loss(SCORES, kind) == generator_terms(SCORES, kind).mean()


def test_gradients_where_the_discriminator_is_sure_and_where_it_is_fooled():
    sure = torch.tensor([-math.log(999)])  # D(G(z)) = 0.001
    assert generator_gradients(sure, "minimax").item() == pytest.approx(-0.001)
    assert generator_gradients(sure, "non-saturating").item() == pytest.approx(-0.999)
    assert generator_gradients(sure, "hinge").item() == -1
    assert generator_gradients(-sure, "minimax").item() == pytest.approx(-0.999)


def test_value_is_what_the_discriminator_makes_large():
    real, fake = torch.tensor([0.0, math.log(3)]), torch.tensor([0.0, -math.log(3)])
    terms = value_terms(real, fake)
    expected = (math.log(0.5) + math.log(0.75)) / 2
    assert [term.item() for term in terms] == pytest.approx([expected, expected])
    assert -sum(terms).item() == pytest.approx(discriminator_loss(real, fake, "minimax").item())


def test_a_loss_that_is_not_there_is_named():
    for call in (generator_terms, generator_gradients):
        with pytest.raises(ValueError, match="no loss named 'wasserstein'"):
            call(SCORES, "wasserstein")


def log_sigmoid(score: float) -> float:
    return -math.log1p(math.exp(-score))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.25])
def test_what_the_discriminator_makes_small_by_hand(smoothing: float):
    """One-sided: it is the real ones alone that count as real by 1 - s."""
    real, fake, wrong = [1.5, -0.5, 3.0], [-2.0, 0.25, 4.0], [0.5, -1.0, 2.0]
    scores = [torch.tensor(part) for part in (real, fake, wrong)]
    real_term = -sum((1 - smoothing) * log_sigmoid(s) + smoothing * log_sigmoid(-s) for s in real) / 3
    fake_term, wrong_term = (-sum(log_sigmoid(-s) for s in part) / 3 for part in (fake, wrong))
    for kind in ("minimax", "non-saturating"):
        loss = discriminator_loss(*scores[:2], kind, smoothing)
        assert loss.item() == pytest.approx(real_term + fake_term, rel=1e-5)
        terms = [term.item() for term in matching_terms(*scores, kind, smoothing)]
        assert terms == pytest.approx([real_term, fake_term / 2, wrong_term / 2], rel=1e-5)
    # Hinge has no smoothing: max(0, 1 - s) of 1.5, -0.5 and 3; max(0, 1 + s) of the others.
    assert discriminator_loss(*scores[:2], "hinge", smoothing).item() == pytest.approx(1.5 / 3 + 6.25 / 3)
    terms = [term.item() for term in matching_terms(*scores, "hinge", smoothing)]
    assert terms == pytest.approx([1.5 / 3, 6.25 / 6, 4.5 / 6])


def test_the_penalty_is_the_mean_of_squared_gradients():
    """Of score w . x + x_0^2 / 2 the gradient at x is w, and x_0 more in its first pixel."""
    weight = torch.arange(12.0).reshape(3, 2, 2) / 4
    weight.requires_grad_()

    def discriminator(x_BCHW: torch.Tensor) -> torch.Tensor:
        return (x_BCHW * weight).sum(dim=(1, 2, 3)) + x_BCHW[:, 0, 0, 0] ** 2 / 2

    real = torch.zeros(2, 3, 2, 2)
    real[1, 0, 0, 0] = 3.0
    rest = sum((index / 4) ** 2 for index in range(1, 12))
    penalty = r1_penalty(discriminator, real)
    assert penalty.item() == pytest.approx(rest + (0 + 9) / 2)
    (gradient,) = torch.autograd.grad(penalty, weight)
    expected = 2 * weight.detach()
    expected[0, 0, 0] += 3.0  # 2 (w_0 + x_0), the mean over 0 and 3
    torch.testing.assert_close(gradient, expected)
