"""Writing files safely: atomic replacement, folders that are removed after an error, one error message."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.unfinished import unfinished_name

# File names that are not UTF-8 contain lone surrogates; written as \udcff they are valid JSON and text.
ESCAPED = "backslashreplace"


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text so that a reader sees the old or the new text, never a part of it."""
    beside = path.with_name(f".{path.name}.partial")
    try:
        with beside.open("w", encoding="utf-8", errors=ESCAPED) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A unique temporary path beside the target; it is renamed to the target on success.

    The path is unique, so two processes can write the same target at the same time. After an error it is
    removed. `unfinished.remove_leftovers` removes those of killed processes.

    Raises:
        DemoError: the disk cannot be written.
    """
    place = target.with_name(unfinished_name(target.name))
    with disk_errors(target), new_folders(target.parent):
        try:
            yield place
            place.replace(target)
        finally:
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            place.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Check that a file can be written at this path or replaced.

    Raises:
        DemoError: the path is a folder, a device or a dangling link, or its name is too long.
    """
    with disk_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "not a regular file")
        if path.is_symlink() and not path.exists():
            raise OSError(errno.ENOENT, "dangling symbolic link")


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[None]:
    """Create the parent folder of a file that is written inside; after an error, new folders are removed.

    Raises:
        DemoError: the disk cannot be written.
    """
    check_place(path)
    with disk_errors(path), new_folders(path.parent):
        yield


@contextlib.contextmanager
def new_folders(path: Path) -> Iterator[None]:
    """Create a folder and its parents; after an error inside, the new ones that are empty are removed."""
    created = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in created:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert an OSError into a DemoError with the path.

    Raises:
        DemoError: the disk cannot be written.
    """
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise DemoError("cannot_write", path=str(path), detail=detail) from error
