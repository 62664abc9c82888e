"""Paths as people give them, looked at before any work is done for them."""

import errno
import os
from pathlib import Path

from aigc_demo.core.errors import DemoError, InputError

MOST_BYTES_OF_A_NAME = 255  # on nearly every file system


def checked_path(text: str) -> Path:
    """A path that can be looked at, whether something is there or not.

    Raises:
        InputError: it is empty, no file can have such a name, or it may not be looked at.
    """
    if not text:
        raise InputError("empty_path")
    try:
        os.stat(text)
    except (FileNotFoundError, NotADirectoryError):
        pass  # whoever needs it says so
    except (OSError, ValueError) as error:
        raise InputError("unreadable_file", path=text, detail=reason(error)) from error
    return Path(text)


def check_new_folder(path: Path) -> None:
    """Refuse a place where no folder can be made or filled; nothing is made here.

    Args:
        path: of the folder, which may be there, as those above it may or may not.

    Raises:
        InputError: what is there is no folder, or no folder can have such a name.
        DemoError: it may not be written to.
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
    """Why a path cannot be used, in a few words."""
    return getattr(error, "strerror", None) or "no such name"


def _check_name(part: str) -> None:
    """Refuse what a file system refuses only when the folders above it have been made."""
    if (
        len(part.encode("utf-8")) > MOST_BYTES_OF_A_NAME
    ):  # UnicodeEncodeError: weights are saved in UTF-8 alone
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _is_there(path: Path) -> bool:
    """Whether something is there, a link that leads nowhere included.

    Raises:
        OSError: it may not be looked at.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
