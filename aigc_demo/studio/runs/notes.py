"""What stands in the folders of all runs, for the queue and for lists, however slow their disk answers."""

import contextlib
import os
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from aigc_demo.core.bounds import size
from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.paths import MAX_NAME_BYTES
from aigc_demo.core.process.worker import Worker, seconds_since_heartbeat
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.patient_reads import Answer, PatientReads
from aigc_demo.studio.runs.state import RunState, run_state

MOST_CHARACTERS = 128
SEPARATORS = {"/", os.sep, os.altsep or "/"}


@dataclass(frozen=True)
class Note:
    """What stands in a run's folder.

    Attributes:
        job: the queue's own note; None for a run that it did not start.
        started: whether the training has written down what it trains.
        age: when that was, or when the run was ordered, in seconds of the system's clock.
        worker: the process of a run that was started, alive when this was read.
        silent_seconds: since the heartbeat of a run that was started.
    """

    job: Job | None
    started: bool
    age: float
    worker: Worker | None = None
    silent_seconds: float = 0.0

    @property
    def process(self) -> psutil.Process | None:
        """The process, if it lives now."""
        return self.worker.process if self.worker else None


class RunNotes:
    """The runs of a folder.

    Args:
        folder: where they are; it need not be there yet.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._folders: PatientReads[Path, list[Path]] = PatientReads(_run_folders)
        self._notes: PatientReads[Path, Note] = PatientReads(read_note)
        self._sizes: PatientReads[Path, int] = PatientReads(size)
        self._states: PatientReads[str, RunState] = PatientReads(self._state)

    def all(self) -> list[Answer[Path, Note]]:
        """Every folder with its note; one whose disk was never heard from is left out."""
        found = self._folders.all((self._folder,))
        return self._notes.all(found[0].value) if found else []

    def named(self) -> list[tuple[str, Job | None]]:
        """All runs with the queue's notes, the newest first."""
        found = [answer for answer in self.all() if answer.value.started or answer.value.job]
        found.sort(key=lambda one: one.value.age, reverse=True)
        return [(one.key.name, one.value.job) for one in found]

    def at_stage(self, stage: str) -> list[tuple[Path, Job, Answer[Path, Note]]]:
        """The runs whose job says so, who is longest in this stage first."""
        jobs = [(answer.key, answer.value.job, answer) for answer in self.all()]
        found = [(folder, job, answer) for folder, job, answer in jobs if job]
        return sorted((one for one in found if one[1].stage == stage), key=lambda one: one[1].since)

    def jobs(self) -> list[tuple[Path, Job]]:
        """All that the queue has noted."""
        return [(answer.key, answer.value.job) for answer in self.all() if answer.value.job]

    def names_of(self, secret: str) -> list[str]:
        """The runs that a visitor ordered."""
        return [folder.name for folder, job in self.jobs() if job.belongs_to(secret)]

    def job(self, name: str) -> Job | None:
        """The queue's note beside a run."""
        return self._notes.get(self._folder / name, share=True).job

    def bytes_of(self, folders: Iterable[Path]) -> int:
        """What these runs take on the disk, as far as it is known."""
        return sum(self.sizes(folders).values())

    def sizes(self, folders: Iterable[Path]) -> dict[str, int]:
        """The same of each, by its name."""
        return {answer.key.name: answer.value for answer in self._sizes.all(folders)}

    def place(self, name: str) -> int:
        """How many runs come first: 0 for one that does not wait."""
        waiting = [folder.name for folder, _, _ in self.at_stage("waiting")]
        return waiting.index(name) + 1 if name in waiting else 0

    def state(self, name: str) -> RunState:
        """How a run stands.

        Raises:
            InputError: there is none of that name.
            DemoError: its disk does not answer.
        """
        return self._states.get(name)

    def states(self, names: Iterable[str]) -> dict[str, RunState]:
        """How runs stand; one whose disk was never heard from is left out."""
        return {answer.key: answer.value for answer in self._states.all(names)}

    def _state(self, name: str) -> RunState:
        if not (self._folder / name).is_dir():
            raise InputError("unknown_run", name=shown(name))
        job = Job.load(self._folder / name)
        waits = job is not None and job.stage == "waiting"
        return run_state(RunDirectory(self._folder / name), self.place(name) if waits else 0)


def read_note(folder: Path) -> Note:
    """What stands in a run's folder now.

    Raises:
        OSError: the disk fails; a file that is not there is no failure.
    """
    job = Job.load(folder)
    age = job.since if job else 0.0
    try:
        age, started = (folder / "config.json").stat().st_mtime, True
    except (FileNotFoundError, NotADirectoryError):
        started = False
    if job is None or job.stage != "started":
        return Note(job, started, age)
    return Note(
        job,
        started,
        age,
        job.worker(folder),
        min(seconds_since_heartbeat(folder), time.time() - job.since),
    )


def _run_folders(folder: Path) -> list[Path]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return [path for path in folder.iterdir() if is_run_name(path.name)]
    return []


def is_run_name(name: Any) -> bool:
    """Whether a folder of this name can be a run of the page's: in any language, with spaces and signs.

    Hidden folders are not, nor what is no single name or cannot be sent: control characters, bytes that are
    no UTF-8.
    """
    if not isinstance(name, str) or not name or name.startswith(".") or SEPARATORS & set(name):
        return False
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return False
    return len(name) <= MOST_CHARACTERS and len(name.encode("utf-8")) <= MAX_NAME_BYTES
