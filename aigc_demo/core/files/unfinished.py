"""Files and folders that are still being written say by their names who writes them.

A process that is killed removes nothing itself, so a later one does; but what a living process writes, such
as an import in a terminal, has to stay. A name carries the process by number and birth, as in
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

PARTIAL, DELETED, PICTURES = ".partial", ".deleted", ".pictures-"
KEPT_SECONDS = 24 * 3600.0
"""How long a leftover stays whose name does not say who wrote it: earlier versions named none."""
WRITER = re.compile(r"([0-9a-f]{1,8})\.([0-9a-f]{1,14})-")

log = logging.getLogger(__name__)


def writer_mark() -> str:
    """This process by number and birth, for the name of something that it has not finished."""
    return f"{os.getpid():x}.{_birth(psutil.Process()):x}-"


def unfinished_name(name: str) -> str:
    """A name, hidden and given to nobody else, for what will be called `name` when it is whole."""
    return f".{writer_mark()}{name}-{secrets.token_hex(4)}{PARTIAL}"


def remove_leftovers(folder: Path) -> list[str]:
    """Remove what processes that are dead left unfinished in a folder.

    Args:
        folder: of the runs; one that is not there holds nothing.

    Returns:
        The names of what was removed. What a living process writes stays; what does not say who wrote it goes
        after a day, and a run that was being deleted at once.
    """
    found: list[Path] = []
    with contextlib.suppress(OSError):
        found = sorted(folder.iterdir())
    removed = [path.name for path in found if _is_left_over(path) and _removed(path)]
    if removed:
        log.info("removed what was left unfinished: %s", ", ".join(removed))
    return removed


def _is_left_over(path: Path) -> bool:
    name = path.name
    if not name.startswith("."):
        return False
    if name.endswith(DELETED):
        return True
    if not name.endswith(PARTIAL) and not name.startswith(PICTURES):
        return False
    found = WRITER.match(name.removeprefix(PICTURES).removeprefix("."))
    if found is not None:
        return not _lives(int(found[1], 16), int(found[2], 16))
    with contextlib.suppress(OSError):
        return time.time() - path.lstat().st_mtime > KEPT_SECONDS
    return False


def _lives(pid: int, birth: int) -> bool:
    with contextlib.suppress(psutil.Error, OverflowError):
        process = psutil.Process(pid)
        return _birth(process) == birth and process.status() != psutil.STATUS_ZOMBIE
    return False


def _birth(process: psutil.Process) -> int:
    """In milliseconds of the system's clock."""
    return round(1000 * process.create_time())


def _removed(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
    return not path.exists()
