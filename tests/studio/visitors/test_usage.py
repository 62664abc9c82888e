import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from aigc_demo.studio.visitors import usage
from aigc_demo.studio.visitors.usage import DAY_SECONDS, FILE, Usage


def test_minutes_count_for_a_day_by_address_whoever_asks(tmp_path, monkeypatch):
    used, now = Usage(tmp_path), time.time()
    used.note("a", "192.0.2.1", 10)
    used.note("b", "192.0.2.1", 5)
    used.note("c", "192.0.2.2", 7)
    assert used.minutes_of("192.0.2.1") == 15
    used.took("a", 2.5)
    assert used.minutes_of("192.0.2.1") == 7.5
    used.took("a", 12)
    assert used.minutes_of("192.0.2.1") == 17, "what was taken counts, also where less was asked for"
    used.took("nobody", 3)
    assert used.minutes_of("192.0.2.1") == 17
    monkeypatch.setattr(usage.time, "time", lambda: now + DAY_SECONDS + 60)
    assert used.minutes_of("192.0.2.1") == 0


def test_it_outlives_the_server_and_a_deleted_run_and_names_no_address(tmp_path):
    Usage(tmp_path).note("gone", "192.0.2.1", 10)
    assert "192.0.2.1" not in (tmp_path / FILE).read_text()
    again = Usage(tmp_path)
    assert again.minutes_of("192.0.2.1") == 10 and again.minutes_of("192.0.2.2") == 0
    assert (again.names(), again.names_of("192.0.2.1"), again.minutes("gone")) == (["gone"], {"gone"}, 10)


def test_what_is_over_is_forgotten_when_the_run_is_gone_too(tmp_path, monkeypatch):
    used, now = Usage(tmp_path), time.time()
    for name in ("kept", "gone"):
        used.note(name, "192.0.2.1", 1)
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(usage.time, "time", lambda: now + DAY_SECONDS + 60)
    used.note("new", "192.0.2.1", 1)
    assert Usage(tmp_path).names() == ["kept", "new"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"uses": 3}', '{"key": 5, "uses": {"a": 1, "b": {"address": "x"}, "c": null}}'],
)
def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    used = Usage(tmp_path)
    assert used.names() == []
    used.note("a", "192.0.2.1", 1)
    assert list(json.loads((tmp_path / FILE).read_text())["uses"]) == ["a"]


def test_an_address_that_is_not_known_is_nobodys(tmp_path):
    used = Usage(tmp_path)
    used.note("a", "", 10)
    assert used.names_of("192.0.2.1") == set() and used.minutes_of("192.0.2.1") == 0


def test_whoever_asks_while_an_order_is_written_down_is_answered_after_it(tmp_path, monkeypatch):
    used, writing, written = Usage(tmp_path), threading.Event(), threading.Event()
    save = used._save

    def slowly():
        writing.set()
        assert written.wait(30)
        save()

    monkeypatch.setattr(used, "_save", slowly)
    questions = [
        (used.names, ["a"]),
        (lambda: used.names_of("192.0.2.1"), {"a"}),
        (lambda: used.minutes_of("192.0.2.1"), 10),
        (lambda: used.minutes("a"), 10),
        (lambda: used.disk_mib("a"), 3),
    ]
    with ThreadPoolExecutor(6) as threads:
        noted = threads.submit(used.note, "a", "192.0.2.1", 10, 3)
        assert writing.wait(30)
        answers = [threads.submit(question) for question, _ in questions]
        early, _ = wait(answers, timeout=0.1)
        written.set()
        noted.result()
        assert not early
        assert [answer.result() for answer in answers] == [right for _, right in questions]
