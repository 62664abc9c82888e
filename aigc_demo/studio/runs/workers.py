"""The worker processes of the run queue: started, watched and ended.

Each training is a process of its own, `python -m aigc_demo train ...`, that outlives the server if it must:
what there is to know about it stands in its run directory, and the next server's queue finds it there.
"""

import contextlib
import errno
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.atomic import disk_errors
from aigc_demo.core.files.unfinished import DELETED
from aigc_demo.core.process.system import session_of_its_own
from aigc_demo.studio.runs.job import Job, child_environment
from aigc_demo.studio.runs.notes import Note
from aigc_demo.studio.runs.state import PROBLEM_FILE
from aigc_demo.studio.runs.visible_runs import SeenRuns
from aigc_demo.studio.visitors.admission import (
    Admission,
    minutes_left,
)
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.usage import Usage

STOP_SECONDS = 5.0
MEASURING_SHARE, MEASURING_SECONDS = 1.25, 120.0
# Why no process will ever be started with these arguments.
NEVER = (errno.E2BIG, errno.EINVAL, errno.ENAMETOOLONG, errno.ENOENT, errno.EACCES)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueRules:
    """How the queue works; what it allows to visitors is in `limits`.

    Attributes:
        at_once: runs that train at the same time.
        silence_seconds: a worker that shows no life for so long is ended.
    """

    at_once: int = 1
    silence_seconds: float = 180.0


class RunWorkers(SeenRuns):
    """Starts the training processes, one after the other, and records how they end.

    Args:
        folder: where the runs are.
        rules: how the queue works.
        limits: of the host.
    """

    def __init__(self, folder: Path, rules: QueueRules, limits: Limits):
        super().__init__(folder, limits)
        self.rules = rules
        self._usage = Usage(folder)
        self._admission = Admission(folder, self.limits, self._notes, self._usage, self._remove)
        self._lock = threading.RLock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._closed = threading.Event()

    def bounds(self) -> dict[str, str]:
        """The environment of a process that tries or trains an order: what it may take."""
        return self._admission.bounds()

    def _remove(self, name: str) -> None:
        """A run that has ended, with all its files; nobody waits until the last is gone."""
        aside = self._put_aside(name)
        threading.Thread(target=shutil.rmtree, args=(aside, True), name="remove", daemon=True).start()

    def _put_aside(self, name: str) -> Path:
        """Take a run's name away from it: never half a run under its name."""
        folder = self.folder / name
        with self._lock:
            aside = folder.with_name(f".{folder.name}{DELETED}")
            with disk_errors(folder):
                folder.rename(aside)
        return aside

    def _tend(self) -> None:
        """Record ended workers, end unresponsive ones, start the next.

        What stands on a slow disk is left for later; a run that was last seen under way still counts.
        """
        started, running = set(), 0
        for folder, job, answer in self._notes.at_stage("started"):
            started.add(folder.name)
            with _left_for_later(folder):
                running += not answer.fresh or self._goes_on(folder, job, answer.value)
        unseen = [name for name, child in self._children.items() if name not in started]
        running += sum(self._children[name].poll() is None for name in unseen)
        if self._closed.is_set():
            return
        for folder, job, answer in self._notes.at_stage("waiting"):
            if running >= self.rules.at_once:
                return
            if answer.fresh:
                with _left_for_later(folder):
                    running += self._start(folder, job)

    def _goes_on(self, folder: Path, job: Job, note: Note) -> bool:
        """Whether a run that was started still trains; its end is noted."""
        child, process = self._children.get(folder.name), note.process
        returncode = child.poll() if child is not None else None
        if process is None or returncode is not None:
            self._children.pop(folder.name, None)
            spent = job.spent_minutes + (time.time() - job.since) / 60
            job.changed(folder, stage="ended", since=time.time(), returncode=returncode, spent_minutes=spent)
            self._usage.took(folder.name, spent)
            return False
        if time.time() - job.since > self._longest_seconds(job) and not job.stopping:
            job.changed(folder, stopping=True)
            ask_to_stop(process)
        if note.silent_seconds > self.rules.silence_seconds:
            self._end_silent(folder, job, process)
        return True

    def _longest_seconds(self, job: Job) -> float:
        """Seconds after which a run is stopped: its minutes cover steps alone, not validation and saving."""
        return 60 * max(0.0, minutes_left(job, self.limits)) * MEASURING_SHARE + MEASURING_SECONDS

    def _start(self, folder: Path, job: Job) -> bool:
        """One worker, in a session of its own, so that it does not end with the server.

        Returns:
            Whether it was started; an order that no process can be started with has ended as failed.
        """
        problem = folder / PROBLEM_FILE
        with disk_errors(folder):
            problem.unlink(missing_ok=True)
            output = (folder / "run.log").open("ab")
        try:
            with output:
                child = subprocess.Popen(
                    job.executed,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=output,
                    **session_of_its_own(),
                    env=child_environment(problem, self.bounds()),
                )
        except (OSError, ValueError) as error:
            log.warning("%s cannot be started: %s", folder.name, error)
            if isinstance(error, OSError) and error.errno not in NEVER:
                return False  # the system has no process to give now; later it may
            self._usage.took(folder.name, job.spent_minutes)
            why = {"key": "cannot_start", "values": {}}
            job.changed(folder, stage="ended", since=time.time(), problem=why)
            return False
        self._children[folder.name] = child
        born = 0.0
        with contextlib.suppress(psutil.Error):
            born = psutil.Process(child.pid).create_time()
        job.changed(folder, stage="started", since=time.time(), pid=child.pid, born=born)
        return True

    def _end_silent(self, folder: Path, job: Job, process: psutil.Process) -> None:
        seconds = round(self.rules.silence_seconds)
        job.changed(folder, problem={"key": "worker_silent", "values": {"seconds": seconds}})
        with contextlib.suppress(psutil.Error):
            process.kill()  # it did not come back from its step: asking would not help
            process.wait(timeout=STOP_SECONDS)


@contextlib.contextmanager
def _left_for_later(folder: Path) -> Iterator[None]:
    """Skip a run whose folder cannot be written now, so that the others do not wait."""
    try:
        yield
    except DemoError as error:
        log.debug("%s is left for later: %s", folder.name, error)


def ask_to_stop(process: psutil.Process) -> None:
    """Ask a worker to stop: it finishes its step and saves."""
    with contextlib.suppress(psutil.Error):
        process.terminate()
