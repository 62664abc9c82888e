"""Output stream that never raises, and stops waiting for its reader once the process is asked to exit.

A write to a full pipe blocks until the reader continues (`| less`, Ctrl-S, a parent that hangs), and Python
retries it after every signal. So a thread does the writing, in order. A call of `write` waits for the thread
only for a short time: a slow reader gets the rest when it continues.
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
"""How long a write waits for a reader that is not behind."""

MOST_BYTES = 16 * 2**20
"""Size of the queue; a write to a full queue blocks, until the process is asked to exit."""

END_SECONDS = 0.8
"""How long a process that was asked to exit still waits for its readers."""

SECONDS_BETWEEN_TRIES = 0.01

_hurry = False


def stop_waiting() -> None:
    """Drop output instead of waiting for its reader. Safe to call in a signal handler."""
    global _hurry
    _hurry = True


class OutputQueue(io.RawIOBase):
    """A raw stream whose writes do not raise; after the first error nothing more is written.

    Args:
        inner: the raw stream to write to.

    Attributes:
        failure: the first error, or None.
    """

    def __init__(self, inner: Any):
        self.inner = inner
        self.failure: OSError | None = None
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Empty queue and no thread: the state after a fork, which does not copy threads."""
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stalled = self._given_up = False

    def write(self, content: Any) -> int:
        """Queue the content; always returns its full length."""
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
        """Whether the queue is more than half full."""
        return self._bytes > MOST_BYTES // 2

    def finish(self) -> None:
        """Wait until everything is written, or END_SECONDS once the process was asked to exit."""
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
        """Whether the writer thread runs; the first write starts it."""
        if self._thread is None:
            thread = threading.Thread(target=self._write_on, name="output", daemon=True)
            with contextlib.suppress(RuntimeError):  # no more threads: write directly
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
            except ValueError:  # the stream was closed
                self.failure = OSError(errno.EBADF, os.strerror(errno.EBADF))
                return
            if written is None:  # a non-blocking pipe is full
                time.sleep(SECONDS_BETWEEN_TRIES)
            left = left[written or 0 :]

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The file descriptor."""
        return self.inner.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.inner.isatty()
