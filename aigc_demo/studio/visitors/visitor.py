"""The current visitor: the secret of their browser, for the duration of a call.

Runs that are not shared are for their owner alone, in lists, pickers and endpoints alike. Code that serves
nobody in particular (the command line, the queue's own work) asks as None and sees everything.
"""

import threading
from collections import OrderedDict
from contextvars import ContextVar

MOST_SESSIONS = 10_000

_current: ContextVar[str | None] = ContextVar("visitor", default=None)


def current_visitor() -> str | None:
    """The secret of the current visitor: "" where none was presented, None outside a visitor's call."""
    return _current.get()


def answer_to(secret: str | None) -> None:
    """Set the current visitor of this context."""
    _current.set(secret)


class Sessions:
    """The secret presented in each session of the page; the oldest sessions are dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: OrderedDict[str, str] = OrderedDict()

    def meet(self, session: str | None, secret: str) -> None:
        """Record the secret of a session, whose later calls belong to that visitor."""
        if not session:
            return
        with self._lock:
            self._secrets[session] = secret
            self._secrets.move_to_end(session)
            while len(self._secrets) > MOST_SESSIONS:
                self._secrets.popitem(last=False)

    def secret_of(self, session: str | None) -> str:
        """The secret of a session; "" for none."""
        with self._lock:
            return self._secrets.get(session or "", "")
