"""The worker of a run directory: at most one training process at a time, visible to other processes.

The lock is a file lock of the operating system, released when its process ends for any reason. The record
beside it identifies the process by id and start time, since ids are reused.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.atomic import disk_errors, write_atomically
from aigc_demo.core.sentences import ENGLISH

RECORD, LOCK, BEAT = "worker.json", ".worker.lock", ".heartbeat"
# The parent process sets it to the file in which the worker writes the error that ended it.
PROBLEM_VARIABLE = "AIGC_DEMO_PROBLEM"
LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Worker:
    """A training process.

    Attributes:
        pid: process id.
        born: start time, in seconds since the epoch.
        command: its command line.
    """

    pid: int
    born: float
    command: tuple[str, ...] = ()

    @property
    def process(self) -> psutil.Process | None:
        """The process if it is alive, or None."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            if process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


@contextlib.contextmanager
def worker_lock(folder: Path, command: Sequence[str] = ()) -> Iterator[None]:
    """Hold the lock of a run directory and record this process as its worker.

    Args:
        folder: of the run; it must exist.
        command: for the record; this process's command line by default.

    Raises:
        InputError: another process trains here.
        DemoError: the directory cannot be written.
    """
    lock = FileLock(folder / LOCK)
    with disk_errors(folder):
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            check_no_worker(folder)
            raise InputError("run_busy", path=str(folder)) from error
    try:
        me = Worker(os.getpid(), psutil.Process().create_time(), tuple(command or sys.orig_argv))
        with disk_errors(folder):
            write_atomically(folder / RECORD, json.dumps(asdict(me)))
        write_heartbeat(folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / RECORD).unlink()
        lock.release()


def check_no_worker(folder: Path) -> None:
    """Check that no other living process trains in a run directory.

    Raises:
        InputError: one does; the error has its process id.
    """
    worker = living_worker(folder)
    if worker is not None and worker.pid != os.getpid():
        raise InputError("run_trained_by", path=str(folder), pid=worker.pid)


def living_worker(folder: Path) -> Worker | None:
    """The living worker of a run directory, or None."""
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        worker = Worker(int(record["pid"]), float(record["born"]), tuple(map(str, record["command"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return worker if worker.process else None


def workers_beside(folder: Path) -> int:
    """The number of living workers in this run directory and its siblings."""
    with contextlib.suppress(OSError):
        return sum(living_worker(path) is not None for path in folder.absolute().parent.iterdir())
    return 0


def write_heartbeat(folder: Path) -> None:
    """Update the heartbeat file; a disk error is ignored."""
    path = folder / BEAT
    with contextlib.suppress(OSError):
        if not path.exists():
            path.touch()
        os.utime(path)


def seconds_since_heartbeat(folder: Path) -> float:
    """Seconds since the last heartbeat; infinite if there was none."""
    try:
        return max(0.0, time.time() - (folder / BEAT).stat().st_mtime)
    except OSError:
        return float("inf")


def write_problem(error: DemoError) -> None:
    """Write an error's key and values to the file that PROBLEM_VARIABLE names, if it is set."""
    path = os.environ.get(PROBLEM_VARIABLE)
    if path:
        with contextlib.suppress(OSError):
            write_atomically(Path(path), json.dumps({"key": error.key, "values": error.values}, default=str))


def read_problem(path: Path) -> DemoError | None:
    """The error that `write_problem` wrote; None if the file is missing or invalid."""
    try:
        return problem_from(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None


def problem_from(facts: object) -> DemoError | None:
    """An error from its key and values; None if they are invalid."""
    if isinstance(facts, dict) and facts.get("key") in ENGLISH and isinstance(facts.get("values"), dict):
        with contextlib.suppress(KeyError, IndexError, ValueError, TypeError):
            return DemoError(facts["key"], **facts["values"])
    return None
