"""A run's curves, read from its record as it grows, and kept short however long the run."""

import math
from collections.abc import Iterable
from pathlib import Path

from aigc_demo.core.events import TrainEvent, from_json
from aigc_demo.training.recipe import Curve, Line

MOST_POINTS = 500
# A page looks four times a second, and at what stands beside the first chart once: more points of a run than
# looks would travel for nothing. The beginning, which says most, is recorded step by step.
POINTS_A_SECOND, SLOW_POINTS_A_SECOND = 4.0, 1.0
STEP_BY_STEP = 40
# How much of what was read last is compared, and how often zeros are taken for bytes that are still to come.
MOST_COMPARED, MOST_LOOKS_AT_A_HOLE = 256, 40
# Of each new value, how much goes into the smoothed line: about the last twenty steps are seen in it.
SHARE_OF_NEW = 0.1


class Tail:
    """Reads on in a record that another process writes, on a disk that may show a file later than it changed.

    What was read last must still stand before the place where it reads on: else the record was begun anew.
    Numbers of files say less: on a mounted folder they may change by themselves.

    Args:
        path: events.jsonl; it need not be there yet.
    """

    def __init__(self, path: Path):
        self.path = path
        self._place, self._last, self._holes = 0, b"", 0

    def read(self) -> tuple[list[TrainEvent], bool]:
        """The events since the last call; and whether the record was begun anew, so that earlier ones fell.

        A line that is not whole yet is left for the next call; one that is no event is passed over.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._place - len(self._last))
                content = file.read()
                anew = not content.startswith(self._last)
                if anew:
                    file.seek(0)
                    content = file.read()
        except OSError:
            return [], False
        if anew:
            self._place = 0
        else:
            content = content[len(self._last) :]
        lines, whole, _ = self._without_holes(content).rpartition(b"\n")
        self._place += len(lines) + len(whole)
        self._last = ((b"" if anew else self._last) + lines + whole)[-MOST_COMPARED:]
        return [event for line in lines.split(b"\n") if (event := _event(line))], anew

    def _without_holes(self, content: bytes) -> bytes:
        """What stands before the first zero byte: a network disk shows zeros where bytes are still to come.

        After some looks they are taken for what a broken disk has left.
        """
        hole = content.find(b"\0")
        self._holes = self._holes + 1 if hole >= 0 else 0
        return content if hole < 0 or self._holes > MOST_LOOKS_AT_A_HOLE else content[:hole]


def _event(line: bytes) -> TrainEvent | None:
    try:
        return from_json(line.decode("utf-8", "replace"))
    except ValueError:
        return None


class Thinned:
    """A line of at most 500 points: when it is full, every second one falls and half as many come after.

    Args:
        points_a_second: how many of a second of training it takes, once it has its first 40.

    Attributes:
        points: (x, y), x ascending.
        times_thinned: how often points fell; where it stays the same, points were only appended.
    """

    def __init__(self, points_a_second: float = math.inf) -> None:
        self.points: list[tuple[int, float]] = []
        self.times_thinned = 0
        self._seen = 0
        self._pause = 1 / points_a_second
        self._next = -math.inf

    def add(self, x: int, y: float, seconds: float | None = None) -> None:
        """One more point; what is not finite has no place on a chart and is left out.

        Args:
            x: where.
            y: how high.
            seconds: of training until then; None for a point that is taken in any case.
        """
        if not math.isfinite(y):
            return
        if seconds is not None:
            if self._seen >= STEP_BY_STEP and seconds < self._next:
                return
            self._next = seconds + self._pause
        if self._seen % 2**self.times_thinned == 0:
            if len(self.points) >= MOST_POINTS:
                self.points = self.points[::2]
                self.times_thinned += 1
            if self._seen % 2**self.times_thinned == 0:
                self.points.append((x, y))
        self._seen += 1


class _Smoothed:
    """The mean of the values so far in which newer ones weigh more, without a pull towards zero at first.

    Source:
        Kingma and Ba 2014, arXiv:1412.6980, section 3, for the correction.
    """

    def __init__(self) -> None:
        self._sum, self._weight = 0.0, 0.0

    def add(self, value: float) -> float:
        if math.isfinite(value):
            self._sum += SHARE_OF_NEW * (value - self._sum)
            self._weight += SHARE_OF_NEW * (1 - self._weight)
        return self._sum / self._weight if self._weight else math.nan


class Curves:
    """All lines of a run's charts.

    Args:
        curves: which ones.

    Attributes:
        raw: by (chart, line).
        smooth: the same, for lines that are smoothed.
    """

    def __init__(self, curves: Iterable[Curve]):
        self.curves = tuple(curves)
        self.raw: dict[tuple[str, str], Thinned] = {}
        self.smooth: dict[tuple[str, str], Thinned] = {}
        self._means: dict[tuple[str, str], _Smoothed] = {}
        for number, curve in enumerate(self.curves):
            pace = SLOW_POINTS_A_SECOND if number else POINTS_A_SECOND
            for line in curve.lines:
                self.raw[curve.name, line.name] = Thinned(pace)
                if line.smooth:
                    self.smooth[curve.name, line.name] = Thinned(pace)
                    self._means[curve.name, line.name] = _Smoothed()

    def add(self, events: Iterable[TrainEvent]) -> None:
        """What these events say, on all lines."""
        for event in events:
            for curve in self.curves:
                for line in curve.lines:
                    if event.kind == line.event:
                        self._add(curve.name, line, event)

    def _add(self, chart: str, line: Line, event: TrainEvent) -> None:
        metrics = getattr(event, "metrics", {})
        value = getattr(event, line.measure) if line.measure == "loss" else metrics.get(line.measure)
        if not isinstance(value, (int, float)):
            return
        recorded = metrics.get("seconds")
        seconds = recorded if isinstance(recorded, (int, float)) else None
        self.raw[chart, line.name].add(event.step, value, seconds)
        if line.smooth:
            smoothed = self._means[chart, line.name].add(value)
            self.smooth[chart, line.name].add(event.step, smoothed, seconds)
