"""Output that waits for its reader only until the end is asked for."""

import errno
import threading
import time

import pytest

from aigc_demo.core.process import output_queue
from aigc_demo.core.process.output_queue import OutputQueue


class Reader:
    """Takes nothing until it is let go, then all, or fails."""

    def __init__(self, failure: Exception | None = None):
        self.goes_on, self.failure, self.got = threading.Event(), failure, b""

    def write(self, content: memoryview) -> int:
        self.goes_on.wait(60)
        if self.failure:
            raise self.failure
        self.got += bytes(content[:7])  # never all at once
        return min(7, len(content))


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_queue, "_hurry", False)


def seconds_of(work) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def test_a_stalled_reader_is_waited_for_once_and_gets_all_in_order() -> None:
    reader = Reader()
    queue = OutputQueue(reader)
    lines = [f"line {number}\n".encode() for number in range(500)]
    assert seconds_of(lambda: [queue.write(line) for line in lines]) < 5  # 50 s with a moment for each
    assert reader.got == b""
    reader.goes_on.set()
    queue.finish()
    assert reader.got == b"".join(lines)


def test_what_a_reader_takes_is_there_when_the_write_returns() -> None:
    reader = Reader()
    reader.goes_on.set()
    queue = OutputQueue(reader)
    for number in range(1, 50):
        queue.write(b"0123456789")
        assert reader.got == b"0123456789" * number


def test_a_full_queue_waits_until_the_end_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_queue, "MOST_BYTES", 100)
    queue = OutputQueue(Reader())
    assert not queue.is_behind
    queue.write(b"x" * 101)
    assert queue.is_behind
    writing = threading.Thread(target=queue.write, args=(b"more",), daemon=True)
    writing.start()
    writing.join(0.5)
    assert writing.is_alive()
    output_queue.stop_waiting()
    writing.join(10)
    assert not writing.is_alive()
    assert seconds_of(queue.finish) < 10
    assert queue.write(b"given up") == 8


@pytest.mark.parametrize(
    ("failure", "number"),
    [(OSError(errno.EPIPE, "closed"), errno.EPIPE), (ValueError("closed file"), errno.EBADF)],
)
def test_after_a_failure_nothing_waits(failure: Exception, number: int) -> None:
    reader = Reader(failure)
    queue = OutputQueue(reader)
    queue.write(b"one")
    queue.write(b"two")
    reader.goes_on.set()
    queue.finish()
    assert queue.failure and queue.failure.errno == number
    assert queue.write(b"three") == 5
