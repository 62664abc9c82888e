"""Atomic writes: a reader sees the old or the new file, and an error leaves nothing behind."""

import errno
import os
from pathlib import Path

import pytest

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.atomic import atomic_path, check_place, write_atomically


def test_write_atomically_replaces_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "config.json"
    write_atomically(path, "old")
    write_atomically(path, "新")
    assert path.read_text("utf8") == "新"
    assert [one.name for one in tmp_path.iterdir()] == ["config.json"]


def test_what_is_written_lies_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    """After a power cut a name may else lead to an empty file."""
    order, fsync, replace = [], os.fsync, type(tmp_path).replace
    monkeypatch.setattr(os, "fsync", lambda file: order.append(os.fstat(file).st_size) or fsync(file))
    monkeypatch.setattr(type(tmp_path), "replace", lambda *names: order.append("name") or replace(*names))
    write_atomically(tmp_path / "config.json", "明月")
    assert order == [len("明月".encode()), "name"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_takes_the_place_of_another_file_does_so_whole(tmp_path, kind):
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("old")
    else:
        target.mkdir()
    with atomic_path(target) as place:
        if kind == "file":
            place.write_text("new")
            assert target.read_text() == "old"
        else:
            place.mkdir()
            (place / "file").write_text("new")
            assert list(target.iterdir()) == []
    assert (target if kind == "file" else target / "file").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_only_a_file_is_the_place_of_a_file(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    for name, target in (("to-a-file", "file"), ("to-a-folder", "folder"), ("to-nowhere", "nothing")):
        (tmp_path / name).symlink_to(tmp_path / target)
    for name in ("file", "to-a-file", "new"):
        check_place(tmp_path / name)
    refused = {"folder": "Is a directory", "to-a-folder": "Is a directory", "to-nowhere": "dangling"}
    for name, detail in refused.items():
        with pytest.raises(DemoError, match=detail):
            check_place(tmp_path / name)
    if os.name == "posix":
        with pytest.raises(DemoError, match="not a regular file"):
            check_place(Path(os.devnull))


def test_of_new_folders_none_is_left_after_an_error(tmp_path):
    def fill_and_fail():
        with atomic_path(tmp_path / "a" / "b" / "target"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DemoError):
        fill_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_beside_takes_its_name_when_it_is_whole(tmp_path):
    target = tmp_path / "target"
    with atomic_path(target) as place, atomic_path(target) as other:
        assert place != other, "two at the same time"
        place.mkdir()
        (place / "file").write_text("x")
        other.write_text("y")
        assert not target.exists()
        other.unlink()
        other.mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "target",
        "target/file",
    ]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_is_left_of_what_broke_off(tmp_path, kind):
    def fill_and_fail():
        with atomic_path(tmp_path / "target") as place:
            if kind == "folder":
                place.mkdir()
            (place / "file" if kind == "folder" else place).write_text("x")
            raise OSError(28, "No space left on device")

    with pytest.raises(DemoError, match=r"target cannot be written \(No space left"):
        fill_and_fail()
    assert list(tmp_path.iterdir()) == []
