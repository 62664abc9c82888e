"""Signals that ask a training to stop with a checkpoint, as the page's Stop does, and a page to close."""

import signal
import threading
from types import FrameType

# Ctrl-C, the end of a service, the end of a terminal, and on Windows Ctrl-Break.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


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

    for name in NAMES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP, and others have no SIGBREAK
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue
        signal.signal(number, on_signal)
    return stop
