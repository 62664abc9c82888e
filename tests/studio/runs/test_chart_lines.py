"""Curves of a record that grows, counted by hand."""

import math
from pathlib import Path

import pytest

from aigc_demo.core.events import RunFinished, StepDone, ValidationDone, to_json
from aigc_demo.studio.runs.chart_lines import MOST_POINTS, STEP_BY_STEP, Curves, Tail, Thinned
from aigc_demo.training.language_model.recipe import CURVES as LANGUAGE_MODEL
from aigc_demo.training.recipe import Curve, Line


def line_of(step: int) -> str:
    return to_json(StepDone(step=step, loss=1 / step)) + "\n"


def test_a_record_is_read_on_where_it_was_left(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "events.jsonl")
    assert tail.read() == ([], False)  # not there yet
    with tail.path.open("w") as file:
        file.write(line_of(1) + line_of(2) + line_of(3)[:10])  # the third is half written
        file.flush()
        assert [event.step for event in tail.read()[0]] == [1, 2]
        file.write(line_of(3)[10:] + "no event\n" + line_of(4))
    assert [event.step for event in tail.read()[0]] == [3, 4]
    assert tail.read() == ([], False)


def test_a_record_that_was_rewound_is_read_again(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "events.jsonl")
    tail.path.write_text("".join(map(line_of, range(1, 9))))
    tail.read()
    beside = tmp_path / "beside"
    beside.write_text("".join(map(line_of, range(1, 5))) + line_of(6) * 9)  # longer than before
    beside.replace(tail.path)
    events, anew = tail.read()
    assert anew and [event.step for event in events] == [1, 2, 3, 4, *[6] * 9]


@pytest.mark.parametrize("num_points", [10, MOST_POINTS, MOST_POINTS + 1, 10 * MOST_POINTS + 3])
def test_no_line_is_too_long_and_its_points_are_evenly_spread(num_points: int) -> None:
    line, sizes = Thinned(), set()
    for x in range(num_points):
        line.add(x, x / 2)
        sizes.add(len(line.points))
    assert max(sizes) <= MOST_POINTS
    stride = 2**line.times_thinned
    assert line.points == [(x, x / 2) for x in range(0, num_points, stride)]
    assert len(line.points) > MOST_POINTS / 2 or stride == 1


def test_what_is_not_finite_is_left_out() -> None:
    line = Thinned()
    for x, y in enumerate((1.0, math.nan, math.inf, 2.0)):
        line.add(x, y)
    assert line.points == [(0, 1.0), (3, 2.0)]


def test_a_fast_run_is_told_step_by_step_first_and_then_as_often_as_a_page_looks() -> None:
    line = Thinned(points_a_second=4)
    for x in range(400):  # twenty steps a second
        line.add(x, 1.0, seconds=x / 20)
    steps = [x for x, _ in line.points]
    assert steps[:STEP_BY_STEP] == list(range(STEP_BY_STEP))
    assert {b - a for a, b in zip(steps[STEP_BY_STEP:], steps[STEP_BY_STEP + 1 :], strict=False)} == {5}


def test_a_slow_run_is_told_step_by_step() -> None:
    line = Thinned(points_a_second=4)
    for x in range(100):
        line.add(x, 1.0, seconds=x / 3)
    assert [x for x, _ in line.points] == list(range(100))


def test_raw_and_smoothed_have_their_points_at_the_same_steps_and_every_step_is_smoothed() -> None:
    curve = Curve("loss", (Line("train", "step", "loss", smooth=True),))
    paced, whole = Curves((curve,)), Curves((curve,))
    for step in range(1, 201):
        loss = math.sin(step)
        paced.add([StepDone(step=step, loss=loss, metrics={"seconds": step / 50})])
        whole.add([StepDone(step=step, loss=loss)])
    raw, smooth = paced.raw["loss", "train"].points, paced.smooth["loss", "train"].points
    assert [x for x, _ in raw] == [x for x, _ in smooth] and len(raw) < 60
    assert set(smooth) <= set(whole.smooth["loss", "train"].points)


