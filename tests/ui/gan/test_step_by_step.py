"""The panel of the step-by-step GAN: what a press leads to, and what is drawn of it."""

import base64
import io
import math
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from aigc_demo.studio.images import step_by_step_gan
from aigc_demo.studio.images.step_by_step_gan import StepByStepSessions
from aigc_demo.studio.models.cancellation import new_ticket
from aigc_demo.ui.gan import step_by_step_view
from aigc_demo.ui.gan.step_by_step import StepByStepHandlers
from aigc_demo.ui.gan.step_by_step_view import MOST_POINTS, heat_map, shown_prob

CHINESE = SimpleNamespace(cookies={"lang": "zh-CN"}, headers={})
RATES = (2e-4, 2e-4)


@pytest.fixture(scope="module")
def sessions():
    kept = step_by_step_gan.IMAGES
    step_by_step_gan.IMAGES = step_by_step_gan.ImageSettings(num_pictures=32, validation_fraction=0.0)
    yield StepByStepSessions(limit=4)
    step_by_step_gan.IMAGES = kept


@pytest.fixture
def handlers(sessions):
    return StepByStepHandlers(sessions)


def asked(times=1, loss="minimax", rates=RATES, seed=0):
    return (times, loss, *rates, seed)


def test_a_press_fills_in_the_formula_the_numbers_and_the_images(handlers, sessions):
    ticket = new_ticket()
    handlers.step_both(None, ticket, *asked(10))
    formula, board, course = handlers.step_discriminator(None, ticket, *asked())
    inspection = sessions.reset(
        new_ticket(), 0, "minimax"
    ).inspection  # the same seed, no step old: other numbers
    assert board["state"]["en"].startswith("Steps so far: 11.")
    cells = {row["name"]["en"]: row["cells"] for row in board["rows"]}
    before, now, plain, difference = cells["their sum, V(D, G)"]
    assert now == plain
    assert now != before
    assert float(difference) < 1e-5
    assert now != f"{inspection.by_scores.value:.6f}".replace("-", "−")
    value = float(now.replace("−", "-"))
    assert f"= {value:.4f}" in formula
    assert formula.count("$$") == 2
    real, fake, heat = board["strips"]
    assert [len(strip["tiles"]) for strip in (real, fake, heat)] == [16, 16, 16]
    first = real["tiles"][0]
    assert first["name"]["en"] == f"real picture 1, D(x) = {first['text']}"
    assert rf"\log {first['text']}+" in formula, "the number under the image is the one in the formula"
    lengths = [len(line["points"]) for chart in course["charts"] for line in chart["series"]]
    assert lengths == [11, 11, 11, 11]


def test_sheets_hold_the_very_pixels(sessions):
    inspection = sessions.reset(new_ticket(), 3).inspection
    board = step_by_step_view.board(sessions.reset(new_ticket(), 3))
    kind, data = board["strips"][0]["sheet"].split(",")
    assert kind == "data:image/png;base64"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    expected = np.concatenate(list(np.asarray(inspection.real_BCHW)), axis=2).transpose(1, 2, 0)
    assert np.array_equal(pixels, expected)


def test_heat_map_is_dark_grey_orange_and_yellow():
    white = np.full((1, 3, 1, 3), 255, np.uint8)
    cold, warm, hot = heat_map(white, np.array([[[0.0, 0.5, 1.0]]]))[0, :, 0].T.tolist()
    assert cold == [89, 89, 89], "0.35 of white"
    assert warm == [255, 90, 0]
    assert hot == [255, 230, 128]


@pytest.mark.parametrize(
    ("loss", "of_D", "of_G"),
    [
        ("minimax", "L_D &= -V(D,G)", r"L_G &= \tfrac1{16}\sum_i\log\bigl(1-D(G(z_i))\bigr)"),
        ("non-saturating", "L_D &= -V(D,G)", r"L_G &= -\tfrac1{16}\sum_i\log D(G(z_i))"),
        ("hinge", r"\max\bigl(0,1-s(x_i)\bigr)", r"L_G &= -\tfrac1{16}\sum_i s(G(z_i))"),
    ],
)
def test_each_loss_has_its_formula(handlers, loss, of_D, of_G):
    formula, board, course = handlers.new_gan(None, new_ticket(), loss, 1)
    assert of_D in formula
    assert of_G in formula
    assert formula.count("{") == formula.count("}")
    assert [row["cells"][0] for row in board["rows"]] == [""] * 5, "nothing was before"
    assert not any(line["points"] for chart in course["charts"] for line in chart["series"])


