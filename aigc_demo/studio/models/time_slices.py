"""Time slices of the CPU for small models that generate at the same time.

A small model's token is a few hundred operations of some microseconds each, and the GIL can change hands
between any two of them. Two such threads contend for it hundreds of times per token: each runs at less than
half of its speed although there is a core for either, and more of both cores is used. With time slices of
tens of milliseconds they switch a few times a second, each is as fast in its slice as alone, and the total
throughput is no lower (docs/experiments.md). The operations of a large model take long enough to run in
parallel, so large models do not take part.

Scheduling is fair by accumulated time, like the kernel's CFS. A task without its first token goes first and
yields after it: that takes a few milliseconds, so every text starts soon, however many others are under way.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SLICE_SECONDS = 0.03


class TimeSlice:
    """The time slices of one task.

    Args:
        slices: the scheduler; None for a task that never waits.
        share: seconds that count as used before it started.
    """

    def __init__(self, slices: "TimeSlices | None" = None, share: float = 0.0):
        self._slices = slices
        self._had = 0.0  # seconds in earlier slices
        self._before = share
        self.has_started = False
        self.granted = threading.Event()
        self._since = time.perf_counter() if slices is None else None

    @property
    def seconds(self) -> float:
        """Time in its slices, the current one included."""
        return self._had + self._held

    @property
    def share(self) -> float:
        """Accumulated time by which the scheduler compares tasks, in seconds."""
        return self._before + self.seconds

    @property
    def _held(self) -> float:
        since = self._since  # another thread may end the slice meanwhile
        return 0.0 if since is None else time.perf_counter() - since

    def pass_on(self) -> None:
        """Yield to another task where one is due, between two tokens or steps; returns in its next slice."""
        first, self.has_started = not self.has_started, True
        if self._slices is None:
            return
        over = first or self._held >= self._slices.seconds
        if self._slices.is_one_due(self.share) if over else self._slices.is_one_new():
            self.end()
            self.begin()

    def begin(self) -> None:
        """Wait for a slice."""
        if self._slices is not None:
            self._slices.acquire(self)
        self._since = time.perf_counter()

    def end(self) -> None:
        """Release the slice."""
        self._had, self._since = self.seconds, None
        if self._slices is not None:
            self._slices.release()


class TimeSlices:
    """Runs one task at a time: one that has not started, or else the one with the least accumulated time.

    Args:
        seconds: the least length of a slice, which ends between two tokens.
    """

    def __init__(self, seconds: float = SLICE_SECONDS):
        self.seconds = seconds
        self._lock = threading.Lock()
        self._waiting: list[TimeSlice] = []
        self._running: TimeSlice | None = None

    @contextmanager
    def joined(self) -> Iterator[TimeSlice]:
        """Schedule a task for the duration of the context, which starts with its first slice.

        A task that comes later starts with the least accumulated time of those there: it gets its share from
        now on, and does not catch up.
        """
        with self._lock:
            there = [*self._waiting, *([self._running] if self._running else [])]
            time_slice = TimeSlice(self, min((other.share for other in there), default=0.0))
        time_slice.begin()
        try:
            yield time_slice
        finally:
            time_slice.end()

    def acquire(self, time_slice: TimeSlice) -> None:
        """Block until this task may run."""
        with self._lock:
            if self._running is None:
                self._running = time_slice
                return
            time_slice.granted.clear()
            self._waiting.append(time_slice)
        time_slice.granted.wait()

    def release(self) -> None:
        """End the current slice and wake the next task, and it alone."""
        with self._lock:
            self._running = min(self._waiting, key=lambda one: (one.has_started, one.share), default=None)
            if self._running is not None:
                self._waiting.remove(self._running)
                self._running.granted.set()

    def is_one_due(self, share: float) -> bool:
        """Whether a waiting task has not started, or has no more accumulated time than this."""
        with self._lock:
            return any(not other.has_started or other.share <= share for other in self._waiting)

    def is_one_new(self) -> bool:
        """Whether a waiting task has not started."""
        with self._lock:
            return any(not other.has_started for other in self._waiting)
