"""The step-by-step GAN: values by hand, which network is updated, twins, and the gradient at each pixel."""

import math

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.nets.images.adversarial import generator_loss
from aigc_demo.nets.options import GAN_LOSSES
from aigc_demo.training.gan import step_by_step
from aigc_demo.training.gan.step_by_step import (
    StepByStepGan,
    TwinGans,
    figures_by_probs,
    figures_by_scores,
    generator_curve,
    pixel_gradient,
)

LOG2 = math.log(2)
RATE = 2e-4


@pytest.fixture(scope="module")
def images():
    """One red square and one blue one, in 20 shades."""
    drawn = torch.full((40, 3, 32, 32), 240, dtype=torch.uint8)
    for place in range(40):
        drawn[place, place % 2 * 2, 8:24, 8:24] = place
    return drawn


@pytest.fixture
def gan(images):
    return StepByStepGan(images, seed=3)


def weights(network):
    return [weight.detach().clone() for weight in network.state_dict().values()]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("loss", "expected_D", "expected_G"),
    [("minimax", 2 * LOG2, -LOG2), ("non-saturating", 2 * LOG2, LOG2), ("hinge", 2.0, 0.0)],
)
def test_a_blind_discriminator_is_worth_minus_2_log_2_both_ways(loss, expected_D, expected_G):
    blind = torch.zeros(5)
    for figures in (figures_by_scores(blind, blind, loss), figures_by_probs([0.5] * 5, [0.5] * 3, loss)):
        assert figures.mean_log_real == pytest.approx(-LOG2)
        assert figures.mean_log_fake == pytest.approx(-LOG2)
        assert figures.value == pytest.approx(-2 * LOG2)
        assert figures.discriminator_loss == pytest.approx(expected_D)
        assert figures.generator_loss == pytest.approx(expected_G, abs=1e-7)


def test_the_formula_with_numbers_that_a_hand_can_follow():
    figures = figures_by_probs([0.5, 0.25], [0.5, 0.75], "non-saturating")
    assert figures.mean_log_real == pytest.approx(-1.5 * LOG2), "log 1/2 and log 1/4"
    assert figures.mean_log_fake == pytest.approx(-1.5 * LOG2), "log 1/2 and log 1/4 again"
    assert figures.discriminator_loss == pytest.approx(3 * LOG2)
    assert figures.generator_loss == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)
    assert figures_by_probs([0.5], [0.75], "minimax").generator_loss == pytest.approx(-2 * LOG2)
    assert figures_by_probs([1.0], [0.0], "minimax").value == 0
    assert figures_by_probs([0.5], [1.0], "minimax").value == -math.inf


@pytest.mark.parametrize("loss", GAN_LOSSES)
def test_both_computations_agree_after_some_steps(gan, loss):
    for _ in range(3):
        gan.step("both", loss, RATE, RATE)
    inspection = gan.inspect(loss)
    by_scores, by_probs = vars(inspection.by_scores), vars(inspection.by_probs)
    assert by_scores == pytest.approx(by_probs, abs=1e-5)
    assert inspection.by_scores.value == pytest.approx(
        inspection.by_scores.mean_log_real + inspection.by_scores.mean_log_fake
    )
    assert (
        len(inspection.real_probs)
        == len(inspection.fake_probs)
        == len(inspection.real_BCHW)
        == step_by_step.BATCH_SIZE
    )


def test_only_the_one_that_moves_changes(gan):
    before = weights(gan.generator), weights(gan.discriminator)
    gan.step("discriminator", "minimax", RATE, RATE)
    after_D = weights(gan.generator), weights(gan.discriminator)
    assert same(before[0], after_D[0])
    assert not same(before[1], after_D[1])
    step = gan.step("generator", "minimax", RATE, RATE)
    after_G = weights(gan.generator), weights(gan.discriminator)
    assert not same(after_D[0], after_G[0])
    assert same(after_D[1], after_G[1])
    assert step.gradient_norm > 0
    gan.inspect("minimax")
    assert same(after_G[0], weights(gan.generator)) and same(after_G[1], weights(gan.discriminator))


