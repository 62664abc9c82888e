"""Cancel tokens of the works of the page, in a line for each owner."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aigc_demo.core.errors import InputError

MOST_IN_LINE = 8
WAIT_SECONDS = 0.25


def new_ticket() -> str:
    """A secret of the server: whoever shows it is the one that it was given to."""
    return secrets.token_urlsafe()


class CancelToken(threading.Event):
    """Set when the work under way is to end; one of its columns can be ended alone.

    Args:
        models: what works in which column of the page.
    """

    def __init__(self, models: Mapping[int, str] | None = None):
        super().__init__()
        self.models = dict(models or {})
        self._left = {column: threading.Event() for column in self.models}
        self._successors: dict[int, str] = {}

    def leave(self, column: int, successor: str) -> None:
        """End the work of one column; with the last one everything has ended.

        Args:
            column: of `models`.
            successor: the model that was chosen for it.
        """
        self._successors[column] = successor
        self._left[column].set()
        if all(event.is_set() for event in self._left.values()):
            self.set()

    def has_left(self, column: int) -> bool:
        """Whether the page shows something else in this column meanwhile."""
        return column in self._left and self._left[column].is_set()

    def take_successor(self, column: int) -> str:
        """The model that a column was left for, once each time; "" where there is nothing new.

        Whoever shows snapshots shows the successor's column once: the answer to the choice itself may have
        overtaken a snapshot that was computed before it.
        """
        return self._successors.pop(column, "")

    def of_work(self, number: int) -> "ColumnToken":
        """What the work of this number asks: works are numbered in the order of their columns."""
        columns = list(self.models)
        return ColumnToken(self, self._left[columns[number]] if number < len(columns) else self)


class ColumnToken:
    """Set when everything is to end, or this column alone."""

    def __init__(self, whole: threading.Event, own: threading.Event):
        self._whole, self._own = whole, own

    def is_set(self) -> bool:
        """As an event's."""
        return self._whole.is_set() or self._own.is_set()


class Place(CancelToken):
    """A place in the line of one owner's works.

    Attributes:
        work: the button that was pressed; "" for none.
        repeated: whether it was pressed while its last press still runs or waits: nothing is to be done.
    """

    def __init__(
        self,
        line: list["Place"],
        changed: threading.Condition,
        models: Mapping[int, str] | None,
        work: str = "",
        *,
        repeated: bool = False,
    ):
        super().__init__(models)
        self._line, self._changed = line, changed
        self.work, self.repeated = work, repeated

    def waits(self, seconds: float = WAIT_SECONDS) -> bool:
        """Whether others are before it after this time; returns sooner when they are not. Stop ends it."""
        with self._changed:
            first = self._changed.wait_for(lambda: self._line[0] is self or self.is_set(), seconds)
        return not first


class Cancellation:
    """The registry of cancel tokens: a line of works for each owner, by its ticket.

    Tickets are made here (`new_ticket`) and never by a client, whose own names could be guessed or chosen
    to be another's. One work of an owner runs at a time, so two texts never run into the same columns.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines: dict[str, list[Place]] = {}

    @contextmanager
    def joined(
        self,
        ticket: str,
        models: Mapping[int, str] | None = None,
        *,
        work: str = "",
        may_wait: bool = True,
    ) -> Iterator[Place]:
        """A place in the owner's line, set by Stop, for as long as the work lasts.

        Args:
            ticket: whose work it is.
            models: what works in which column of the page, where one can be ended alone (`leave`).
            work: the button that was pressed. While its last press still runs or waits, and was not stopped,
                the next gets a place that is `repeated` and stands in no line: a double click asks once, and
                a press after Stop waits until what was stopped has ended.
            may_wait: whether it may wait until the owner's others are done: `waits` says when they are.

        Raises:
            InputError: too many wait already, or one works and this one may not wait.
        """
        with self._changed:
            line = self._lines.get(ticket, [])
            repeated = bool(work) and any(place.work == work and not place.is_set() for place in line)
            if not repeated and len(line) >= (MOST_IN_LINE if may_wait else 1):
                raise InputError("still_writing")
            place = Place(line, self._changed, models, work, repeated=repeated)
            if not repeated:
                line.append(place)
                self._lines[ticket] = line
        if repeated:
            yield place
            return
        try:
            yield place
        finally:
            place.set()
            with self._changed:
                line.remove(place)
                if not line:
                    self._lines.pop(ticket, None)
                self._changed.notify_all()

    def stop(self, ticket: str) -> bool:
        """Stop what is written under this ticket, and what waits; whether there was anything."""
        with self._changed:
            line = tuple(self._lines.get(ticket, ()))
            for place in line:
                place.set()
            self._changed.notify_all()
        return bool(line)

    def leave(self, ticket: str, column: int, model: str) -> bool:
        """Another model was chosen for a column: what the one before does there ends.

        Returns:
            Whether this very model works in that column already, so that nothing is to be changed.
        """
        with self._changed:
            for place in self._lines.get(ticket, ()):
                if place.models.get(column) == model and not place.has_left(column):
                    return True
                if column in place.models:
                    place.leave(column, model)
            self._changed.notify_all()
        return False
