"""Signals that ask a training to stop with a checkpoint, as the page's Stop does, and a page to close."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Ctrl-C, the end of a service, the end of a terminal, and on Windows Ctrl-Break.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class StopAskedError(BaseException):
    """Somebody wants the work to end, and there is nothing yet that could be kept.

    No `Exception`: what a library makes of a failure does not concern it.
    """


_ends_at_once = threading.Event()


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Inside, the first signal ends what is being done by `StopAskedError`.

    A signal is heard between two steps of Python. What stays outside of Python for longer than somebody would
    wait belongs into a process of its own, which ends when this one stops waiting for it.
    """
    _ends_at_once.set()
    try:
        yield
    finally:
        _ends_at_once.clear()


def stop_on_signals() -> threading.Event:
    """An event that each of these signals sets; a second Ctrl-C ends the process at once.

    Under nohup the end of the terminal stays ignored. A shell also lets what a script starts in the
    background ignore Ctrl-C; but who sends that signal to a training means it.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()
        if _ends_at_once.is_set():
            _ends_at_once.clear()  # once: what is cleaned up now is not to be disturbed
            raise StopAskedError

    for name in NAMES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP, and others have no SIGBREAK
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue
        signal.signal(number, on_signal)
    return stop
