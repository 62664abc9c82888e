"""Cancel tokens of what a page computes, and a queue of jobs for each owner."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aigc_demo.core.errors import InputError

MOST_QUEUED = 8
WAIT_SECONDS = 0.25


def new_ticket() -> str:
    """A secret of the server that identifies an owner: only who was given it can present it."""
    return secrets.token_urlsafe()


class CancelToken(threading.Event):
    """Set when a job is to end; one of its columns can be cancelled alone.

    Args:
        models: the model that generates in each column of the page.
    """

    def __init__(self, models: Mapping[int, str] | None = None):
        super().__init__()
        self.models = dict(models or {})
        self._left = {column: threading.Event() for column in self.models}
        self._successors: dict[int, str] = {}

    def leave(self, column: int, successor: str) -> None:
        """Cancel one column; with the last column the whole job is cancelled.

        Args:
            column: of `models`.
            successor: the model that was chosen for it.
        """
        self._successors[column] = successor
        self._left[column].set()
        if all(event.is_set() for event in self._left.values()):
            self.set()

    def has_left(self, column: int) -> bool:
        """Whether another model was chosen for this column meanwhile."""
        return column in self._left and self._left[column].is_set()

    def take_successor(self, column: int) -> str:
        """The model that a column was left for, once each time; "" where there is nothing new.

        Whoever shows snapshots shows the successor's column once: the answer to the choice itself may have
        overtaken a snapshot that was computed before it.
        """
        return self._successors.pop(column, "")

    def of_work(self, number: int) -> "ColumnToken":
        """The token of one worker: workers are numbered in the order of their columns."""
        columns = list(self.models)
        return ColumnToken(self, self._left[columns[number]] if number < len(columns) else self)


class ColumnToken:
    """Set when the whole job is cancelled, or this column alone."""

    def __init__(self, whole: threading.Event, own: threading.Event):
        self._whole, self._own = whole, own

    def is_set(self) -> bool:
        """As an event's."""
        return self._whole.is_set() or self._own.is_set()


class Place(CancelToken):
    """A job's place in the queue of its owner.

    Attributes:
        work: the button that was pressed; "" for none.
        repeated: whether the last press of that button still runs or waits: this one does nothing.
    """

    def __init__(
        self,
        queue: list["Place"],
        changed: threading.Condition,
        models: Mapping[int, str] | None,
        work: str = "",
        *,
        repeated: bool = False,
    ):
        super().__init__(models)
        self._queue, self._changed = queue, changed
        self.work, self.repeated = work, repeated

    def waits(self, seconds: float = WAIT_SECONDS) -> bool:
        """Whether others are still before it after this time; returns as soon as none is, or on Stop."""
        with self._changed:
            first = self._changed.wait_for(lambda: self._queue[0] is self or self.is_set(), seconds)
        return not first


class Cancellation:
    """The registry of cancel tokens: a queue of jobs for each owner, by its ticket.

    Tickets are generated here (`new_ticket`) and never by a client, whose own could be guessed or copied.
    One job of an owner runs at a time, so two of them never write into the same columns.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: dict[str, list[Place]] = {}

    @contextmanager
    def joined(
        self,
        ticket: str,
        models: Mapping[int, str] | None = None,
        *,
        work: str = "",
        may_wait: bool = True,
    ) -> Iterator[Place]:
        """Queue a job for the duration of the context; its place is the token that Stop sets.

        Args:
            ticket: of the owner.
            models: the model in each column of the page, where a column can be cancelled alone (`leave`).
            work: the button that was pressed. While its last press still runs or waits, and was not stopped,
                the next gets a place that is `repeated` and is not queued: a double click counts once, and a
                press after Stop waits until what was stopped has ended.
            may_wait: whether it may wait for the owner's other jobs (see `Place.waits`).

        Raises:
            InputError: too many wait already, or one runs and this one may not wait.
        """
        with self._changed:
            queue = self._queues.get(ticket, [])
            repeated = bool(work) and any(place.work == work and not place.is_set() for place in queue)
            if not repeated and len(queue) >= (MOST_QUEUED if may_wait else 1):
                raise InputError("still_writing")
            place = Place(queue, self._changed, models, work, repeated=repeated)
            if not repeated:
                queue.append(place)
                self._queues[ticket] = queue
        if repeated:
            yield place
            return
        try:
            yield place
        finally:
            place.set()
            with self._changed:
                queue.remove(place)
                if not queue:
                    self._queues.pop(ticket, None)
                self._changed.notify_all()

    def stop(self, ticket: str) -> bool:
        """Cancel the running and waiting jobs of this ticket; whether there were any."""
        with self._changed:
            queue = tuple(self._queues.get(ticket, ()))
            for place in queue:
                place.set()
            self._changed.notify_all()
        return bool(queue)

    def leave(self, ticket: str, column: int, model: str) -> bool:
        """Another model was chosen for a column: the job's part in that column is cancelled.

        Returns:
            Whether this very model generates in that column already, so that nothing changes.
        """
        with self._changed:
            for place in self._queues.get(ticket, ()):
                if place.models.get(column) == model and not place.has_left(column):
                    return True
                if column in place.models:
                    place.leave(column, model)
            self._changed.notify_all()
        return False
