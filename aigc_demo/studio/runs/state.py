"""The state of a run, read from its directory: the last event, and whether its worker is alive."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunFinished, TrainEvent, ValidationDone, from_json
from aigc_demo.core.files.paths import reason
from aigc_demo.core.process.system import was_killed
from aigc_demo.core.process.worker import living_worker, problem_from, read_problem
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.job import Job

PROBLEM_FILE = "problem.json"
LAST_BYTES = 64 * 2**10

Stands = Literal[
    "waiting", "running", "stopping", "finished", "time", "stopped", "interrupted", "non-finite", "failed"
]


@dataclass(frozen=True)
class RunState:
    """The state of a run.

    Attributes:
        name: of its directory.
        stands: waits for its turn, is under way, or how it ended: finished and time are its end, stopped was
            asked for, interrupted means that its worker died, failed that something was wrong.
        place: in the queue, 1 for the next; 0 for one that does not wait.
        step: the last in its record.
        problem: why it failed or was interrupted, as far as anybody knows.
        resumable: whether it can go on from a checkpoint.
    """

    name: str
    stands: Stands
    place: int = 0
    step: int = 0
    problem: DemoError | None = None
    resumable: bool = False

    @property
    def under_way(self) -> bool:
        """Whether the run may still progress."""
        return self.stands in ("waiting", "running", "stopping")


def run_state(run: RunDirectory, place: int = 0) -> RunState:
    """The current state of a run.

    Args:
        run: its directory.
        place: in the queue of whoever starts workers; 0 for none.
    """
    job, last = Job.load(run.path), last_event(run)
    step = last.step if last else 0
    if place or (job and job.stage == "waiting"):
        return RunState(run.path.name, "waiting", place, step)
    worker = job.worker(run.path) if job else living_worker(run.path)
    if worker is not None:
        stopping = job is not None and job.stopping
        return RunState(run.path.name, "stopping" if stopping else "running", 0, step)
    stands, problem = _end(run, job, last)
    whole = stands in ("finished", "time")
    resumable = not whole and (bool(run.resumable()) or not run.exists())
    return RunState(run.path.name, stands, 0, step, problem, resumable)


def last_event(run: RunDirectory) -> TrainEvent | None:
    """The last event of a record, without reading all of it."""
    try:
        with run.events_path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return None
    for line in reversed(lines):
        try:
            return from_json(line)
        except ValueError:
            continue
    return None


def _end(run: RunDirectory, job: Job | None, last: TrainEvent | None) -> tuple[Stands, DemoError | None]:
    """How a run without a worker ended, and why."""
    noted = read_problem(run.path / PROBLEM_FILE)
    if isinstance(last, RunFinished):
        known = ("finished", "time", "stopped", "non-finite", "failed")
        stands = last.reason if last.reason in known else "interrupted"
        why = DemoError("loss_not_finite", step=last.step) if stands == "non-finite" else noted
        return stands, None if stands in ("finished", "time", "stopped") else why  # type: ignore[return-value]
    if job is not None and job.stopping and not run.exists():
        return "stopped", None  # taken out of the queue
    if job is not None and job.problem and job.problem.get("key") == "cannot_start":
        return "failed", problem_from(job.problem)
    if noted is not None:
        return "failed", noted
    return "interrupted", _death(job)


def _death(job: Job | None) -> DemoError:
    """Why a worker ended without a final event."""
    if job is not None and (reported := problem_from(job.problem)):
        return reported
    killed = job is not None and was_killed(job.returncode)
    return DemoError("worker_killed" if killed else "worker_vanished")


def list_runs(folder: Path = Path("runs")) -> list[dict[str, Any]]:
    """What each run below the folder trains and how far it has come, by name.

    Returns:
        `run_dir`, `recipe`, `source`, `step`, `steps`, `minutes`, `reason` (None while it has not ended),
        `validation_loss` and `best_validation_loss` (over the same windows each time), `full_validation_loss`
        (over all windows, where the run paused or ended; else None). Folders that hold no readable run are
        left out.

    Raises:
        InputError: it is no folder, or may not be looked into; one that is not there holds no runs.
    """
    found = []
    for path in _folders(folder):
        run = RunDirectory(path)
        try:
            config = run.config()
        except DemoError:
            continue
        found.append({"run_dir": str(path), **_known(config), **_progress_of(run)})
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputError("unreadable_file", path=str(folder), detail=reason(error)) from error


def _known(config: dict[str, Any]) -> dict[str, Any]:
    return {name: config.get(name) for name in ("recipe", "source", "steps", "minutes", "seed")}


def _progress_of(run: RunDirectory) -> dict[str, Any]:
    step, reason, losses, full = 0, None, [], None
    for event in run.events():
        step = max(step, event.step)
        reason = event.reason if isinstance(event, RunFinished) else None
        if isinstance(event, ValidationDone) and math.isfinite(event.loss):
            losses.append(event.loss)
            full = event.metrics.get("full_loss")
    return {
        "step": step,
        "reason": reason,
        "validation_loss": losses[-1] if losses else None,
        "best_validation_loss": min(losses, default=None),
        "full_validation_loss": full,
    }
