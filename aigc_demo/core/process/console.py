"""What a command prints, and that printing never ends its work.

A console may know few characters (a Windows code page, ascii), its pipe may be closed, its disk full, its
terminal gone or halted. What it cannot show is written as an escape (backslash, u, 6625); what it does not
take is left out, and the command asks afterwards whether that was so. What files and strangers say moves no
cursor.
"""

import atexit
import codecs
import errno
import io
import json
import os
import sys
import unicodedata
from typing import IO, Any

from aigc_demo.core.process.output_queue import OutputQueue

# Windows says EINVAL of a pipe that nobody reads.
CLOSED = {errno.EPIPE, errno.ESHUTDOWN, *((errno.EINVAL,) if os.name == "nt" else ())}
# They turn the order of what is shown around, so that a name looks like another one.
TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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
    atexit.register(finish_printing)


def finish_printing() -> None:
    """Wait until readers have taken what was printed; not long, once somebody asked for the end."""
    for stream in (sys.stdout, sys.stderr):
        raw = _raw(stream)
        if isinstance(raw, OutputQueue):
            stream.flush()
            raw.finish()


def reader_is_behind(stream: IO[str] | None = None) -> bool:
    """Whether so much waits for the reader of standard output that what can be left out should be."""
    raw = _raw(stream or sys.stdout)
    return isinstance(raw, OutputQueue) and raw.is_behind


def readable(text: object, keep: str = "") -> str:
    """A text as it may go to a terminal: what moves the cursor, or turns letters around, as an escape.

    Args:
        text: from a file or a stranger, such as a name.
        keep: control characters that are wanted, such as a line feed.
    """
    return "".join(
        letter if letter in keep or not _controls(letter) else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )


def _controls(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp") or letter in TURNING


def _prepared(stream: Any) -> Any:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8", errors="backslashreplace")
    raw = _raw(stream)
    if not isinstance(raw, io.RawIOBase) or isinstance(raw, OutputQueue):  # a test's own, or prepared before
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        return stream
    stream.flush()
    queue = OutputQueue(raw)
    unbuffered = stream.buffer is raw  # python -u
    return io.TextIOWrapper(
        queue if unbuffered else io.BufferedWriter(queue),
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
    return raw.failure if isinstance(raw, OutputQueue) else None


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
