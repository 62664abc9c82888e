"""The events of a training loop: frozen dataclasses of plain values, never tensors.

The page, the command line and the tests consume the same events. On disk an event is one line of
JSON, `{"event": "step", "step": 12, "loss": 2.31, ...}`: the recipe's metrics are further keys beside
the loss.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aigc_demo.core.files.strict_json import strict_json
from aigc_demo.core.sentences import ENGLISH

Number = int | float


@dataclass(frozen=True)
class StepDone:
    """One optimizer step. For a language model `loss` is in nats per token."""

    kind: ClassVar[str] = "step"
    step: int
    loss: float
    metrics: dict[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class ValidationDone:
    """Validation at this step, of the model that the next checkpoint saves.

    `loss` is over the same windows of text at every step of a run, so the points of its curve are
    comparable; the metric `num_windows` is their number. Where a run pauses or ends, the metric `full_loss`
    is over all windows.
    """

    kind: ClassVar[str] = "validation"
    step: int
    loss: float
    metrics: dict[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class SampleReady:
    """A sample of the model at this step: its text, and its file in the run directory."""

    kind: ClassVar[str] = "sample"
    step: int
    text: str = ""
    file: str = ""


@dataclass(frozen=True)
class CheckpointSaved:
    """A complete checkpoint was saved at this path in the run directory."""

    kind: ClassVar[str] = "checkpoint"
    step: int
    path: str


@dataclass(frozen=True)
class Warned:
    """A warning that does not end the run: the key of its message, and the values of its placeholders."""

    kind: ClassVar[str] = "warning"
    step: int
    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunStarted:
    """The run starts, or resumes, at this step.

    `facts`: number of parameters, data sizes, device, machine, and under `preparation` how much each step of
    preprocessing kept and dropped.
    """

    kind: ClassVar[str] = "start"
    step: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFinished:
    """The last event. `reason`: finished, stopped, time, interrupted, non-finite or failed.

    The last and the best validation loss are over the same windows, as in `ValidationDone`, and are
    comparable; `full_validation_loss` is the last model's over all windows, as `evaluate` computes it.
    """

    kind: ClassVar[str] = "finish"
    step: int
    reason: str
    validation_loss: float | None = None
    best_validation_loss: float | None = None
    best_step: int | None = None
    full_validation_loss: float | None = None


TrainEvent = StepDone | ValidationDone | SampleReady | CheckpointSaved | Warned | RunStarted | RunFinished

# Checks by field name: events.jsonl may come from an untrusted archive.
MOST_CHARACTERS = 65_536
REASONS = ("finished", "stopped", "time", "interrupted", "non-finite", "failed")
LOSSES = ("validation_loss", "best_validation_loss", "full_validation_loss")
CHECKS: dict[str, Callable[[Any], bool]] = {
    "step": lambda value: _is_number(value, int) and value >= 0,
    "loss": lambda value: _is_number(value, int, float),
    "metrics": lambda value: all(_is_number(one, int, float) for one in value.values()),
    "text": lambda value: isinstance(value, str),
    "key": lambda value: isinstance(value, str) and value in ENGLISH,
    "reason": lambda value: isinstance(value, str) and value in REASONS,
    **dict.fromkeys(("file", "path"), lambda value: isinstance(value, str) and _is_inside(value)),
    **dict.fromkeys(("values", "facts"), lambda value: isinstance(value, dict)),
    **dict.fromkeys(LOSSES, lambda value: value is None or _is_number(value, int, float)),
    "best_step": lambda value: value is None or (_is_number(value, int) and value >= 0),
}

KINDS: dict[str, type] = {
    kind.kind: kind
    for kind in (StepDone, ValidationDone, SampleReady, CheckpointSaved, Warned, RunStarted, RunFinished)
}


def to_json(event: TrainEvent) -> str:
    """One line of JSON without the newline; a non-finite number becomes null."""
    record: dict[str, Any] = {"event": event.kind}
    for item in dataclasses.fields(event):
        value = getattr(event, item.name)
        record.update(value if item.name == "metrics" else {item.name: value})
    return json.dumps(_finite(record), ensure_ascii=False)


def from_json(line: str) -> TrainEvent:
    """The event that `to_json` wrote; null is read as NaN.

    Raises:
        ValueError: the line is not an event.
    """
    record = strict_json(line, MOST_CHARACTERS)
    if not isinstance(record, dict) or str(record.get("event")) not in KINDS:
        raise ValueError(f"not an event: {line[:80]!r}")
    kind = KINDS[record.pop("event")]
    names = {item.name for item in dataclasses.fields(kind)}
    known = {name: value for name, value in record.items() if name in names}
    if "metrics" in names:
        known.update({name: _nan(known[name]) for name in ("loss",) if name in known})
        known["metrics"] = {name: _nan(value) for name, value in record.items() if name not in names}
    if not all(CHECKS[name](value) for name, value in known.items()):
        raise ValueError(f"not an event: {line[:80]!r}")
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"not an event: {line[:80]!r}") from error


def _is_inside(name: str) -> bool:
    """Whether a relative path stays inside the run directory."""
    return not name.startswith("/") and "\0" not in name and ".." not in name.split("/")


def _is_number(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value


def _nan(value: Any) -> Any:
    return math.nan if value is None else value
