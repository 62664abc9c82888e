"""Names of unfinished files and folders identify the process that writes them.

A killed process cannot remove its unfinished files, so a later process does; files of a living process, such
as an import in a terminal, must stay. The name contains the process id and start time, as in
`core/process/worker`.
"""

import contextlib
import logging
import os
import re
import secrets
import shutil
import time
from pathlib import Path

import psutil

PARTIAL, DELETED, IMAGES = ".partial", ".deleted", ".pictures-"
KEPT_SECONDS = 24 * 3600.0
"""How long a leftover without a process in its name is kept: earlier versions wrote such names."""
WRITER = re.compile(r"([0-9a-f]{1,8})\.([0-9a-f]{1,14})-")

log = logging.getLogger(__name__)


def writer_mark() -> str:
    """This process's id and start time, as part of a file name."""
    return f"{os.getpid():x}.{_start_time(psutil.Process()):x}-"


def unfinished_name(name: str) -> str:
    """A hidden, unique name for a file or folder that is renamed to `name` when it is complete."""
    return f".{writer_mark()}{name}-{secrets.token_hex(4)}{PARTIAL}"


def remove_leftovers(folder: Path) -> list[str]:
    """Remove unfinished files and folders of processes that no longer exist.

    Args:
        folder: of the runs; it may be missing.

    Returns:
        The names removed. Those of a living process are kept, those without a process in their name are kept
        for a day, and a run whose deletion was interrupted is removed at once.
    """
    found: list[Path] = []
    with contextlib.suppress(OSError):
        found = sorted(folder.iterdir())
    removed = [path.name for path in found if _is_left_over(path) and _removed(path)]
    if removed:
        log.info("removed unfinished files: %s", ", ".join(removed))
    return removed


def _is_left_over(path: Path) -> bool:
    name = path.name
    if not name.startswith("."):
        return False
    if name.endswith(DELETED):
        return True
    if not name.endswith(PARTIAL) and not name.startswith(IMAGES):
        return False
    found = WRITER.match(name.removeprefix(IMAGES).removeprefix("."))
    if found is not None:
        return not _is_alive(int(found[1], 16), int(found[2], 16))
    with contextlib.suppress(OSError):
        return time.time() - path.lstat().st_mtime > KEPT_SECONDS
    return False


def _is_alive(pid: int, start_time: int) -> bool:
    with contextlib.suppress(psutil.Error, OverflowError):
        process = psutil.Process(pid)
        return _start_time(process) == start_time and process.status() != psutil.STATUS_ZOMBIE
    return False


def _start_time(process: psutil.Process) -> int:
    """In milliseconds since the epoch."""
    return round(1000 * process.create_time())


def _removed(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
    return not path.exists()
