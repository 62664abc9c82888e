"""Charts of recipes that nobody has heard of yet: a recipe names its own curves."""

from dataclasses import replace

import pytest

from aigc_demo.core.events import CheckpointSaved, RunFinished, StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs import watch
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.training.recipe import Curve, Line
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui import charts
from aigc_demo.ui.train.handlers import _Outputs

CURVES = (
    Curve(
        "game",
        (Line("forger", "step", "generator_loss"), Line("critic", "step", "discriminator_loss")),
    ),
    Curve("images_per_second", (Line("images_per_second", "step", "images_per_second", smooth=True),), True),
)


@pytest.fixture
def view(tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "game", replace(RECIPES["dcgan"], curves=CURVES))
    monkeypatch.setattr(watch, "REFRESH_SECONDS", 0.0)
    run = RunDirectory(tmp_path / "a-game")
    run.create({"recipe": "game", "settings": {}})
    for step in (1, 2, 3):
        metrics = {"generator_loss": 0.7 + step, "discriminator_loss": 1.4, "images_per_second": 10.0 * step}
        run.append(StepDone(step, 2.0, metrics))
    run.append(CheckpointSaved(3, "checkpoints/step-000003"))
    run.append(RunFinished(3, "finished"))
    return RunWatches(RunQueue(tmp_path)).view("a-game")


def of_line(chart, name):
    return [
        (step, value) for step, value, line in chart["value"]["data"] if line == name and value is not None
    ]


def test_a_recipes_own_curves_are_drawn_and_the_other_charts_hidden(view):
    _, first, second, *others = _Outputs("en", logarithmic=True).of(view, False, taken=False, slow=True)
    assert of_line(first, "forger") == [(1, 1.7), (2, 2.7), (3, 3.7)], "a game has no logarithms"
    assert of_line(first, "critic") == [(1, 1.4), (2, 1.4), (3, 1.4)]
    assert [step for step, _ in of_line(first, "checkpoint")] == [3, 3], (
        "the stroke stands on the first chart"
    )
    assert of_line(second, "images_per_second")[0] == (1, 1.0)
    assert second["y_title"] == "log10"
    assert of_line(second, "checkpoint") == []
    assert [chart["visible"] for chart in others[: charts.MOST_CHARTS - 2]] == [False] * (
        charts.MOST_CHARTS - 2
    )
    assert first["label"] != second["label"]


def test_a_chart_that_stays_keeps_what_it_shows_when_gradio_has_taken_the_value_out(view):
    outputs = _Outputs("en", logarithmic=False)
    first = outputs.of(view, False, taken=False, slow=True)
    values = [chart.pop("value") for chart in first[1:3]]  # as gradio does before it compares
    again = outputs.of(view, False, taken=False, slow=False)
    assert [chart.get("value") for chart in again[1:3]] == values
    assert [chart["label"] for chart in again[1:3]] == [chart["label"] for chart in first[1:3]]


def test_a_line_of_one_point_is_a_dash_as_it_could_not_be_seen_otherwise():
    curve = CURVES[0]
    rows = [(0, 5.1, "critic"), (1, 2.0, "forger"), (2, 1.5, "forger")]
    data = charts.chart_update(curve, rows, "en")["value"]["data"]
    assert data[:2] == [[0, None, "forger"], [1, 5.1, "critic"]]
    again = charts.chart_update(curve, [*rows, (2, 4.0, "critic")], "en")["value"]["data"]
    assert again[: len(data)] == [[0, None, "forger"], [0, None, "critic"], *data[2:]], "what was sent stays"
