"""GANs by visitor: each has one, idle ones are removed, bad arguments are refused."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from aigc_demo.core.errors import InputError
from aigc_demo.nets.options import GAN_LOSSES
from aigc_demo.studio.images import step_by_step_gan
from aigc_demo.studio.images.step_by_step_gan import StepByStepSessions, StepRequest, loss_curves
from aigc_demo.studio.models.cancellation import new_ticket
from aigc_demo.training.gan import step_by_step


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock, monkeypatch):
    few = step_by_step_gan.ImageSettings(num_pictures=32, validation_fraction=0.0)
    monkeypatch.setattr(step_by_step_gan, "IMAGES", few)
    return StepByStepSessions(limit=2, idle_minutes=5, clock=clock)


def test_words_are_those_of_the_rooms_below():
    assert step_by_step_gan.UPDATED_NETWORKS == step_by_step.UPDATED_NETWORKS
    assert step_by_step_gan.TWIN_LOSSES == step_by_step.TWIN_LOSSES
    assert StepRequest.__dataclass_fields__["loss"].metadata["choices"] == GAN_LOSSES


def test_a_gan_goes_on_where_it_was(sessions):
    ticket = new_ticket()
    start = sessions.reset(ticket, seed=4, loss="hinge")
    assert (start.inspection.num_steps, start.history, start.seed) == (0, (), 4)
    assert start.inspection.before is None
    first = sessions.step(ticket, updates="discriminator", loss="hinge")
    second = sessions.step(ticket, updates="both", times=10, loss="hinge")
    assert [step.step for step in second.history] == list(range(1, 12))
    assert [step.updated for step in second.history[:2]] == ["discriminator", "both"]
    assert second.history[0] == first.history[0]
    assert first.history[0].gradient_norm is None
    assert second.history[1].gradient_norm > 0


def test_a_first_press_starts_a_gan_from_its_seed(sessions):
    one, two = new_ticket(), new_ticket()
    pressed = sessions.step(one, seed=9, updates="generator")
    sessions.reset(two, seed=9)
    assert pressed.history == sessions.step(two, updates="generator", seed=1).history


def test_each_visitor_has_a_gan_of_their_own(sessions):
    one, two = new_ticket(), new_ticket()
    sessions.step(one, times=10)
    assert sessions.step(two).inspection.num_steps == 1
    assert sessions.step(one).inspection.num_steps == 11


def test_presses_at_the_same_moment_take_turns(sessions):
    ticket = new_ticket()
    sessions.reset(ticket, seed=1)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: sessions.step(ticket, times=10), range(4)))
    at_once = sessions.step(ticket).history
    sessions.reset(ticket, seed=1)
    for _ in range(4):
        sessions.step(ticket, times=10)
    assert at_once == sessions.step(ticket).history


def test_a_gan_is_idle_from_the_end_of_a_press_on(sessions, clock):
    ticket = new_ticket()
    with sessions._session(ticket):
        clock.now = 4 * 60  # so long did its steps take
    clock.now = 9 * 60 - 1
    assert sessions.count() == 1
    clock.now = 9 * 60 + 1
    assert sessions.count() == 0


def test_an_idle_gan_is_removed_and_the_next_press_says_so(sessions, clock):
    ticket = new_ticket()
    sessions.step(ticket)
    clock.now = 4 * 60
    assert sessions.step(ticket).inspection.num_steps == 2
    clock.now = 9 * 60 + 1
    assert sessions.count() == 0
    with pytest.raises(InputError) as refused:
        sessions.step(ticket)
    assert refused.value.key == "step_by_step_put_away"
    assert str(refused.value) == (
        "Your GAN was removed, because nothing was pressed for 5 minutes or 2 others came; press New GAN."
    )
    assert sessions.reset(ticket).inspection.num_steps == 0
    assert sessions.step(ticket).inspection.num_steps == 1


def test_the_one_that_moved_longest_ago_makes_room(sessions):
    first, second, third = (new_ticket() for _ in range(3))
    sessions.step(first)
    sessions.step(second)
    sessions.step(first)
    sessions.step(third)
    assert sessions.count() == 2
    assert sessions.step(first).inspection.num_steps == 3
    with pytest.raises(InputError, match="was removed"):
        sessions.step_twins(second)


def test_twins_go_in_lockstep(sessions):
    ticket = new_ticket()
    assert sessions.reset_twins(ticket, seed=2).history == {"minimax": (), "non-saturating": ()}
    state = sessions.step_twins(ticket, times=10)
    assert {len(steps) for steps in state.history.values()} == {10}
    first = [steps[0] for steps in state.history.values()]
    assert first[0].fake_prob == first[1].fake_prob
    assert first[0].gradient_norm != first[1].gradient_norm
    assert len(sessions.step_twins(ticket, times=1).history["minimax"]) == 11
    assert sessions.reset_twins(ticket, seed=2).seed == 2
    assert sessions.step_twins(ticket).history["minimax"] == state.history["minimax"][:1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"updates": "nobody"},
        {"updates": ["both"]},
        {"times": 7},
        {"times": 1.5},
        {"times": math.nan},
        {"times": True},
        {"loss": "wasserstein"},
        {"generator_rate": math.nan},
        {"generator_rate": -1e-3},
        {"discriminator_rate": 0.011},
        {"discriminator_rate": "fast"},
        {"seed": -1},
        {"seed": 2**31},
        {"seed": None},
        {"speed": 1},
    ],
)
def test_what_does_not_fit_is_refused_and_takes_no_seat(sessions, wrong):
    with pytest.raises(InputError):
        sessions.step(new_ticket(), **wrong)
    with pytest.raises(InputError):
        sessions.step_twins(new_ticket(), **wrong)
    assert sessions.count() == 0


def test_a_new_gan_checks_its_arguments(sessions):
    for wrong in (math.inf, "a", 0.5):
        with pytest.raises(InputError):
            sessions.reset(new_ticket(), seed=wrong)
        with pytest.raises(InputError):
            sessions.reset_twins(new_ticket(), seed=wrong)
    with pytest.raises(InputError):
        sessions.reset(new_ticket(), loss="l2")


def test_a_gan_does_not_train_for_ever(sessions, monkeypatch):
    monkeypatch.setattr(step_by_step_gan, "MOST_STEPS", 10)
    ticket = new_ticket()
    sessions.step(ticket, times=10)
    with pytest.raises(InputError, match="at most 10 steps"):
        sessions.step(ticket, times=1)


def test_curves_meet_where_both_losses_have_the_same_slope():
    curves = loss_curves()
    middle = {loss: points[len(points) // 2] for loss, points in curves.items()}
    assert middle["minimax"] == pytest.approx((0.5, -math.log(2), -0.5))
    assert middle["non-saturating"] == pytest.approx((0.5, math.log(2), -0.5))
    assert all(math.isfinite(number) for points in curves.values() for point in points for number in point)


def test_initial_weights_do_not_come_from_torch_s_own_stream(sessions):
    torch.manual_seed(0)
    one = sessions.step(new_ticket(), seed=3).history
    torch.manual_seed(1)
    assert sessions.step(new_ticket(), seed=3).history == one
