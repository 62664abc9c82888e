"""Checks of paths given by a user, before any work is done for them."""

import errno
import os
from pathlib import Path

from aigc_demo.core.errors import DemoError, InputError

MAX_NAME_BYTES = 255  # on nearly every file system


def checked_path(text: str) -> Path:
    """The text as a path, which may or may not exist.

    Raises:
        InputError: it is empty, not a valid file name, or access is denied.
    """
    if not text:
        raise InputError("empty_path")
    try:
        os.stat(text)
    except (FileNotFoundError, NotADirectoryError):
        pass  # the caller reports a missing file
    except (OSError, ValueError) as error:
        raise InputError("unreadable_file", path=text, detail=reason(error)) from error
    return Path(text)


def check_new_folder(path: Path) -> None:
    """Check that a folder can be created or written at this path; nothing is created.

    Args:
        path: of the folder; it and its parents may or may not exist.

    Raises:
        InputError: the path is not a folder, or not a valid name.
        DemoError: it is not writable.
    """
    try:
        for part in path.parts:
            _check_name(part)
        there = path.absolute()
        while not _is_there(there):
            there = there.parent
        if not there.is_dir():
            number = errno.ENOENT if there.is_symlink() else errno.ENOTDIR
            raise OSError(number, os.strerror(number))
    except (OSError, ValueError) as error:
        raise InputError("cannot_write", path=str(path), detail=reason(error)) from error
    if not os.access(there, os.W_OK | os.X_OK):
        raise DemoError("cannot_write", path=str(path), detail=os.strerror(errno.EACCES))


def reason(error: Exception) -> str:
    """A short reason why a path cannot be used."""
    return getattr(error, "strerror", None) or "no such name"


def _check_name(part: str) -> None:
    """Check one component, before its parents are created.

    Raises:
        UnicodeEncodeError: it is not UTF-8, the only encoding in which weights are saved.
        OSError: it is too long.
    """
    if len(part.encode("utf-8")) > MAX_NAME_BYTES:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _is_there(path: Path) -> bool:
    """Whether the path exists, including a dangling symbolic link.

    Raises:
        OSError: access is denied.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
