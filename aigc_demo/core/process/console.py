"""Console output that never raises.

A console may have a small character set (a Windows code page, ascii); its pipe may be closed, its disk full,
its terminal closed or halted. Characters that it cannot encode are written as escapes (backslash, u, 6625);
output that cannot be written is dropped, and the command checks afterwards whether any was. Untrusted text
cannot move the cursor.
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

# Windows raises EINVAL for a pipe whose reader has closed it.
CLOSED = {errno.EPIPE, errno.ESHUTDOWN, *((errno.EINVAL,) if os.name == "nt" else ())}
# Bidirectional controls change the order in which characters are shown, so one name can look like another.
BIDIRECTIONAL = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def prepare_console() -> None:
    """Make standard output and error accept every character and never raise; call it once, at the start.

    A stream that was closed at the start of the process (`>&-`) is redirected to os.devnull: otherwise the
    next file that is opened would get its descriptor, and the output of C libraries and child processes.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)
    atexit.register(finish_printing)


def finish_printing() -> None:
    """Wait until all output is written; only for a short time once the process was asked to exit."""
    for stream in (sys.stdout, sys.stderr):
        raw = _raw(stream)
        if isinstance(raw, OutputQueue):
            stream.flush()
            raw.finish()


def reader_is_behind(stream: IO[str] | None = None) -> bool:
    """Whether the reader of standard output is so far behind that optional output should be dropped."""
    raw = _raw(stream or sys.stdout)
    return isinstance(raw, OutputQueue) and raw.is_behind


def readable(text: object, keep: str = "") -> str:
    """Untrusted text for a terminal: control and bidirectional characters are escaped.

    Args:
        text: converted by `str`.
        keep: control characters to keep, such as a line feed.
    """
    return "".join(
        letter if letter in keep or not _is_control(letter) else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp") or letter in BIDIRECTIONAL


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
    """The raw stream under a text stream, or None."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)


def reader_is_gone(stream: IO[str] | None = None) -> bool:
    """Whether the reader of a stream, standard output by default, has closed it."""
    failure = _failure(stream)
    return failure is not None and failure.errno in CLOSED


def not_printed(stream: IO[str] | None = None) -> OSError | None:
    """The error, such as a full disk, for which output was lost; None if none was, or the reader is gone."""
    failure = _failure(stream)
    return None if failure is None or failure.errno in CLOSED else failure


def _failure(stream: IO[str] | None) -> OSError | None:
    raw = _raw(stream or sys.stdout)
    return raw.failure if isinstance(raw, OutputQueue) else None


def printable_json(line: str) -> str:
    """A line of JSON for standard output: ASCII with escapes where the output or the text is not UTF-8."""
    if _is_utf8(sys.stdout.encoding) and _is_unicode(line):
        return line
    return json.dumps(json.loads(line))


def _is_utf8(encoding: str | None) -> bool:
    return encoding is None or codecs.lookup(encoding).name == "utf-8"


def _is_unicode(text: str) -> bool:
    """Whether it contains no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
