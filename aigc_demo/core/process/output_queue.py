"""Output that never fails, and waits for no reader once somebody asked for the end.

A write to a pipe that nobody reads blocks without bound (`| less` left standing, Ctrl-S, a parent that
hangs), and Python repeats it after every signal. So a thread writes, in order. A write waits for that thread,
as any write does, but for a moment only: a stalled reader gets the rest when it reads on.
"""

import contextlib
import errno
import io
import os
import threading
import time
from collections import deque
from typing import Any

MOMENT_SECONDS = 0.1
"""So long a write waits for a reader that has read all until then."""

MOST_BYTES = 16 * 2**20
"""So much may wait for a reader; a write that would add to it waits itself, until the end is asked for."""

END_SECONDS = 0.8
"""So long a process that was asked to end still waits for its readers."""

SECONDS_BETWEEN_TRIES = 0.01

_hurry = False


def wait_no_longer() -> None:
    """The end was asked for: give output up instead of waiting for its reader. May be called by a signal."""
    global _hurry
    _hurry = True


class OutputQueue(io.RawIOBase):
    """A raw stream whose writes do not raise: after the first failure, nothing more is written.

    Args:
        inner: what it writes to.

    Attributes:
        failure: the first one; None while everything was written.
    """

    def __init__(self, inner: Any):
        self.inner = inner
        self.failure: OSError | None = None
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Nothing waits, and no thread writes: so it is in a new process, which inherits no threads."""
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stalled = self._given_up = False

    def write(self, content: Any) -> int:
        """Take all of it, and say so whatever becomes of it."""
        taken = bytes(content)
        if not taken or self._given_up or self.failure is not None:
            return len(taken)
        if not self._has_thread():
            self._write_all(taken)
            return len(taken)
        with self._changed:
            while self._bytes > MOST_BYTES and not _hurry:
                self._changed.wait(MOMENT_SECONDS)
            if self._bytes > MOST_BYTES:
                return len(taken)
            self._waiting.append(taken)
            self._bytes += len(taken)
            self._changed.notify_all()
            if not self._stalled:
                self._stalled = not self._changed.wait_for(lambda: not self._bytes, MOMENT_SECONDS)
        return len(taken)

    @property
    def is_behind(self) -> bool:
        """Whether the reader is so far behind that what can be left out should be."""
        return self._bytes > MOST_BYTES // 2

    def finish(self) -> None:
        """Wait until all is written: as long as the reader takes, but not once the end was asked for."""
        asked = None
        with self._changed:
            while self._bytes:
                if _hurry:
                    asked = time.monotonic() if asked is None else asked
                    if time.monotonic() - asked > END_SECONDS:
                        self._given_up = True
                        return
                self._changed.wait(MOMENT_SECONDS)

    def _has_thread(self) -> bool:
        """Whether a thread writes; it is started by the first write."""
        if self._thread is None:
            thread = threading.Thread(target=self._write_on, name="output", daemon=True)
            with contextlib.suppress(RuntimeError):  # no more threads: then without
                thread.start()
                self._thread = thread
        return self._thread is not None

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                content = self._waiting.popleft()
            self._write_all(content)
            with self._changed:
                if self.failure is not None:
                    self._waiting.clear()
                    self._bytes = len(content)
                self._bytes -= len(content)
                self._stalled = self._stalled and bool(self._bytes)
                self._changed.notify_all()

    def _write_all(self, content: bytes) -> None:
        left = memoryview(content)
        while left and self.failure is None:
            try:
                written = self.inner.write(left)
            except OSError as error:
                self.failure = error
                return
            except ValueError:  # somebody closed it
                self.failure = OSError(errno.EBADF, os.strerror(errno.EBADF))
                return
            if written is None:  # a pipe that does not block is full
                time.sleep(SECONDS_BETWEEN_TRIES)
            left = left[written or 0 :]

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The system's number of it."""
        return self.inner.fileno()

    def isatty(self) -> bool:
        """Whether somebody sits before it."""
        return self.inner.isatty()
