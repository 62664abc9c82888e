"""Who is writing on the page, and how it is stopped."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aigc_demo.core.errors import InputError


def new_ticket() -> str:
    """A secret of the server: whoever shows it is the one that it was given to."""
    return secrets.token_urlsafe()


class StopBook:
    """Who is writing, and how to stop it: one event for each text under way, by its owner's ticket.

    Tickets are made here (`new_ticket`) and never by a client, whose own names could be guessed or chosen
    to be another's. An owner who is writing must stop first; so two texts never run into the same columns.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, threading.Event] = {}

    @contextmanager
    def writing(self, ticket: str) -> Iterator[threading.Event]:
        """The event that Stop sets, for as long as the text is written.

        Raises:
            InputError: this owner's last text is still being written.
        """
        event = threading.Event()
        with self._lock:
            if ticket in self._events:
                raise InputError("still_writing")
            self._events[ticket] = event
        try:
            yield event
        finally:
            event.set()
            with self._lock:
                del self._events[ticket]

    def stop(self, ticket: str) -> bool:
        """Stop what is written under this ticket; whether there was anything."""
        with self._lock:
            event = self._events.get(ticket)
        if event is not None:
            event.set()
        return event is not None
