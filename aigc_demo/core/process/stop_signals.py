"""Signals that ask a training to stop with a checkpoint, as the page's Stop does, and a page to close."""

import _thread
import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

from aigc_demo.core.process.output_queue import wait_no_longer

# Ctrl-C, the end of a service, the end of a terminal, and on Windows Ctrl-Break.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

PATIENCE_SECONDS = 3.0
"""So long the work has, after the first signal, to end by itself and keep what it made."""


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
    """An event that each of these signals sets; a second Ctrl-C ends the process, 3 s after the first.

    Until then the step at hand may be done and its checkpoint saved, which somebody impatient would lose.
    No reader of the output is waited for any longer.

    Under nohup the end of the terminal stays ignored. A shell also lets what a script starts in the
    background ignore Ctrl-C; but who sends that signal to a training means it.
    """
    stop, asked = threading.Event(), 0.0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        wait_no_longer()
        if stop.is_set() and number == signal.SIGINT:
            left = asked + PATIENCE_SECONDS - time.monotonic()
            if left <= 0:
                raise KeyboardInterrupt
            _interrupt_after(left)
            return
        asked = time.monotonic()
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


def _interrupt_after(seconds: float) -> None:
    """Another Ctrl-C then, unless the process has ended by itself."""
    later = threading.Timer(seconds + 0.01, _thread.interrupt_main)
    later.daemon = True
    later.start()


def end_in_peace(stop: threading.Event) -> None:
    """The work that was to stop is done and kept: what is left ends by itself, and no Ctrl-C disturbs it."""
    if stop.is_set():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
