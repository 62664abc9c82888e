"""The environment as gradio needs it, settled before it is imported: it reads much of it there and then."""

import atexit
import getpass
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from aigc_demo.core.proxies import settle_proxies

TEMPORARY = "GRADIO_TEMP_DIR"


def settle_environment() -> None:
    """Keep gradio from calling home, from proxies, and from folders of other users; may be called again.

    What the user has set stays, or goes on to child processes where gradio cannot use it.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    settle_proxies([os.environ.get("GRADIO_SERVER_NAME", "").strip().strip("[]") or "localhost"])
    if not os.environ.get(TEMPORARY):
        os.environ[TEMPORARY] = str(own_folder(Path(tempfile.gettempdir())))


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
    return os.name == "nt" or (found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077)


def _user() -> str:
    if hasattr(os, "geteuid"):
        return str(os.geteuid())
    try:
        return re.sub(r"\W", "_", getpass.getuser())
    except (ImportError, KeyError, OSError):  # nothing tells who it is
        return "user"


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # not in a child that was forked
        shutil.rmtree(folder, ignore_errors=True)
