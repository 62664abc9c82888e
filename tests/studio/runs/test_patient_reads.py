import threading

import pytest

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.runs import patient_reads
from aigc_demo.studio.runs.patient_reads import PatientReads


class Disk:
    """Values by key; those in `hanging` come when they are let go."""

    def __init__(self, **values):
        self.values, self.hanging, self.read = values, {}, []
        self.began = threading.Semaphore(0)

    def __call__(self, key):
        self.read.append(key)
        value = self.values[key]
        self.began.release()
        if key in self.hanging:
            assert self.hanging[key].wait(30)
        if isinstance(value, Exception):
            raise value
        return value

    def hang(self, key):
        self.hanging[key] = threading.Event()
        return self.hanging[key]


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(patient_reads, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(patient_reads, "ALONE_SECONDS", 0.05)


def known(answers):
    return {answer.key: (answer.value, answer.fresh) for answer in answers}


def quiet(reads, key):
    """Nobody reads the key any more."""
    while key in reads._under_way:
        pass


def test_what_answers_is_read_anew_each_time():
    disk = Disk(a=1, b=2)
    reads = PatientReads(disk)
    assert reads.get("a") == 1
    disk.values["a"] = 3
    assert known(reads.all("ab")) == {"a": (3, True), "b": (2, True)}
    assert disk.read == ["a", "b", "a"], "b was never read before, so it comes first"


def test_one_that_hangs_holds_up_no_other_and_stands_as_it_was():
    disk = Disk(a=1, b=2, c=3)
    reads = PatientReads(disk)
    reads.all("abc")
    disk.values.update(a=10, b=20, c=30)
    let_go = disk.hang("b")
    assert known(reads.all("abc")) == {"a": (10, True), "b": (2, False), "c": (30, True)}
    count = len(disk.read)
    assert (reads.get("b"), reads.get("a")) == (2, 10)
    assert disk.read[count:] == ["a"], "b is left alone while it is being read"
    let_go.set()
    quiet(reads, "b")
    disk.hanging.clear()
    assert known(reads.all("b")) == {"b": (20, True)}


def test_one_that_was_never_heard_from_is_left_out_or_says_so():
    disk = Disk(a=1, b=2)
    reads = PatientReads(disk)
    let_go = disk.hang("b")
    for _ in range(2):
        assert known(reads.all("ab")) == {"a": (1, True)}
        with pytest.raises(DemoError) as refused:
            reads.get("b")
        assert refused.value.key == "disk_slow"
    assert disk.read.count("b") == 1
    let_go.set()
    quiet(reads, "b")
    disk.hanging.clear()
    assert reads.get("b") == 2


def test_an_error_reaches_who_asks_for_one_and_leaves_the_others_alone():
    disk = Disk(a=1, b=2)
    reads = PatientReads(disk)
    reads.all("ab")
    disk.values["b"] = OSError("input/output error")
    with pytest.raises(OSError, match="input/output"):
        reads.get("b")
    assert known(reads.all("ab")) == {"a": (1, True), "b": (2, False)}


def test_a_reading_that_was_overtaken_does_not_count():
    disk = Disk(a="old")
    reads = PatientReads(disk)
    let_go = disk.hang("a")
    early = threading.Thread(target=lambda: reads.all("a"))
    early.start()
    assert disk.began.acquire(timeout=10)
    disk.hanging.clear()
    disk.values["a"] = "new"
    assert reads.get("a") == "new"
    let_go.set()
    early.join()
    quiet(reads, "a")
    disk.hang("a")
    assert known(reads.all("a")) == {"a": ("new", False)}
    disk.hanging["a"].set()


def test_who_shares_takes_the_last_value_while_another_reads():
    disk = Disk(a="old")
    reads = PatientReads(disk, patience_seconds=30)
    reads.get("a")
    disk.values["a"], let_go, found = "new", disk.hang("a"), []
    assert disk.began.acquire(timeout=10)
    other = threading.Thread(target=lambda: found.append(reads.get("a")))
    other.start()
    assert disk.began.acquire(timeout=10)
    assert reads.get("a", share=True) == "old"
    let_go.set()
    other.join()
    assert (found, reads.get("a", share=True)) == (["new"], "new")


def test_only_so_many_values_are_kept():
    disk = Disk(**{letter: letter for letter in "abcd"})
    reads = PatientReads(disk, most_kept=2)
    assert [answer.value for answer in reads.all("abcd")] == list("abcd")
    assert set(reads._known) == {"c", "d"}


def test_where_all_hang_each_is_asked_once_and_the_rest_gets_its_turn():
    keys = [f"k{number:02d}" for number in range(20)]
    disk = Disk(**dict.fromkeys(keys, 0))
    events = [disk.hang(key) for key in keys]
    reads = PatientReads(disk)
    for _ in range(4):
        assert reads.all(keys) == []
    assert sorted(disk.read) == keys
    for event in events:
        event.set()


def test_what_nobody_waits_for_any_more_is_not_read():
    keys = "abcdefghij"
    assert len(keys) == 1 + patient_reads.MORE_READERS + 2
    disk = Disk(**dict.fromkeys(keys, 1))
    let_go = [disk.hang(key) for key in keys]
    reads = PatientReads(disk)
    assert reads.all(keys) == []
    for event in let_go:
        event.set()
    for thread in threading.enumerate():
        if thread.name == "patient-read":
            thread.join(30)
    assert set(disk.read) <= set("abcdefgh")
    assert known(reads.all("ij")) == {"i": (1, True), "j": (1, True)}
