"""What a command prints, and that printing never ends its work.

A console may know few characters (a Windows code page, ascii), its pipe may be closed, its disk full, its
terminal gone. What it cannot show is written as an escape (backslash, u, 6625); what it does not take is left
out, and the command asks afterwards whether that was so.
"""

import codecs
import errno
import io
import json
import os
import sys
import time
from typing import IO, Any

# Windows says EINVAL of a pipe that nobody reads.
CLOSED = {errno.EPIPE, errno.ESHUTDOWN, *((errno.EINVAL,) if os.name == "nt" else ())}
SECONDS_BETWEEN_TRIES = 0.01


class _NeverFails(io.RawIOBase):
    """A raw stream whose writes do not raise: after the first failure, nothing more is written.

    Args:
        inner: what it writes to.

    Attributes:
        failure: the first one; None while everything was written.
    """

    def __init__(self, inner: Any):
        self.inner = inner
        self.failure: OSError | None = None

    def write(self, content: Any) -> int:
        """Write all of it, and say so whatever became of it."""
        left = memoryview(content).cast("B")
        size = left.nbytes
        while left and self.failure is None:
            try:
                written = self.inner.write(left)
            except OSError as error:
                self.failure = error
                break
            if written is None:  # a pipe that does not block is full
                time.sleep(SECONDS_BETWEEN_TRIES)
            left = left[written or 0 :]
        return size

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The system's number of it."""
        return self.inner.fileno()

    def isatty(self) -> bool:
        """Whether somebody sits before it."""
        return self.inner.isatty()


def prepare_console() -> None:
    """Let standard output and error take every character, and never fail; to be called once, at the start.

    A stream that was closed when the process was started (`>&-`) leads nowhere: the next file that is opened
    would take its number, and get what C libraries and child processes print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)


def _prepared(stream: Any) -> Any:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8", errors="backslashreplace")
    raw = _raw(stream)
    if not isinstance(raw, io.RawIOBase) or isinstance(raw, _NeverFails):  # a test's own, or prepared before
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        return stream
    stream.flush()
    never_fails = _NeverFails(raw)
    unbuffered = stream.buffer is raw  # python -u
    return io.TextIOWrapper(
        never_fails if unbuffered else io.BufferedWriter(never_fails),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _raw(stream: Any) -> Any:
    """What a text stream writes to in the end; None where it is of another kind."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)


def reader_is_gone(stream: IO[str] | None = None) -> bool:
    """Whether whoever read standard output, or another stream, has closed it: no more is wanted."""
    failure = _failure(stream)
    return failure is not None and failure.errno in CLOSED


def not_printed(stream: IO[str] | None = None) -> OSError | None:
    """Why something could not be printed that is still wanted, such as a full disk; None where all was."""
    failure = _failure(stream)
    return None if failure is None or failure.errno in CLOSED else failure


def _failure(stream: IO[str] | None) -> OSError | None:
    raw = _raw(stream or sys.stdout)
    return raw.failure if isinstance(raw, _NeverFails) else None


def printable_json(line: str) -> str:
    """The same JSON as every reader of standard output reads it: in escapes where that is not UTF-8.

    Args:
        line: JSON, which may hold any character.
    """
    if _is_utf8(sys.stdout.encoding) and _is_unicode(line):
        return line
    return json.dumps(json.loads(line))


def _is_utf8(encoding: str | None) -> bool:
    return encoding is None or codecs.lookup(encoding).name == "utf-8"


def _is_unicode(text: str) -> bool:
    """Whether no half of a surrogate pair is in it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
