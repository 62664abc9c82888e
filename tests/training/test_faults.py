"""Faults injected into a worker: one sentence, its key for whoever started it, a whole record."""

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aigc_demo.core.bounds import DISK_VARIABLE
from aigc_demo.core.events import RunFinished
from aigc_demo.core.files.manifest import invalid_file
from aigc_demo.core.process.worker import PROBLEM_VARIABLE, living_worker, read_problem
from aigc_demo.core.run_directory import RunDirectory
from tests import forked_commands
from tests.training.conftest import TINY

QUIET = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1

POISONED = """
import math
from aigc_demo import cli
from aigc_demo.nets.text.transformer import Decoder
forward, calls = Decoder.forward, []
def poisoned(self, ids, *rest):
    calls.append(self.training)
    return forward(self, ids, *rest) * (math.nan if sum(calls) == 13 else 1)
Decoder.forward = poisoned
cli.main()
"""
BURNING = """
from aigc_demo import cli
from aigc_demo.training.language_model.training import LanguageModelTraining
def burns(self):
    raise ArithmeticError("smoke")
LanguageModelTraining.train_step = burns
cli.main()
"""


@dataclass
class Ended:
    """A worker that has ended: how, what it complained, and the key that it left."""

    status: int
    complaint: str
    key: str | None
    values: dict


@pytest.fixture
def worker(text_file: Path, tmp_path: Path) -> Callable[..., Ended]:
    """Train in a process of its own, in tmp_path/run."""

    def train(*more: str, code: str = "", limits: Callable[[], object] | None = None, **settings) -> Ended:
        given = {**TINY, **settings}
        words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        start = ["-c", code] if code else ["-m", "aigc_demo"]
        order = ["train", "gpt", "--data", str(text_file), "--run-dir", str(tmp_path / "run"), *words]
        problem = tmp_path / "problem.json"
        command = [sys.executable, *start, *order, *(more or ("--steps", "20")), "--json"]
        how: dict = {"env": {**QUIET, PROBLEM_VARIABLE: str(problem), "TMPDIR": str(tmp_path)}}
        how |= {"text": True, "timeout": 120, "check": False}
        if limits:
            done = subprocess.run(command, preexec_fn=limits, capture_output=True, **how)
        else:
            done = forked_commands.run(command, **how)
        left = read_problem(problem)
        key, values = (left.key, left.values) if left else (None, {})
        assert len(done.stderr.splitlines()) == (1 if done.returncode else 0), done.stderr[-3000:]
        assert living_worker(tmp_path / "run") is None
        return Ended(done.returncode, done.stderr, key, values)

    return train


def last_event(folder: Path) -> RunFinished:
    *_, last = RunDirectory(folder).events()
    assert isinstance(last, RunFinished)
    return last


def test_bad_input_leaves_its_key(worker: Callable, tmp_path: Path) -> None:
    ended = worker(num_heads=3)
    assert (ended.status, ended.key) == (2, "heads_do_not_divide")
    assert ended.values == {"hidden_size": 16, "num_heads": 3}
    assert not (tmp_path / "run").exists()


def test_an_address_space_that_is_too_small(worker: Callable, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))

    ended = worker(limits=limit, batch_size=65_536, context_length=256, hidden_size=64)
    assert (ended.status, ended.key) == (1, "out_of_memory")
    assert ended.complaint.startswith("There was not enough memory; lower batch_size")
    assert last_event(tmp_path / "run").reason == "failed"


def test_a_failure_that_nobody_expected(worker: Callable, tmp_path: Path) -> None:
    ended = worker(code=BURNING)
    assert (ended.status, ended.key) == (1, "unexpected")
    assert ended.values["detail"] == "ArithmeticError"
    assert "smoke" in Path(ended.values["path"]).read_text()
    assert last_event(tmp_path / "run").reason == "failed"


def test_a_loss_that_is_no_number(worker: Callable, tmp_path: Path) -> None:
    ended = worker(code=POISONED)
    assert (ended.status, ended.key, ended.values) == (1, "loss_not_finite", {"step": 13})
    assert ended.complaint.startswith("At step 13 the loss was no longer a number")
    assert (last_event(tmp_path / "run").reason, last_event(tmp_path / "run").step) == ("non-finite", 13)
    (checkpoint,) = RunDirectory(tmp_path / "run").checkpoints()
    assert checkpoint.name == "step-000010"
    assert not invalid_file(checkpoint, read_all=True)


def test_a_disk_that_takes_no_more_weights(worker: Callable, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    ended = worker(limits=limit, hidden_size=64)
    assert (ended.status, ended.key) == (1, "cannot_write")
    assert (last_event(tmp_path / "run").reason, last_event(tmp_path / "run").step) == ("failed", 10)
    assert list((tmp_path / "run/checkpoints").iterdir()) == []
    again = worker("--steps", "20", "--resume", hidden_size=64)
    assert (again.status, again.key) == (2, "nothing_to_resume")


def test_a_run_that_takes_more_disk_than_it_may_ends_after_its_checkpoint(
    worker: Callable, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(QUIET, DISK_VARIABLE, "0.01")
    ended = worker("--steps", "30", checkpoint_every=10)
    assert (ended.status, ended.key) == (1, "run_disk_full")
    assert (last_event(tmp_path / "run").reason, last_event(tmp_path / "run").step) == ("failed", 10)
    (checkpoint,) = RunDirectory(tmp_path / "run").checkpoints()
    assert not invalid_file(checkpoint, read_all=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_is_full_from_the_start(worker: Callable, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/events.jsonl").symlink_to("/dev/full")
    ended = worker()
    assert (ended.status, ended.key) == (1, "cannot_write")
    assert "No space left on device" in ended.complaint


@pytest.mark.skipif(sys.platform != "linux", reason="takes a right from root")
def test_a_directory_that_is_read_only(worker: Callable, tmp_path: Path) -> None:
    libc = ctypes.CDLL(None)
    (tmp_path / "run").mkdir(mode=0o555)
    # Root writes everywhere, unless this right is taken from what it executes.
    ended = worker(limits=lambda: libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0))
    assert (ended.status, ended.key) == (1, "cannot_write")
    assert "Permission denied" in ended.complaint
    assert list((tmp_path / "run").iterdir()) == []
    assert json.loads((tmp_path / "problem.json").read_text())["values"]["detail"] == "Permission denied"
