"""Signals that stop a training run with a checkpoint, as the page's Stop does, or shut down the page."""

import _thread
import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

from aigc_demo.core.process.output_queue import stop_waiting

# Ctrl-C, service shutdown, closed terminal, and on Windows Ctrl-Break.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

PATIENCE_SECONDS = 3.0
"""How long a run may take after the first signal to save its checkpoint and exit."""


class StopAskedError(BaseException):
    """A stop was requested while there is nothing to save yet.

    Not a subclass of `Exception`, so that no library catches it.
    """


_ends_at_once = threading.Event()


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Inside, the first signal raises `StopAskedError`.

    Python handles a signal between two bytecode instructions. Native code that runs for long belongs in a
    subprocess, which exits when this process stops waiting for it.
    """
    _ends_at_once.set()
    try:
        yield
    finally:
        _ends_at_once.clear()


def stop_on_signals() -> threading.Event:
    """An event that each of these signals sets; a second Ctrl-C ends the process, at the earliest 3 s after
    the first.

    In these 3 s the current step can finish and its checkpoint be saved. From the first signal on, no reader
    of the output is waited for.

    Under nohup SIGHUP stays ignored. SIGINT is handled even where a shell has set it to be ignored, as it
    does for background processes of a script.
    """
    stop, asked = threading.Event(), 0.0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        stop_waiting()
        if stop.is_set() and number == signal.SIGINT:
            left = asked + PATIENCE_SECONDS - time.monotonic()
            if left <= 0:
                raise KeyboardInterrupt
            _interrupt_after(left)
            return
        asked = time.monotonic()
        stop.set()
        if _ends_at_once.is_set():
            _ends_at_once.clear()  # only once: cleanup must not be interrupted
            raise StopAskedError

    for name in NAMES:
        number = getattr(signal, name, None)  # SIGHUP is missing on Windows, SIGBREAK elsewhere
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue
        signal.signal(number, on_signal)
    return stop


def _interrupt_after(seconds: float) -> None:
    """Raise KeyboardInterrupt in the main thread after a delay, if the process is still running."""
    later = threading.Timer(seconds + 0.01, _thread.interrupt_main)
    later.daemon = True
    later.start()


def ignore_interrupts(stop: threading.Event) -> None:
    """After a requested stop has saved everything: ignore Ctrl-C while the process exits."""
    if stop.is_set():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
