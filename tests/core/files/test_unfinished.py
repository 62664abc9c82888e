"""What a killed process left goes; what a living one writes stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from aigc_demo.core.files.atomic import atomic_path
from aigc_demo.core.files.unfinished import KEPT_SECONDS, remove_leftovers, unfinished_name

WRITER = """
import sys, time
from pathlib import Path
from aigc_demo.core.files.atomic import atomic_path

with atomic_path(Path(sys.argv[1]) / "gpt-1") as place:
    place.mkdir()
    (place / "config.json").write_text("{}")
    print(place.name, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path: Path):
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    yield child, child.stdout.readline().strip()
    child.kill()
    child.wait()
    child.stdout.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_living_process_writes_stays_until_it_is_dead(tmp_path: Path, writer) -> None:
    child, name = writer
    assert remove_leftovers(tmp_path) == []
    assert names(tmp_path) == [name]
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert names(tmp_path) == [name]
    assert remove_leftovers(tmp_path) == [name]
    assert names(tmp_path) == []


def test_one_that_was_killed_and_that_nobody_has_waited_for_is_dead(tmp_path: Path, writer) -> None:
    child, name = writer
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # until it is a zombie, which it then stays
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert remove_leftovers(tmp_path) == [name]


def test_our_own_stays(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "x.zip") as place:
        place.write_bytes(b"x")
        assert remove_leftovers(tmp_path) == []
    assert names(tmp_path) == ["x.zip"]


def test_a_number_that_another_process_has_now_saves_nothing(tmp_path: Path) -> None:
    mark = unfinished_name("gpt-1")
    earlier = mark.replace(mark.split(".")[2].partition("-")[0], "1")
    (tmp_path / earlier).mkdir()
    assert remove_leftovers(tmp_path) == [earlier]


def test_what_does_not_say_who_wrote_it_goes_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".gpt-1-00000000.partial", tmp_path / ".pictures-abcd1234"
    for path in (old, new):
        path.mkdir()
        (path / "config.json").write_text("{}")
    long_ago = time.time() - KEPT_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    assert remove_leftovers(tmp_path) == [old.name]
    assert names(tmp_path) == [new.name]


def test_a_run_that_was_being_deleted_goes_at_once_and_nothing_else(tmp_path: Path) -> None:
    kept = ["gpt-1", "gpt-2.partial", "gpt-3.deleted", ".desk.lock", ".hidden"]
    for name in [*kept, ".gpt-4.deleted"]:
        (tmp_path / name).mkdir()
    assert remove_leftovers(tmp_path) == [".gpt-4.deleted"]
    assert names(tmp_path) == sorted(kept)


def test_a_link_goes_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").write_text("x")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".x.deleted").symlink_to(tmp_path / "kept")
    assert remove_leftovers(tmp_path / "runs") == [".x.deleted"]
    assert (tmp_path / "kept" / "x").is_file()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "none") == []
