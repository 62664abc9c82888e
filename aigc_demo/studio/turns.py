"""Turns at the processor for small models that write at the same time.

A small model's token is a few hundred operations of some microseconds each, and between any two of them
Python's lock changes hands. Two such writers in two threads wait for each other hundreds of times a token:
each falls to less than half of its speed although a core is free for either, and more of both cores is
used up. With turns of some tens of milliseconds they wait for each other a few times a second, each is as
fast in its turn as alone, and together they write no less (docs/experiments.md). The operations of a large
model take long enough to run side by side, so large models take no part.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.03


class Turn:
    """One writer's part in it.

    Args:
        turns: what it waits for; None for a writer that never waits.
        share: what it is counted to have had already, in seconds.
    """

    def __init__(self, turns: "Turns | None" = None, share: float = 0.0):
        self._turns = turns
        self._had = 0.0  # seconds in earlier turns
        self._before = share
        self._since = time.perf_counter() if turns is None else None

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
        return 0.0 if self._since is None else time.perf_counter() - self._since

    def pass_on(self) -> None:
        """Let others write where one is due; to be called between two tokens. Returns when it is its turn."""
        if self._turns is None or self._held < self._turns.seconds:
            return
        if self._turns.somebody_due(self.share):
            self.end()
            self.begin()

    def begin(self) -> None:
        """Wait for the turn."""
        if self._turns is not None:
            self._turns.take(self)
        self._since = time.perf_counter()

    def end(self) -> None:
        """Give the turn away."""
        self._had, self._since = self.seconds, None
        if self._turns is not None:
            self._turns.give()


class Turns:
    """Gives the turn to one writer at a time: to the one that waits and has had the least so far.

    Args:
        seconds: how long a turn lasts at least; it ends between two tokens.
    """

    def __init__(self, seconds: float = TURN_SECONDS):
        self.seconds = seconds
        self._changed = threading.Condition()
        self._waiting: list[Turn] = []
        self._writing: Turn | None = None

    @contextmanager
    def joined(self) -> Iterator[Turn]:
        """A part in it, for as long as a text is written; begins with this writer's turn.

        Who comes later is counted to have had as much as the one that had the least: it gets its share from
        now on, and does not catch up.
        """
        with self._changed:
            there = [*self._waiting, *([self._writing] if self._writing else [])]
            turn = Turn(self, min((other.share for other in there), default=0.0))
        turn.begin()
        try:
            yield turn
        finally:
            turn.end()

    def take(self, turn: Turn) -> None:
        """Wait until it is this one's turn."""
        with self._changed:
            self._waiting.append(turn)
            self._changed.wait_for(lambda: self._writing is None and self._next() is turn)
            self._waiting.remove(turn)
            self._writing = turn

    def give(self) -> None:
        """End the turn that is."""
        with self._changed:
            self._writing = None
            self._changed.notify_all()

    def somebody_due(self, share: float) -> bool:
        """Whether one waits that has had no more than this."""
        with self._changed:
            return any(other.share <= share for other in self._waiting)

    def _next(self) -> Turn:
        return min(self._waiting, key=lambda other: other.share)
