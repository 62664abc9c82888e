"""Kill workers at random moments and look at what they leave: python benchmarks/kill_workers.py [--times 200]

A tiny model trains in a process of the command line, which is killed (SIGKILL) a random while after its first
step, at every second time while it writes a checkpoint; then the run is resumed, and killed again. After each
time every checkpoint is read in full, and what was lost is counted in steps.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aigc_demo.core.events import StepDone
from aigc_demo.core.files.manifest import invalid_file, step_of
from aigc_demo.core.run_directory import RunDirectory

CHECKPOINT_EVERY = 20
SETTINGS = {
    "context_length": 16,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_size": 16,
    "batch_size": 4,
    "mixed_precision": "no",
    "validate_every": 1000,
    "checkpoint_every": CHECKPOINT_EVERY,
    "sample_tokens": 0,
}
LINES = ["the cat sees the red dog.", "a dog runs.", "the big cat is blue.", "a red cat sees a small dog."]
HOME = Path(__file__).resolve().parents[1]
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Death:
    """What one kill left.

    Attributes:
        within_a_save: an unfinished checkpoint lay there.
        unreadable: checkpoints of which a file is not as its manifest says.
        steps_done: the last step in the record.
        steps_lost: those after the newest whole checkpoint.
    """

    within_a_save: bool
    unreadable: int
    steps_done: int
    steps_lost: int


def kill_workers(
    folder: Path, times: int, seed: int = 0, popen: Callable[..., Any] = subprocess.Popen
) -> Iterator[Death]:
    """Start or resume a training so many times, and kill it each time.

    Args:
        folder: where text and run are made.
        times: how often.
        seed: of the moments.
        popen: starts a worker.

    Raises:
        RuntimeError: a worker ended by itself, or did not get as far as its first step.
    """
    rng, run = random.Random(seed), RunDirectory(folder / "run")
    (folder / "text.txt").write_text("\n".join(LINES[number % len(LINES)] for number in range(400)))
    for time_number in range(times):
        newest = max(map(step_of, run.checkpoints()), default=None)
        started = time.time()
        worker = _start(popen, folder, resume=newest is not None)
        try:
            _wait_for_a_step(worker, run, after=newest or 0)
            if time_number % 2:
                _wait_for_a_save(run, started)
                time.sleep(rng.uniform(0, 0.03))
            else:  # by steps, so that a slow machine comes as far
                _wait_for_steps(run, rng.randint(0, 2 * CHECKPOINT_EVERY))
                time.sleep(rng.uniform(0, 0.03))
        finally:
            worker.kill()
            worker.wait()
        yield _look(run, started)


def _start(popen: Callable[..., Any], folder: Path, *, resume: bool) -> "subprocess.Popen[bytes]":
    if not resume:  # killed before its first checkpoint: there is nothing to go on from
        shutil.rmtree(folder / "run", ignore_errors=True)
    words = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    arguments = ["train", "gpt", "--data", str(folder / "text.txt"), "--run-dir", str(folder / "run")]
    return popen(
        [sys.executable, "-m", "aigc_demo", *arguments, "--steps", "1000000", *words]
        + (["--resume"] if resume else []),
        stdout=subprocess.DEVNULL,
        cwd=HOME,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
    )


def _wait_for_a_step(worker: "subprocess.Popen[bytes]", run: RunDirectory, after: int) -> None:
    """Until the new worker has done steps: it drops the record of those after the checkpoint first."""
    started, end = time.time(), time.monotonic() + WAIT_SECONDS
    beat = run.path / "worker.json"
    while time.monotonic() < end:
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with {worker.returncode}")
        if beat.exists() and beat.stat().st_mtime >= started - 1 and _last_step(run) > after:
            record = json.loads(beat.read_text() or "{}") if beat.exists() else {}
            if record.get("pid") == worker.pid and run.events_path.stat().st_mtime > beat.stat().st_mtime:
                return
        time.sleep(0.01)
    raise RuntimeError("the worker did not come to its first step")


def _wait_for_steps(run: RunDirectory, more: int) -> None:
    end, wanted = time.monotonic() + WAIT_SECONDS, _last_step(run) + more
    while time.monotonic() < end and _last_step(run) < wanted:
        time.sleep(0.005)


def _wait_for_a_save(run: RunDirectory, started: float) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and not _unfinished(run, started):
        time.sleep(0.0005)


def _unfinished(run: RunDirectory, started: float) -> list[Path]:
    """What the worker that began then was writing or removing; not what an earlier one left."""
    found = []
    for path in (run.path / "checkpoints").glob(".step-*.partial"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ctime >= started:
                found.append(path)
    return found


def _last_step(run: RunDirectory) -> int:
    return max((event.step for event in run.events() if isinstance(event, StepDone)), default=0)


def _look(run: RunDirectory, started: float) -> Death:
    """Read everything that is there."""
    named = list((run.path / "checkpoints").glob("step-*"))
    unreadable = sum(bool(invalid_file(path, read_all=True)) for path in named)
    done, saved = _last_step(run), max(map(step_of, run.resumable()), default=0)
    return Death(bool(_unfinished(run, started)), unreadable, done, done - saved)


def summary(deaths: list[Death]) -> dict[str, Any]:
    """The figures of many deaths."""
    return {
        "times": len(deaths),
        "within_a_save": sum(death.within_a_save for death in deaths),
        "unreadable_checkpoints": sum(death.unreadable for death in deaths),
        "most_steps_lost": max((death.steps_lost for death in deaths), default=0),
        "checkpoint_every": CHECKPOINT_EVERY,
        "last_step": deaths[-1].steps_done if deaths else 0,
    }


def main() -> None:
    """Kill, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="end sooner after so long")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    end = time.monotonic() + 60 * given.minutes
    deaths = []
    with tempfile.TemporaryDirectory() as folder:
        for death in kill_workers(Path(folder), given.times, given.seed):
            deaths.append(death)
            if time.monotonic() > end:
                break
    found = summary(deaths)
    print(json.dumps(found) if given.json else "  ".join(f"{name} {value}" for name, value in found.items()))
    good = not found["unreadable_checkpoints"] and found["most_steps_lost"] <= CHECKPOINT_EVERY
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
