"""A run as its viewers see it, from records made by hand."""

import json
import math
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    ValidationDone,
)
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs import watch
from aigc_demo.studio.runs.chart_lines import MOST_POINTS
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.run_view import differing_settings, logarithms
from aigc_demo.studio.runs.state import last_event
from aigc_demo.studio.runs.watch import RunWatches


@pytest.fixture(autouse=True)
def at_once(monkeypatch) -> None:
    monkeypatch.setattr(watch, "REFRESH_SECONDS", 0.0)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "a-run")
    run.create({"recipe": "gpt", "steps": 100, "minutes": None, "settings": {}})
    return run


@pytest.fixture
def watches(tmp_path: Path) -> RunWatches:
    return RunWatches(RunQueue(tmp_path))


def step(number: int, loss: float, **metrics: float) -> StepDone:
    return StepDone(step=number, loss=loss, metrics={"seconds": number / 2, **metrics})


def of_line(rows, name):
    return [(step, value) for step, value, line in rows if line == name]


def test_rows_are_only_appended_as_the_record_grows(run: RunDirectory, watches: RunWatches) -> None:
    run.append(ValidationDone(step=0, loss=5.0))
    run.append(step(1, 4.0))
    first = list(watches.view("a-run").charts["loss"])
    run.append(step(2, 3.0))
    second = watches.view("a-run").charts["loss"]
    assert list(second[: len(first)]) == first
    assert of_line(second, "train") == [(1, 4.0), (2, 3.0)]
    assert of_line(second, "validation") == [(0, 5.0)]
    smooth = of_line(second, "train_smooth")
    assert smooth[0] == (1, 4.0)
    # (0.1 * 3 + 0.09 * 4) / 0.19
    assert smooth[1] == (2, pytest.approx(0.66 / 0.19))


def test_a_long_run_has_few_points_and_is_drawn_anew_when_it_is_thinned(
    run: RunDirectory, watches: RunWatches
) -> None:
    run.append(step(1, 2.0, learning_rate=0.1))
    before = watches.view("a-run").charts
    for number in range(2, 2 * MOST_POINTS):
        run.append(step(number, 2.0, learning_rate=0.1))
    after = watches.view("a-run").charts
    for line in ("train", "train_smooth"):
        points = of_line(after["loss"], line)
        assert MOST_POINTS // 2 < len(points) <= MOST_POINTS
        assert points == sorted(set(points)), "no point twice"
    assert after["loss"] is not before["loss"]


def test_a_checkpoint_is_a_short_stroke_on_the_first_chart_alone(
    run: RunDirectory, watches: RunWatches
) -> None:
    for event in (step(1, 4.0, gradient_norm=1.0), step(2, 2.0), CheckpointSaved(step=2, path="x")):
        run.append(event)
    charts = watches.view("a-run").charts
    assert of_line(charts["loss"], "checkpoint") == [(2, 2.0), (2, pytest.approx(2.24)), (2, None)]
    assert of_line(charts["gradient_norm"], "checkpoint") == []


def test_logarithms_leave_out_what_has_none() -> None:
    rows = [(1, 100.0, "a"), (2, 0.0, "a"), (3, None, "b"), (4, -1.0, "a"), (5, 0.1, "a")]
    assert logarithms(rows) == [(1, 2.0, "a"), (3, None, "b"), (5, pytest.approx(-1.0), "a")]


def test_time_left_by_the_last_steps_and_by_minutes(run: RunDirectory, watches: RunWatches) -> None:
    assert watches.view("a-run").seconds_left is None
    for number in range(1, 21):
        run.append(step(number, 1.0))
    with_worker(watches, run)
    view = watches.view("a-run")
    assert (view.seconds, view.share, view.steps) == (10.0, 0.2, 100)
    assert view.seconds_left == pytest.approx(80 * 0.5)
    run.path.joinpath("config.json").write_text(json.dumps({"recipe": "gpt", "minutes": 0.5}))
    other = RunWatches(watches.queue).view("a-run")
    assert other.seconds_left == pytest.approx(20.0)
    assert other.share == pytest.approx(1 / 3)


