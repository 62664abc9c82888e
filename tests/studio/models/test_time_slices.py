"""TimeSlices at the processor, by a clock of the tests' own: it goes on by what each token takes."""

import threading
import time
from types import SimpleNamespace

import pytest

from aigc_demo.studio.models import time_slices
from aigc_demo.studio.models.time_slices import TimeSlice, TimeSlices

UNIT = 1 / 64  # of a second: sums of it are exact


@pytest.fixture
def clock(monkeypatch):
    """Seconds; only who has the turn moves them."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time_slices, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def until(happened):
    """Wait for another thread; nothing is measured by it."""
    for _ in range(30_000):
        if happened():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen")


class Writers:
    """Writers of tokens that take so many units each, until the clock shows so many."""

    def __init__(self, slices, clock, last):
        self.slices, self.clock, self.last = slices, clock, last
        self.names, self.had, self.go = [], {}, threading.Event()
        self.threads = []

    def start(self, name, units, meanwhile=lambda: None):
        """One more, which then has the turn or waits for it; `meanwhile` is called after each token."""
        before = len(self.slices._waiting) + (self.slices._running is not None)
        self.threads.append(threading.Thread(target=self._write, args=(name, units, meanwhile)))
        self.threads[-1].start()
        until(lambda: len(self.slices._waiting) + (self.slices._running is not None) > before)

    def _write(self, name, units, meanwhile):
        with self.slices.joined() as time_slice:
            self.go.wait(30)
            while self.clock.now < self.last * UNIT:
                self.names.append(name)
                self.clock.now += units * UNIT
                meanwhile()
                time_slice.pass_on()
            self.had[name] = time_slice.seconds / UNIT

    def finish(self):
        self.go.set()
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads)


def test_a_turn_lasts_several_tokens_and_the_time_is_shared(clock):
    writers = Writers(TimeSlices(4 * UNIT), clock, last=34)
    for name in "ab":
        writers.start(name, 1)
    writers.finish()
    # Each begins with one token; then turns of four, for each of which the other waits.
    assert "".join(writers.names) == "ab" + "aaaabbbb" * 4
    assert writers.had == {"a": 17, "b": 17}


def test_one_whose_tokens_take_long_gets_no_larger_share(clock):
    writers = Writers(TimeSlices(2 * UNIT), clock, last=160)
    writers.start("slow", 16)
    writers.start("quick", 1)
    writers.finish()
    assert sum(writers.had.values()) * UNIT == clock.now
    assert abs(writers.had["slow"] - writers.had["quick"]) <= 16, "one of its tokens at most"


def test_who_comes_later_gets_a_share_from_then_on(clock):
    writers = Writers(TimeSlices(2 * UNIT), clock, last=96)

    def meanwhile():
        if clock.now == 64 * UNIT:
            writers.start("second", 1)

    writers.start("first", 1, meanwhile)
    writers.finish()
    assert set(writers.names[:64]) == {"first"}
    assert writers.had["second"] == pytest.approx(16, abs=2), "half of the last 32, not all to catch up"
    assert sum(writers.had.values()) == 96


def test_the_turn_goes_on_when_a_writer_fails():
    slices = TimeSlices()
    try:
        with slices.joined():
            raise RuntimeError("broken")
    except RuntimeError:
        pass
    with slices.joined() as time_slice:
        assert slices._running is time_slice
    assert slices._running is None


def test_who_is_alone_or_takes_no_part_never_waits(monkeypatch):
    with TimeSlices(0).joined() as time_slice:
        monkeypatch.setattr(TimeSlices, "acquire", lambda *who: pytest.fail("it waits"))
        for _ in range(100):
            time_slice.pass_on()
    TimeSlice().pass_on()


def test_who_has_not_begun_comes_before_all_who_have():
    slices, order = TimeSlices(10.0), []
    first = TimeSlice(slices)
    first.begin()
    first.has_started = True

    def writer(name, share, started):
        time_slice = TimeSlice(slices, share)
        time_slice.has_started = started
        time_slice.begin()
        order.append(name)
        time_slice.end()

    threads = [
        threading.Thread(target=writer, args=given)
        for given in (("little", 0.0, True), ("more", 5.0, True), ("new", 9.0, False))
    ]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        until(lambda number=number: len(slices._waiting) == number)
    assert slices.is_one_new()
    first.end()
    for thread in threads:
        thread.join(30)
    assert order == ["new", "little", "more"]


def test_a_new_one_passes_on_after_its_first_token_however_long_a_turn_is(clock):
    writers = Writers(TimeSlices(6000 * UNIT), clock, last=12)
    for name in "abc":
        writers.start(name, 1)
    writers.finish()
    assert "".join(writers.names) == "abc" + "a" * 9


def test_a_turn_is_due_to_who_has_not_begun_and_to_who_has_had_no_more():
    slices = TimeSlices()
    for started, share, due in ((False, 9.0, True), (True, 9.0, False), (True, 1.0, True), (True, 0.5, True)):
        waiting = TimeSlice(slices, share)
        waiting.has_started = started
        slices._waiting = [waiting]
        assert slices.is_one_due(1.0) == due and slices.is_one_new() == (not started)
    slices._waiting = []
    assert not slices.is_one_due(1.0) and not slices.is_one_new()
