"""A snapshot of a run: its state, the rows of its charts, its samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aigc_demo.core.events import (
    SampleReady,
    Warned,
)
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.chart_lines import Curves, Thinned
from aigc_demo.studio.runs.state import RunState
from aigc_demo.training.recipe import Curve

CHECKPOINT = "checkpoint"
SMOOTH = "_smooth"

# A point of a chart: step, value (None ends a stroke), and the line it belongs to.
Row = tuple[int, float | None, str]


@dataclass(frozen=True)
class RunView:
    """A snapshot of a run.

    Attributes:
        state: how it stands.
        run: its directory.
        recipe: what it trains.
        command: what does the same in a terminal.
        charts: rows of each curve, by its name; lists that others must not change.
        samples: what the models of its checkpoints made, by step, oldest first.
        facts: what its start said: sizes, machine, preparation.
        warnings: key and values of sentences.
        seconds: of training so far.
        seconds_left: an estimate; None where there is nothing to estimate from, or nothing to wait for.
        share: how much is done, 0 to 1.
        validation_loss: the last, nats a token.
        best: step and loss of the best validation.
        steps: the last step of a run that is given in steps.
        checkpoints: the steps whose checkpoints are there, oldest first.
        seen_at: seconds since the epoch, before any of it was read.
    """

    state: RunState
    run: RunDirectory
    recipe: str = ""
    command: str = ""
    charts: dict[str, Sequence[Row]] = field(default_factory=dict)
    samples: tuple[SampleReady, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[Warned, ...] = ()
    seconds: float = 0.0
    seconds_left: float | None = None
    share: float = 0.0
    validation_loss: float | None = None
    best: tuple[int, float] | None = None
    steps: int | None = None
    checkpoints: tuple[int, ...] = ()
    seen_at: float = 0.0


class ChartRows:
    """The rows of one chart, appended to; rebuilt where one of its lines was thinned."""

    def __init__(self, lines: Sequence[tuple[str, Thinned]], marks: Sequence[Row]):
        self._lines, self._marks = lines, marks
        self.rows: list[Row] = []
        self._taken = self._thinned = [0] * len(lines)
        self._marks_taken = 0

    def update(self) -> list[Row]:
        """All rows; the list that was given before, longer, or a new one."""
        thinned = [line.times_thinned for _, line in self._lines]
        if thinned != self._thinned:
            self.rows, self._marks_taken = [], 0
            self._taken, self._thinned = [0] * len(self._lines), thinned
        for (name, line), taken in zip(self._lines, self._taken, strict=True):
            self.rows.extend((step, value, name) for step, value in line.points[taken:])
        self.rows.extend(self._marks[self._marks_taken :])
        self._taken = [len(line.points) for _, line in self._lines]
        self._marks_taken = len(self._marks)
        return self.rows


def logarithms(rows: Sequence[Row]) -> list[Row]:
    """The same rows with log10 of their values; values without one are left out."""
    return [
        (step, None if value is None else math.log10(value), name)
        for step, value, name in rows
        if value is None or value > 0
    ]


def differing_settings(configs: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """What distinguishes runs: recipe, source, seed, length and settings that are not the same in all.

    Returns:
        For each name, its value in each run, in their order; None where a run has no such setting.
    """
    flat = [_flat(config) for config in configs]
    names = dict.fromkeys(name for one in flat for name in one)
    columns = {name: [one.get(name) for one in flat] for name in names}
    return {
        name: values for name, values in columns.items() if any(value != values[0] for value in values[1:])
    }


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    settings = config.get("settings")
    data = config.get("data")
    source = data.get("name") if isinstance(data, dict) else config.get("source")
    known = {name: config.get(name) for name in ("recipe", "steps", "minutes", "seed", "init")}
    return {**known, "source": source, **(settings if isinstance(settings, dict) else {})}


def chart_lines_of(curves: Curves, curve: Curve) -> list[tuple[str, Thinned]]:
    found = []
    for line in curve.lines:
        found.append((line.name, curves.raw[curve.name, line.name]))
        if line.smooth:
            found.append((line.name + SMOOTH, curves.smooth[curve.name, line.name]))
    return found
