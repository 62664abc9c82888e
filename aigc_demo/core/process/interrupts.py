"""Ctrl-C at any moment: one line and exit code 130, never a stack trace.

Imported before anything large. While libraries are imported there is nothing to keep, and an exception in
their midst may come out as another one (numpy's C extensions "failed to import"): there a Ctrl-C ends the
process at once. In the work of a command it is a `KeyboardInterrupt`, so that half-made files are removed.
"""

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any

EXIT_CODE = 130  # 128 and the number of the signal, as shells have it
SENTENCE = "Interrupted."

_installed = _seen = False


def is_the_program() -> bool:
    """Whether this package is being imported to be run: `python -m aigc_demo` or `python app.py`."""
    as_module = sys.argv[:1] == ["-m"] and not {"aigc_demo", "-maigc_demo"}.isdisjoint(sys.orig_argv)
    return as_module or os.path.basename(sys.argv[0] if sys.argv else "") == "app.py"


def end_at_once() -> None:
    """From here on a Ctrl-C ends the process; one that a shell's script is to ignore stays ignored."""
    global _installed
    if not _installed and signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    _installed = True
    signal.signal(signal.SIGINT, _end)
    sys.unraisablehook = _unraisable


def raise_in_work() -> None:
    """From here on a Ctrl-C is a `KeyboardInterrupt`; only where `end_at_once` was called before."""
    if _installed:
        signal.signal(signal.SIGINT, _raise)


def end_at_once_again() -> None:
    """The work is done, and what Python does at its end is not to be disturbed by an exception."""
    if _installed and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)


def was_interrupted() -> bool:
    """Whether a Ctrl-C was raised in the work: a library may have made another exception of it."""
    return _seen


def _raise(number: int, frame: FrameType | None) -> None:
    global _seen
    _seen = True
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    # A terminal that was halted by Ctrl-S takes no line, and is not waited for.
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
    """A Ctrl-C that came in a callback that cannot raise, as importing has them."""
    if problem.exc_type is KeyboardInterrupt:
        _end(signal.SIGINT, None)
    sys.__unraisablehook__(problem)
