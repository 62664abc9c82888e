"""Which process trains in a run directory: one at a time, known to others, and seen to be alive.

The lock is the operating system's, so it falls with its process, however that ends. The record beside it
names the process by number and birth: a number alone may have gone to another process since.
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
from aigc_demo.core.run_directory import write_atomically, writing
from aigc_demo.core.sentences import ENGLISH

RECORD, LOCK, BEAT = "worker.json", ".worker.lock", ".heartbeat"
# Whoever starts a worker names here the file in which it wants to find why the work failed.
PROBLEM_VARIABLE = "AIGC_DEMO_PROBLEM"
LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Worker:
    """A process that trains.

    Attributes:
        pid: its number.
        born: when it was started, in seconds of the system's clock.
        command: what it was started with.
    """

    pid: int
    born: float
    command: tuple[str, ...] = ()

    @property
    def process(self) -> psutil.Process | None:
        """The living process, or None."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            if process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


@contextlib.contextmanager
def at_work(folder: Path, command: Sequence[str] = ()) -> Iterator[None]:
    """Be the one process that trains in this run directory.

    Args:
        folder: of the run; it must be there.
        command: to be named in the record; this process's own by default.

    Raises:
        InputError: another process trains here.
        DemoError: the directory cannot be written.
    """
    lock = FileLock(folder / LOCK)
    with writing(folder):
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            check_alone(folder)
            raise InputError("run_busy", path=str(folder)) from error
    try:
        me = Worker(os.getpid(), psutil.Process().create_time(), tuple(command or sys.orig_argv))
        with writing(folder):
            write_atomically(folder / RECORD, json.dumps(asdict(me)))
        beat(folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / RECORD).unlink()
        lock.release()


def check_alone(folder: Path) -> None:
    """Refuse a run directory in which a living process is known to train.

    Raises:
        InputError: it does; with its number.
    """
    worker = living_worker(folder)
    if worker is not None and worker.pid != os.getpid():
        raise InputError("run_trained_by", path=str(folder), pid=worker.pid)


def living_worker(folder: Path) -> Worker | None:
    """The process that trains in a run directory; None where there is none, or it is dead."""
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        worker = Worker(int(record["pid"]), float(record["born"]), tuple(map(str, record["command"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return worker if worker.process else None


def workers_beside(folder: Path) -> int:
    """How many processes train in the run directories of one folder: this one's and those beside it."""
    with contextlib.suppress(OSError):
        return sum(living_worker(path) is not None for path in folder.absolute().parent.iterdir())
    return 0


def beat(folder: Path) -> None:
    """Show that the work goes on; a disk that does not take it does not end the work."""
    path = folder / BEAT
    with contextlib.suppress(OSError):
        if not path.exists():
            path.touch()
        os.utime(path)


def silence(folder: Path) -> float:
    """Seconds since the last heartbeat; infinite where there was none."""
    try:
        return max(0.0, time.time() - (folder / BEAT).stat().st_mtime)
    except OSError:
        return float("inf")


def note_problem(error: DemoError) -> None:
    """Leave the error, as key and values, for whoever started this process; nobody asked: nothing is done."""
    path = os.environ.get(PROBLEM_VARIABLE)
    if path:
        with contextlib.suppress(OSError):
            write_atomically(Path(path), json.dumps({"key": error.key, "values": error.values}, default=str))


def noted_problem(path: Path) -> DemoError | None:
    """What `note_problem` left; None where there is nothing, or nothing that makes sense."""
    try:
        return problem_from(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None


def problem_from(facts: object) -> DemoError | None:
    """An error from its key and values; None where they are not those of one."""
    if isinstance(facts, dict) and facts.get("key") in ENGLISH and isinstance(facts.get("values"), dict):
        with contextlib.suppress(KeyError, IndexError, ValueError, TypeError):
            return DemoError(facts["key"], **facts["values"])
    return None
