"""One process at a time trains in a run directory, and a dead one is not taken for alive."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.process import worker
from aigc_demo.core.process.worker import (
    check_no_worker,
    living_worker,
    seconds_since_heartbeat,
    worker_lock,
    workers_beside,
    write_heartbeat,
)

WORKING = """
import sys, time
from pathlib import Path
from aigc_demo.core.process.worker import worker_lock
with worker_lock(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that works in tmp_path."""
    process = subprocess.Popen([sys.executable, "-c", WORKING, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"at work\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_one_at_work_is_known_while_it_works(tmp_path: Path) -> None:
    assert living_worker(tmp_path) is None
    with worker_lock(tmp_path, ["train"]):
        found = living_worker(tmp_path)
        assert found is not None
        assert (found.pid, found.command) == (os.getpid(), ("train",))
    assert living_worker(tmp_path) is None


def test_only_another_process_at_work_is_refused(tmp_path: Path) -> None:
    check_no_worker(tmp_path)
    with worker_lock(tmp_path):
        check_no_worker(tmp_path)


def test_the_other_process_at_work_is_named(tmp_path: Path, other: subprocess.Popen) -> None:
    with pytest.raises(InputError) as refused:
        check_no_worker(tmp_path)
    assert refused.value.key == "run_trained_by"
    assert refused.value.values["pid"] == other.pid


def test_those_at_work_in_one_folder_are_counted(tmp_path: Path) -> None:
    first, second, idle = (tmp_path / name for name in ("first", "second", "idle"))
    for run in (first, second, idle):
        run.mkdir()
    (tmp_path / "notes.txt").touch()
    assert workers_beside(first) == 0
    with worker_lock(first):
        assert workers_beside(first) == workers_beside(idle) == 1
        with worker_lock(second):
            assert workers_beside(first) == 2
        assert workers_beside(first) == 1
    assert workers_beside(tmp_path / "none/run") == 0


def test_a_second_one_is_refused(tmp_path: Path, other: subprocess.Popen, monkeypatch) -> None:
    monkeypatch.setattr(worker, "LOCK_SECONDS", 0.1)
    with pytest.raises(InputError, match="another process"), worker_lock(tmp_path):
        pass
    found = living_worker(tmp_path)
    assert found is not None and found.pid == other.pid  # its record was left alone


def test_one_that_was_killed_leaves_the_place_free(tmp_path: Path, other: subprocess.Popen) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert (tmp_path / worker.RECORD).exists()
    assert living_worker(tmp_path) is None
    with worker_lock(tmp_path):
        assert living_worker(tmp_path) is not None


def test_a_number_that_went_to_another_process_is_not_the_worker(tmp_path: Path) -> None:
    born = psutil.Process().create_time() - 1000
    (tmp_path / worker.RECORD).write_text(json.dumps({"pid": os.getpid(), "born": born, "command": []}))
    assert living_worker(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "born": 1, "command": []}'])
def test_a_broken_record_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / worker.RECORD).write_text(text)
    assert living_worker(tmp_path) is None


def test_silence_begins_anew_at_each_beat(tmp_path: Path) -> None:
    assert seconds_since_heartbeat(tmp_path) == float("inf")
    write_heartbeat(tmp_path)
    os.utime(tmp_path / worker.BEAT, (0, 0))
    assert seconds_since_heartbeat(tmp_path) > 1e6
    write_heartbeat(tmp_path)
    assert seconds_since_heartbeat(tmp_path) < 60
    os.utime(tmp_path / worker.BEAT, (1e10, 1e10))  # the clock was set back since
    assert seconds_since_heartbeat(tmp_path) == 0


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="cannot be written"), worker_lock(tmp_path / "file" / "run"):
        pass
    write_heartbeat(tmp_path / "missing")  # says nothing