def test_twins_are_drawn_on_their_curves(handlers):
    ticket = new_ticket()
    before = handlers.new_twins(None, ticket, 0)["charts"]
    assert [line["mark"] for chart in before for line in chart["series"]] == [None] * 8
    loss, slope, against, over = handlers.step_twins(None, ticket, 10, *RATES, 0)["charts"]
    for chart, term in ((loss, lambda p: -math.log(p)), (slope, lambda p: p - 1)):
        line = chart["series"][0]
        assert line["name"]["en"].startswith("non-saturating")
        assert line["mark"] in line["points"]
        prob, value = line["mark"]
        assert value == pytest.approx(term(prob), rel=1e-3)
    assert [len(line["points"]) for line in against["series"] + over["series"]] == [10] * 4
    last = against["series"][0]["points"][-1]
    assert loss["series"][0]["mark"][0] == pytest.approx(last[0], abs=0.003)
    assert against["x_log"] and against["y_log"]


def test_a_long_training_is_drawn_with_few_points(sessions):
    ticket = new_ticket()
    state = sessions.step(ticket)
    step = state.history[0]
    history = tuple(type(step)(**{**vars(step), "step": number}) for number in range(1, 5001))
    chart = step_by_step_view.course(step_by_step_gan.GanState(state.inspection, history, 0))["charts"][0]
    steps = [point[0] for point in chart["series"][0]["points"]]
    assert len(steps) <= MOST_POINTS + 1
    assert (steps[0], steps[-1]) == (1, 5000)
    assert steps == sorted(steps)


def test_probabilities_near_0_and_1_keep_their_size():
    assert [shown_prob(prob) for prob in (0.0, 2e-5, 0.25, 1 - 3e-5, 1.0)] == [
        "0",
        "2e-05",
        "0.250",
        "1−3e-05",
        "1",
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (asked(times=7), "times 必须是以下之一：1, 10, 50，得到的是 7。"),
        (asked(loss="l2"), "loss 必须是以下之一：non-saturating, minimax, hinge，得到的是 l2。"),
        (asked(rates=(math.nan, 0)), "generator_rate 必须是一个数，得到的是 nan。"),
        (asked(rates=(0, None)), "discriminator_rate 必须是一个数，得到的是 None。"),
        (asked(seed=-1), "seed 必须不小于 0，得到的是 -1。"),
    ],
)
def test_what_does_not_fit_is_a_sentence_in_the_reader_s_language(handlers, values, sentence):
    with pytest.raises(gr.Error) as refused:
        handlers.step_both(CHINESE, new_ticket(), *values)
    assert refused.value.message == sentence


def test_each_ticket_has_a_gan_of_its_own(handlers):
    mine = new_ticket()
    handlers.step_both(None, mine, *asked())
    _, other, _ = handlers.step_both(None, new_ticket(), *asked())
    _, board, _ = handlers.step_generator(None, mine, *asked())
    assert other["state"]["en"].startswith("Steps so far: 1.")
    assert board["state"]["en"].startswith("Steps so far: 2.")


def test_a_gan_that_was_removed_says_so(handlers):
    mine = new_ticket()
    handlers.step_both(None, mine, *asked())
    for _ in range(4):
        handlers.new_gan(None, new_ticket(), "minimax", 0)
    with pytest.raises(gr.Error, match="was removed"):
        handlers.step_both(None, mine, *asked())
    with pytest.raises(gr.Error, match="GAN 已被移除"):
        handlers.step_twins(CHINESE, mine, 1, *RATES, 0)
    assert handlers.new_gan(None, mine, "minimax", 0)[1]["state"]["en"].startswith("Steps so far: 0.")
