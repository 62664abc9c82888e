"""Time slices of the CPU for small models that generate at the same time.

A small model's token is a few hundred operations of some microseconds each, and between any two of them
Python's lock changes hands. Two such writers in two threads wait for each other hundreds of times a token:
each falls to less than half of its speed although a core is free for either, and more of both cores is
used up. With slices of some tens of milliseconds they wait for each other a few times a second, each is as
fast in its turn as alone, and together they write no less (docs/experiments.md). The operations of a large
model take long enough to run side by side, so large models take no part.

Who has not written anything yet comes first, and passes on after its first token: that takes a few
milliseconds, and whoever waits for a text sees that it begins however many others are being written.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SLICE_SECONDS = 0.03


class TimeSlice:
    """One writer's part in it.

    Args:
        slices: what it waits for; None for a writer that never waits.
        share: what it is counted to have had already, in seconds.
    """

    def __init__(self, slices: "TimeSlices | None" = None, share: float = 0.0):
        self._slices = slices
        self._had = 0.0  # seconds in earlier slices
        self._before = share
        self.has_started = False
        self.comes = threading.Event()
        self._since = time.perf_counter() if slices is None else None

    @property
    def seconds(self) -> float:
        """How long it was this writer's turn, this one included: the time in which it really wrote."""
        return self._had + self._held

    @property
    def share(self) -> float:
        """The same by the account that the next turn is given away by."""
        return self._before + self.seconds

    @property
    def _held(self) -> float:
        since = self._since  # another thread may end the turn meanwhile
        return 0.0 if since is None else time.perf_counter() - since

    def pass_on(self) -> None:
        """Let others write where one is due; to be called between two tokens. Returns when it is its turn."""
        first, self.has_started = not self.has_started, True
        if self._slices is None:
            return
        over = first or self._held >= self._slices.seconds
        if self._slices.somebody_due(self.share) if over else self._slices.somebody_new():
            self.end()
            self.begin()

    def begin(self) -> None:
        """Wait for the turn."""
        if self._slices is not None:
            self._slices.take(self)
        self._since = time.perf_counter()

    def end(self) -> None:
        """Give the turn away."""
        self._had, self._since = self.seconds, None
        if self._slices is not None:
            self._slices.give()


class TimeSlices:
    """Gives the turn to one writer at a time: to one that has not begun, or else to who has had the least.

    Args:
        seconds: how long a turn lasts at least; it ends between two tokens.
    """

    def __init__(self, seconds: float = SLICE_SECONDS):
        self.seconds = seconds
        self._lock = threading.Lock()
        self._waiting: list[TimeSlice] = []
        self._writing: TimeSlice | None = None

    @contextmanager
    def joined(self) -> Iterator[TimeSlice]:
        """A part in it, for as long as a text is written; begins with this writer's turn.

        Who comes later is counted to have had as much as the one that had the least: it gets its share from
        now on, and does not catch up.
        """
        with self._lock:
            there = [*self._waiting, *([self._writing] if self._writing else [])]
            time_slice = TimeSlice(self, min((other.share for other in there), default=0.0))
        time_slice.begin()
        try:
            yield time_slice
        finally:
            time_slice.end()

    def take(self, time_slice: TimeSlice) -> None:
        """Wait until it is this one's turn."""
        with self._lock:
            if self._writing is None:
                self._writing = time_slice
                return
            time_slice.comes.clear()
            self._waiting.append(time_slice)
        time_slice.comes.wait()

    def give(self) -> None:
        """End the turn that is: the next one is woken, and it alone."""
        with self._lock:
            self._writing = min(self._waiting, key=lambda one: (one.has_started, one.share), default=None)
            if self._writing is not None:
                self._waiting.remove(self._writing)
                self._writing.comes.set()

    def somebody_due(self, share: float) -> bool:
        """Whether one waits that has not begun, or has had no more than this."""
        with self._lock:
            return any(not other.has_started or other.share <= share for other in self._waiting)

    def somebody_new(self) -> bool:
        """Whether one waits that has not begun."""
        with self._lock:
            return any(not other.has_started for other in self._waiting)