@pytest.mark.parametrize("seconds", ["soon", None, [1]])
def test_a_record_of_odd_times_is_drawn_all_the_same(seconds: object) -> None:
    curves = Curves((Curve("loss", (Line("train", "step", "loss"),)),))
    for step in range(60):
        curves.add([StepDone(step=step, loss=1.0, metrics={"seconds": seconds})])  # type: ignore[dict-item]
    assert len(curves.raw["loss", "train"].points) == 60


def test_each_number_goes_to_its_line() -> None:
    curves = Curves(LANGUAGE_MODEL)
    curves.add([
        StepDone(step=1, loss=4.0, metrics={"learning_rate": 0.5}),
        ValidationDone(step=1, loss=5.0),
        StepDone(step=2, loss=2.0, metrics={"learning_rate": 0.25, "gradient_norm": 3}),
        RunFinished(step=2, reason="finished"),
    ])  # fmt: skip
    assert curves.raw["loss", "train"].points == [(1, 4.0), (2, 2.0)]
    assert curves.raw["loss", "validation"].points == [(1, 5.0)]
    assert curves.raw["learning_rate", "learning_rate"].points == [(1, 0.5), (2, 0.25)]
    assert curves.raw["gradient_norm", "gradient_norm"].points == [(2, 3)]
    assert curves.raw["tokens_per_second", "tokens_per_second"].points == []


def test_the_smoothed_line_weighs_newer_values_more() -> None:
    curves = Curves((Curve("loss", (Line("train", "step", "loss", smooth=True),)),))
    curves.add([StepDone(step=1, loss=4.0), StepDone(step=2, loss=2.0)])
    # 0.9 * 0.1 of the first and 0.1 of the second, over the 0.19 that they weigh together
    (first, second) = curves.smooth["loss", "train"].points
    assert first == (1, pytest.approx(4.0))
    assert second == (2, pytest.approx((0.09 * 4 + 0.1 * 2) / 0.19))


def test_a_record_whose_file_has_another_number_and_the_same_text_is_read_on(tmp_path: Path) -> None:
    # Mounted storages number their files as they like, and anew each time.
    tail = Tail(tmp_path / "events.jsonl")
    tail.path.write_text("".join(map(line_of, range(1, 50))))
    assert len(tail.read()[0]) == 49
    beside = tmp_path / "beside"
    beside.write_text("".join(map(line_of, range(1, 52))))
    beside.replace(tail.path)
    events, anew = tail.read()
    assert not anew and [event.step for event in events] == [50, 51]


def test_a_record_that_is_shown_as_it_was_before_is_right_again_once_all_of_it_is_shown(
    tmp_path: Path,
) -> None:
    tail = Tail(tmp_path / "events.jsonl")
    tail.path.write_text("".join(map(line_of, range(1, 9))))
    tail.read()
    tail.path.write_text("".join(map(line_of, range(1, 4))))
    events, anew = tail.read()
    assert anew and [event.step for event in events] == [1, 2, 3]
    tail.path.write_text("".join(map(line_of, range(1, 10))))
    events, anew = tail.read()
    assert not anew and [event.step for event in events] == [4, 5, 6, 7, 8, 9]


def test_zeros_are_bytes_that_are_still_to_come(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "events.jsonl")
    hole = b"\0" * (len(line_of(2)))
    tail.path.write_bytes(line_of(1).encode() + hole + line_of(3).encode())
    assert [event.step for event in tail.read()[0]] == [1]
    assert tail.read() == ([], False)
    tail.path.write_bytes("".join(map(line_of, (1, 2, 3))).encode())
    events, anew = tail.read()
    assert not anew and [event.step for event in events] == [2, 3]


def test_zeros_that_stay_hold_up_a_record_for_a_while_and_not_for_ever(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "events.jsonl")
    tail.path.write_bytes(line_of(1).encode() + b"\0" * 40 + b"\n" + line_of(3).encode())
    steps = [event.step for _ in range(60) for event in tail.read()[0]]
    assert steps == [1, 3]