def with_worker(watches: RunWatches, run: RunDirectory) -> None:
    """This very process trains the run, as far as anybody can see."""
    import os

    import psutil

    me = psutil.Process()
    record = {"pid": os.getpid(), "born": me.create_time(), "command": []}
    run.path.joinpath("worker.json").write_text(json.dumps(record))


def test_what_the_start_the_checkpoints_and_the_end_said(run: RunDirectory, watches: RunWatches) -> None:
    for event in (
        RunStarted(step=0, facts={"num_parameters": 7, "machine": {"threads": 2}}),
        step(1, 3.0),
        ValidationDone(step=1, loss=2.5),
        SampleReady(step=1, text="one"),
        step(2, math.nan),
        ValidationDone(step=2, loss=2.75),
        SampleReady(step=2, text="two"),
        SampleReady(step=2, text="two again"),
        RunFinished(step=2, reason="stopped"),
    ):
        run.append(event)
    view = watches.view("a-run")
    assert [sample.text for sample in view.samples] == ["one", "two again"]
    assert (view.best, view.validation_loss) == ((1, 2.5), 2.75)
    assert view.facts["num_parameters"] == 7
    assert view.state.stands == "stopped"
    assert view.seconds_left is None
    assert of_line(view.charts["loss"], "train") == [(1, 3.0)]


def test_a_record_begun_anew_is_drawn_anew(run: RunDirectory, watches: RunWatches) -> None:
    for number in range(1, 6):
        run.append(step(number, 1.0))
    watches.view("a-run")
    run.rewind_events(2)
    view = watches.view("a-run")
    assert of_line(view.charts["loss"], "train") == [(1, 1.0), (2, 1.0)]


def test_all_viewers_share_one_reader(run: RunDirectory, watches: RunWatches, monkeypatch) -> None:
    monkeypatch.setattr(watch, "REFRESH_SECONDS", 60.0)
    first = watches.view("a-run")
    run.append(step(1, 1.0))
    assert watches.view("a-run") is first, "the record is not read for each look"


def test_a_fresh_look_sees_what_was_done_a_moment_ago(
    run: RunDirectory, watches: RunWatches, monkeypatch
) -> None:
    monkeypatch.setattr(watch, "REFRESH_SECONDS", 3600.0)
    assert watches.view("a-run").state.step == 0
    run.append(step(7, 2.0))
    assert watches.view("a-run").state.step == 0, "others share the last look"
    assert watches.view("a-run", fresh=True).state.step == 7


def test_few_runs_are_kept_in_memory(tmp_path: Path, watches: RunWatches, monkeypatch) -> None:
    monkeypatch.setattr(watch, "MOST_WATCHED", 2)
    for name in ("r1", "r2", "r3"):
        RunDirectory(tmp_path / name).create({"recipe": "gpt"})
        watches.view(name)
    assert list(watches._watched) == ["r2", "r3"]
    with pytest.raises(InputError, match="no run named"):
        watches.view("../r1")


def test_only_what_differs_is_compared() -> None:
    one = {"recipe": "gpt", "steps": 10, "data": {"name": "a.txt"}, "settings": {"dropout": 0.1, "x": 1}}
    two = {"recipe": "gpt", "steps": 20, "data": {"name": "a.txt"}, "settings": {"dropout": 0.1}}
    assert differing_settings([one, two]) == {"steps": [10, 20], "x": [1, None]}
    assert differing_settings([one]) == {}


def test_the_last_event_is_one_line_whatever_stands_in_it(run: RunDirectory) -> None:
    """JSON escapes no U+2028 and no U+0085: only a line feed ends a line of the record."""
    event = SampleReady(step=3, text="one\u2028two\x85three\u2029four", file="samples/step-000003.txt")
    run.append(event)
    assert last_event(run) == event
