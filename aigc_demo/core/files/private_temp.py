"""A private folder for temporary files, and a HOME for a user without one."""

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


def private_folder(shared: Path) -> Path:
    """A folder for temporary files that only this user can access.

    Args:
        shared: the temporary folder of all users. Where another user has created, or can read, the folder of
            our name, a new folder is created, and removed when this process exits.
    """
    folder = shared.resolve() / f"aigc-demo-{_user()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if _is_ours_alone(folder.lstat()):
            return folder
    except OSError:  # a file of that name, or `shared` is not writable
        pass
    fresh = Path(tempfile.mkdtemp(prefix="aigc-demo-", dir=shared)).resolve()
    atexit.register(_remove, fresh, os.getpid())
    return fresh


def _is_ours_alone(found: os.stat_result) -> bool:
    if not stat.S_ISDIR(found.st_mode):
        return False  # such as a link to a folder
    # On Windows each user has a temporary folder of their own, and stat shows neither owner nor permissions.
    user = user_number()
    return user is None or (found.st_uid == user and not stat.S_IMODE(found.st_mode) & 0o077)


def _user() -> str:
    if (user := user_number()) is not None:
        return str(user)
    try:
        return re.sub(r"\W", "_", getpass.getuser())
    except (ImportError, KeyError, OSError):  # no name known
        return "user"


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # not in a forked child
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def user_temp_folder() -> Path:
    """The private folder for temporary files; the same for the whole process."""
    return private_folder(Path(tempfile.gettempdir()))


def configure_folders() -> None:
    """Set TORCHINDUCTOR_CACHE_DIR and HOME to private folders where needed, before libraries are imported.

    torch caches compiled code in the shared temporary folder, under a name that another user can take first.
    In a container the user may have no name and no home: libraries then fail, or create a folder named `~`
    in the working directory.
    """
    with contextlib.suppress(OSError):  # no temporary folder at all: code that needs one fails later
        if not os.environ.get("TORCHINDUCTOR_CACHE_DIR"):
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(user_temp_folder() / "torchinductor")
        if os.path.expanduser("~") in ("", "~") or os.environ.get("HOME") == "":
            os.environ["HOME"] = str(user_temp_folder())