def test_each_side_moves_the_value_its_own_way_on_the_batch_it_saw(gan):
    start = gan.inspect("minimax")
    gan.step("discriminator", "minimax", RATE, RATE)
    after_D = gan.inspect("minimax")
    assert after_D.before == start.by_scores, "the batch on the table is the one that the step is taken with"
    assert torch.equal(after_D.real_BCHW, start.real_BCHW)
    assert after_D.by_scores.value > start.by_scores.value
    gan.step("generator", "minimax", RATE, RATE)
    after_G = gan.inspect("minimax")
    assert after_G.by_scores.value < after_G.before.value


def test_both_is_the_one_after_the_other(images):
    """With G looking at D after its move: the gradient is that of the new D."""
    at_once, one_by_one = StepByStepGan(images, seed=1), StepByStepGan(images, seed=1)
    at_once.step("both", "hinge", RATE, RATE)
    one_by_one.step("discriminator", "hinge", RATE, RATE)
    one_by_one.num_steps = 0  # the same batch again
    one_by_one.step("generator", "hinge", RATE, RATE)
    assert same(weights(at_once.generator), weights(one_by_one.generator))
    assert same(weights(at_once.discriminator), weights(one_by_one.discriminator))


def test_a_seed_repeats_its_training_and_another_seed_does_not(images):
    first, again, other = (StepByStepGan(images, seed) for seed in (5, 5, 6))
    for gan in (first, again, other):
        gan.step("both", "minimax", RATE, RATE)
    assert same(weights(first.generator), weights(again.generator))
    assert not same(weights(first.generator), weights(other.generator))


@pytest.mark.parametrize("loss", GAN_LOSSES)
def test_heat_map_is_the_gradient_by_every_pixel(gan, loss):
    discriminator = gan.discriminator
    pixels = gan.generator(gan.batch(0)[1]).detach()[:3]
    scores, gradient = pixel_gradient(discriminator, pixels, loss)
    assert gradient.shape == pixels.shape
    assert torch.equal(scores, discriminator(pixels).detach())
    expected = torch.autograd.functional.jacobian(lambda x: generator_loss(discriminator(x), loss), pixels)
    torch.testing.assert_close(gradient, expected)


def test_heat_map_of_a_look_sums_the_channels(gan):
    inspection = gan.inspect("non-saturating")
    noise = gan.batch(0)[1]
    fake = gan.generator(noise)
    fake.retain_grad()
    generator_loss(gan.discriminator(fake), "non-saturating").backward()
    torch.testing.assert_close(inspection.gradient_BHW, fake.grad.abs().sum(dim=1))
    assert inspection.gradient_BHW.max() > 0


def test_twins_begin_alike_and_see_the_same(images):
    twins = TwinGans(images, seed=2)
    minimax, other = twins.gans["minimax"], twins.gans["non-saturating"]
    assert same(weights(minimax.generator), weights(other.generator))
    assert same(weights(minimax.discriminator), weights(other.discriminator))
    steps = twins.step(RATE, RATE)
    # Their discriminators have one loss, so until G has updated nothing tells them apart.
    assert same(weights(minimax.discriminator), weights(other.discriminator))
    assert not same(weights(minimax.generator), weights(other.generator))
    assert steps["minimax"].fake_prob == steps["non-saturating"].fake_prob
    for step in range(3):
        assert all(torch.equal(a, b) for a, b in zip(minimax.batch(step), other.batch(step), strict=True))
    assert not torch.equal(minimax.batch(0)[1], minimax.batch(1)[1])


def test_the_gradient_of_the_minimax_twin_fades_where_the_other_one_s_does_not(images):
    twins = TwinGans(images, seed=0)
    for _ in range(25):
        steps = twins.step(RATE, 2e-3)
    minimax, other = steps["minimax"], steps["non-saturating"]
    assert minimax.fake_prob < 0.1
    assert minimax.gradient_norm < other.gradient_norm / 5


def test_curves_of_the_losses_by_hand():
    ((_, minimax, slope),) = generator_curve("minimax", [0.25])
    assert (minimax, slope) == pytest.approx((math.log(0.75), -0.25))
    ((_, other, slope),) = generator_curve("non-saturating", [0.25])
    assert (other, slope) == pytest.approx((2 * LOG2, -0.75))


def test_numbers_that_are_no_longer_finite_end_the_training(gan):
    with torch.no_grad():
        gan.discriminator.score.weight.fill_(math.inf)
    with pytest.raises(InputError, match="lower learning rates"):
        gan.step("discriminator", "minimax", RATE, RATE)
    with pytest.raises(InputError, match="lower learning rates"):
        gan.inspect("minimax")
