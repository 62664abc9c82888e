"""The generator's losses picture by picture, and their slopes, against autograd and by hand."""

import math

import pytest
import torch

from aigc_demo.nets.adversarial import (
    LOSSES,
    discriminator_loss,
    generator_loss,
    generator_slopes,
    generator_terms,
    value_terms,
)

SCORES = torch.tensor([-30.0, -2.0, 0.0, 0.5, 30.0], dtype=torch.float64)


@pytest.mark.parametrize("kind", LOSSES)
def test_slopes_are_the_derivatives_of_the_terms(kind):
    score = SCORES.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(generator_terms(score, kind).sum(), score)
    torch.testing.assert_close(generator_slopes(SCORES, kind), expected)
    assert generator_loss(SCORES, kind) == generator_terms(SCORES, kind).mean()


def test_slopes_where_the_discriminator_is_sure_and_where_it_is_fooled():
    sure = torch.tensor([-math.log(999)])  # D(G(z)) = 0.001
    assert generator_slopes(sure, "minimax").item() == pytest.approx(-0.001)
    assert generator_slopes(sure, "non-saturating").item() == pytest.approx(-0.999)
    assert generator_slopes(sure, "hinge").item() == -1
    assert generator_slopes(-sure, "minimax").item() == pytest.approx(-0.999)


def test_value_is_what_the_discriminator_makes_large():
    real, fake = torch.tensor([0.0, math.log(3)]), torch.tensor([0.0, -math.log(3)])
    terms = value_terms(real, fake)
    expected = (math.log(0.5) + math.log(0.75)) / 2
    assert [term.item() for term in terms] == pytest.approx([expected, expected])
    assert -sum(terms).item() == pytest.approx(discriminator_loss(real, fake, "minimax").item())


def test_a_loss_that_is_not_there_is_named():
    for call in (generator_terms, generator_slopes):
        with pytest.raises(ValueError, match="no loss named 'wasserstein'"):
            call(SCORES, "wasserstein")
