"""A folder for temporary files of one user, and a home for a user who has none."""

import atexit
import contextlib
import functools
import getpass
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from aigc_demo.core.process.system import user_number


def own_folder(shared: Path) -> Path:
    """A folder for temporary files of this user alone.

    Args:
        shared: the folder that all users share. Whoever was there first may have made one of our name, or
            may read what is in it: then it is a new one, which goes when this process ends.
    """
    folder = shared.resolve() / f"aigc-demo-{_user()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if _is_ours_alone(folder.lstat()):
            return folder
    except OSError:  # a file of that name, a folder that takes none
        pass
    fresh = Path(tempfile.mkdtemp(prefix="aigc-demo-", dir=shared)).resolve()
    atexit.register(_remove, fresh, os.getpid())
    return fresh


def _is_ours_alone(found: os.stat_result) -> bool:
    if not stat.S_ISDIR(found.st_mode):
        return False  # such as a link to a folder
    # Windows gives each user a temporary folder, and tells neither owner nor rights here.
    user = user_number()
    return user is None or (found.st_uid == user and not stat.S_IMODE(found.st_mode) & 0o077)


def _user() -> str:
    if (user := user_number()) is not None:
        return str(user)
    try:
        return re.sub(r"\W", "_", getpass.getuser())
    except (ImportError, KeyError, OSError):  # nothing tells who it is
        return "user"


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # not in a child that was forked
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def folder_of_user() -> Path:
    """The folder for temporary files of this user, the same one for the whole process."""
    return own_folder(Path(tempfile.gettempdir()))


def configure_folders() -> None:
    """Give libraries places of this user's own that they look for when they are imported.

    torch makes a folder for compiled code among the files of all users, by a name that others can take
    before. In a container a number may be all that is known of a user: asked for the home, libraries fail,
    or write to a folder named `~` where they happen to be.
    """
    with contextlib.suppress(OSError):  # no folder for temporary files at all: who needs one says so
        if not os.environ.get("TORCHINDUCTOR_CACHE_DIR"):
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder_of_user() / "torchinductor")
        if os.path.expanduser("~") in ("", "~") or os.environ.get("HOME") == "":
            os.environ["HOME"] = str(folder_of_user())
