"""Who is asking: the secret that a visitor's browser keeps, for as long as a call of the page is answered.

Runs that are not shared are for their owner alone, in lists, pickers and endpoints alike. Code that serves
nobody in particular (the command line, the queue's own work) asks as None and sees everything.
"""

import threading
from collections import OrderedDict
from contextvars import ContextVar

MOST_SESSIONS = 10_000

_current: ContextVar[str | None] = ContextVar("visitor", default=None)


def current_visitor() -> str | None:
    """The secret of who asks: "" for somebody who showed none, None for nobody in particular."""
    return _current.get()


def answer_to(secret: str | None) -> None:
    """From here on, in this context, this visitor is answered."""
    _current.set(secret)


class Sessions:
    """Which secret was shown in which session of the page; the oldest sessions are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: OrderedDict[str, str] = OrderedDict()

    def meet(self, session: str | None, secret: str) -> None:
        """A secret was shown in a session: whoever goes on in it is that visitor."""
        if not session:
            return
        with self._lock:
            self._secrets[session] = secret
            self._secrets.move_to_end(session)
            while len(self._secrets) > MOST_SESSIONS:
                self._secrets.popitem(last=False)

    def secret_of(self, session: str | None) -> str:
        """The secret that was shown in a session; "" for none."""
        with self._lock:
            return self._secrets.get(session or "", "")
