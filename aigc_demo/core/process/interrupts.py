"""Ctrl-C at any time: one line and exit code 130, never a stack trace.

Imported before any large library. During imports there is nothing to clean up, and an exception may be
converted into another one (numpy's C extensions "failed to import"), so Ctrl-C exits the process
immediately. While a command works it raises `KeyboardInterrupt`, so that unfinished files are removed.
"""

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any

EXIT_CODE = 130  # 128 plus the signal number, the convention of shells
SENTENCE = "Interrupted."

_installed = _seen = False


def is_the_program() -> bool:
    """Whether this package is imported by `python -m aigc_demo` or `python app.py`."""
    as_module = sys.argv[:1] == ["-m"] and not {"aigc_demo", "-maigc_demo"}.isdisjoint(sys.orig_argv)
    return as_module or os.path.basename(sys.argv[0] if sys.argv else "") == "app.py"


def end_at_once() -> None:
    """Let Ctrl-C exit the process from here on, unless the shell has set it to be ignored."""
    global _installed
    if not _installed and signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    _installed = True
    signal.signal(signal.SIGINT, _end)
    sys.unraisablehook = _unraisable


def raise_in_work() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt` from here on, if `end_at_once` was called before."""
    if _installed:
        signal.signal(signal.SIGINT, _raise)


def end_at_once_again() -> None:
    """Let Ctrl-C exit the process again: an exception must not disturb Python's shutdown."""
    if _installed and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)


def was_interrupted() -> bool:
    """Whether a `KeyboardInterrupt` was raised: a library may have converted it into another exception."""
    return _seen


def _raise(number: int, frame: FrameType | None) -> None:
    global _seen
    _seen = True
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    # A terminal halted by Ctrl-S would block the write.
    with contextlib.suppress(OSError):
        if sys.stderr is None or _takes_a_line(2):
            os.write(2, f"{SENTENCE}\n".encode())
    os._exit(EXIT_CODE)


def _takes_a_line(number: int) -> bool:
    if os.name == "nt":
        return True
    import select

    return bool(select.select([], [number], [], 0)[1])


def _unraisable(problem: Any) -> None:
    """Handle a Ctrl-C in a callback that cannot raise, which imports have."""
    if problem.exc_type is KeyboardInterrupt:
        _end(signal.SIGINT, None)
    sys.__unraisablehook__(problem)
