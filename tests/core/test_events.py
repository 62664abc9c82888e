"""Events survive the trip through events.jsonl, one line each."""

import json
import math

import pytest

from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    ValidationDone,
    Warned,
    from_json,
    to_json,
)


@pytest.mark.parametrize(
    "event",
    [
        StepDone(12, 2.25, {"learning_rate": 0.001, "tokens_per_second": 4000}),
        StepDone(0, 3.5),
        ValidationDone(500, 1.75, {"bits_per_byte": 2.5}),
        SampleReady(500, text="床前明月光，\r\n疑是\u2028地上霜\x85"),
        SampleReady(500, file="samples/step-000500.png"),
        CheckpointSaved(500, "checkpoints/step-000500"),
        Warned(3, "too_little_text", {"got": 5, "context_length": 64, "possible": 4}),
        RunStarted(0, {"device": "cpu", "num_parameters": 11, "sizes": [2, 3]}),
        RunFinished(500, "finished", 1.75, 1.5, 400),
        RunFinished(3, "failed"),
    ],
    ids=lambda event: event.kind,
)
def test_there_and_back(event):
    line = to_json(event)
    assert "\n" not in line
    assert "\r" not in line
    assert from_json(line) == event


def test_measures_stand_beside_the_loss():
    line = to_json(StepDone(12, 2.25, {"tokens_per_second": 4000}))
    assert json.loads(line) == {"event": "step", "step": 12, "loss": 2.25, "tokens_per_second": 4000}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_null_on_disk_and_nan_again_in_memory(number):
    line = to_json(StepDone(3, number, {"gradient_norm": number}))
    assert json.loads(line) == {"event": "step", "step": 3, "loss": None, "gradient_norm": None}
    event = from_json(line)
    assert math.isnan(event.loss)
    assert math.isnan(event.metrics["gradient_norm"])


def test_numbers_inside_lists_and_tables_are_valid_json_too():
    line = to_json(RunStarted(0, {"losses": [1.5, math.nan], "table": {"x": math.inf}}))
    assert json.loads(line)["facts"] == {"losses": [1.5, None], "table": {"x": None}}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        '{"event": "step", "step": 12, "lo',
        "[]",
        "3",
        '{"step": 3}',
        '{"event": "dance", "step": 3}',
        '{"event": ["step"], "step": 3}',
        '{"event": "checkpoint", "step": 3}',
        '{"event": "step", "step": 3}',
        '{"event": "step", "step": "3", "loss": 2.5}',
        '{"event": "validation", "step": 3, "loss": "low"}',
        '{"event": "start", "step": 0, "facts": ["many"]}',
    ],
)
def test_anything_else_is_not_an_event(line):
    with pytest.raises(ValueError, match=r"not an event|Expecting|Unterminated|delimiter"):
        from_json(line)
