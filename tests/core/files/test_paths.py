"""Paths that nobody can use are refused in one sentence, before anything is made."""

import os
from pathlib import Path

import pytest

from aigc_demo.core.errors import MOST_OF_A_PATH, DemoError, InputError
from aigc_demo.core.files.atomic import atomic_path, new_folders
from aigc_demo.core.files.paths import check_new_folder, checked_path
from aigc_demo.core.run_directory import RunDirectory


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A folder that this user may not write to; root, who runs some tests, may everything."""
    asked = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and asked(path, mode))


@pytest.mark.parametrize(
    "name", ["训练 一", "été #1 & 100%?", "a'b\"c", " run@3 ", "😀", "e\u0301te\u0301", "-x"]
)
def test_names_in_any_language_are_taken(tmp_path: Path, name: str) -> None:
    place = tmp_path / "new" / name
    assert checked_path(str(place)) == place
    check_new_folder(place)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["", "a\0b", "x/" * 2500, "n" * 300, "\ud800", "loop", "loop/x"], ids=lambda path: repr(path[:9])
)
def test_what_no_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        checked_path(path)
    assert refused.value.key == ("unreadable_file" if path else "empty_path")
    assert len(str(refused.value)) < MOST_OF_A_PATH + 150


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("file", "Not a directory"),
        ("file/new", "Not a directory"),
        ("dangling", "No such file or directory"),
        ("dangling/new", "No such file or directory"),
        ("loop/new", "Too many levels of symbolic links"),
        ("shut", "Permission denied"),
        ("shut/new/deep", "Permission denied"),
        (f"new/{'春' * 100}/deep", "File name too long"),  # 300 bytes; the file system would say so late
        ("new/\udcff", "no such name"),
        ("new/a\0b", "no such name"),
    ],
)
def test_where_no_folder_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, detail: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "shut").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refuse(monkeypatch, tmp_path / "shut")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DemoError) as refused:
        check_new_folder(tmp_path / path)
    assert refused.value.exit_code == (1 if path.startswith("shut") else 2)
    assert (refused.value.key, refused.value.values["detail"]) == ("cannot_write", detail)
    assert sorted(tmp_path.rglob("*")) == before


def test_after_an_error_no_new_folder_is_left(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()

    def fail(place: Path) -> None:
        place.mkdir(exist_ok=True)
        raise OSError

    with pytest.raises(OSError), new_folders(tmp_path / "old/new/deep"):  # noqa: PT011
        fail(tmp_path / "old/new/deep")
    assert list((tmp_path / "old").iterdir()) == []
    with pytest.raises(DemoError), atomic_path(tmp_path / "a/b/target") as place:
        fail(place)
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]


def test_a_run_that_cannot_be_noted_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aigc_demo.core.run_directory.write_atomically", full)
    with pytest.raises(DemoError, match="No space left"):
        RunDirectory(tmp_path / "new/run").create({})
    assert list(tmp_path.iterdir()) == []


def test_a_long_path_is_shown_by_its_ends() -> None:
    path = "/beginning/" + "x" * 5000 + "/end.txt"
    sentence = str(InputError("unreadable_file", path=path, detail="no"))
    assert sentence.startswith("/beginning/x") and "x/end.txt cannot be read" in sentence
    assert len(sentence) < MOST_OF_A_PATH + 100
