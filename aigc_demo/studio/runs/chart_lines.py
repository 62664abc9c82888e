"""A run's curves, read incrementally from its record, with a bounded number of points."""

import math
from collections.abc import Iterable
from pathlib import Path

from aigc_demo.core.events import TrainEvent, from_json
from aigc_demo.training.recipe import Curve, Line

MOST_POINTS = 500
# A page polls the first chart four times a second and the others once: more points than polls would be sent
# for nothing. The first steps, where the curve changes most, are all kept.
POINTS_A_SECOND, SLOW_POINTS_A_SECOND = 4.0, 1.0
STEP_BY_STEP = 40
# Bytes of the last read that are compared, and reads after which zero bytes no longer count as pending.
MOST_COMPARED, MOST_READS_OF_ZEROS = 256, 40
# Weight of a new value in the moving average, which spans about twenty steps.
NEW_WEIGHT = 0.1


class Tail:
    """Follows a record that another process appends to, on a disk that may show changes late.

    The bytes read last must still precede the read position; otherwise the record was started anew. Inode
    numbers are less reliable: on a mounted folder they may change by themselves.

    Args:
        path: events.jsonl, which may not exist yet.
    """

    def __init__(self, path: Path):
        self.path = path
        self._place, self._last, self._num_zero_reads = 0, b"", 0

    def read(self) -> tuple[list[TrainEvent], bool]:
        """The events since the last call, and whether the record was started anew, which voids earlier ones.

        An incomplete line is left for the next call; a line that is no event is skipped.
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
        lines, whole, _ = self._before_zeros(content).rpartition(b"\n")
        self._place += len(lines) + len(whole)
        self._last = ((b"" if anew else self._last) + lines + whole)[-MOST_COMPARED:]
        return [event for line in lines.split(b"\n") if (event := _event(line))], anew

    def _before_zeros(self, content: bytes) -> bytes:
        """The content before the first zero byte: a network disk shows zeros for bytes still in flight.

        After some reads they count as damage and are kept.
        """
        hole = content.find(b"\0")
        self._num_zero_reads = self._num_zero_reads + 1 if hole >= 0 else 0
        return content if hole < 0 or self._num_zero_reads > MOST_READS_OF_ZEROS else content[:hole]


def _event(line: bytes) -> TrainEvent | None:
    try:
        return from_json(line.decode("utf-8", "replace"))
    except ValueError:
        return None


class Thinned:
    """A line of at most 500 points: when full, every second point is dropped, and of later ones too.

    Args:
        points_a_second: points kept per second of training, after the first 40.

    Attributes:
        points: (x, y), x ascending.
        times_thinned: how often points were dropped; while it stays the same, points were only appended.
    """

    def __init__(self, points_a_second: float = math.inf) -> None:
        self.points: list[tuple[int, float]] = []
        self.times_thinned = 0
        self._seen = 0
        self._pause = 1 / points_a_second
        self._next = -math.inf

    def add(self, x: int, y: float, seconds: float | None = None) -> None:
        """Add a point; one that is not finite is left out.

        Args:
            x: the step.
            y: the value.
            seconds: of training so far; None for a point that is always kept.
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
    """Exponential moving average with bias correction.

    Source:
        Kingma and Ba 2014, arXiv:1412.6980, section 3, for the correction.
    """

    def __init__(self) -> None:
        self._sum, self._weight = 0.0, 0.0

    def add(self, value: float) -> float:
        if math.isfinite(value):
            self._sum += NEW_WEIGHT * (value - self._sum)
            self._weight += NEW_WEIGHT * (1 - self._weight)
        return self._sum / self._weight if self._weight else math.nan


class Curves:
    """All lines of a run's charts.

    Args:
        curves: of the recipe.

    Attributes:
        raw: points by (chart, line).
        smooth: smoothed points by (chart, line), for lines that are smoothed.
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
        """Add the values of these events to all lines."""
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
