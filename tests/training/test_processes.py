"""The command line in processes of its own: exact resume, two processes as one, SIGTERM."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aigc_demo.core.run_directory import RunDirectory, broken
from tests.training.conftest import TINY

SETTINGS = [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]
QUIET = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def train_command(text_file: Path, run_dir: Path, *more: str) -> list[str]:
    return [
        *("-m", "aigc_demo", "train", "gpt", "--data", str(text_file), "--run-dir", str(run_dir)),
        *SETTINGS,
        "--json",
        *more,
    ]


def run(*arguments: str, status: int = 0) -> list[dict]:
    done = subprocess.run(
        [sys.executable, *arguments], env=QUIET, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == status, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def losses(lines: list[dict]) -> list[float]:
    return [line["loss"] for line in lines if line.get("event") == "step"]


def test_resumed_in_a_new_process_equals_uninterrupted(text_file: Path, tmp_path: Path) -> None:
    steps = ("--steps", "30")
    whole = run(*train_command(text_file, tmp_path / "a", *steps, "--set", "dropout=0.1"))
    first = run(
        *train_command(text_file, tmp_path / "b", *steps, "--set", "dropout=0.1", "--stop-after", "15")
    )
    rest = run(*train_command(text_file, tmp_path / "b", *steps, "--set", "dropout=0.1", "--resume"))
    assert first[-1] == {**first[-1], "reason": "stopped", "step": 15}
    assert losses(first) + losses(rest) == losses(whole)
    assert rest[-1] == {**whole[-1], "run_dir": str(tmp_path / "b")}


def test_two_processes_give_the_curve_of_one(text_file: Path, tmp_path: Path) -> None:
    one = losses(run(*train_command(text_file, tmp_path / "one", "--steps", "20")))
    torchrun = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29631")
    two = losses(run(*torchrun, *train_command(text_file, tmp_path / "two", "--steps", "20")))
    assert len(two) == 20  # one of the two speaks
    assert two == pytest.approx(one, abs=1e-4)
    started = next(RunDirectory(tmp_path / "two").events())
    assert started.facts["num_processes"] == 2


def test_sigterm_leaves_a_whole_checkpoint(text_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, *train_command(text_file, tmp_path / "run", "--minutes", "2")]
    with subprocess.Popen(command, env=QUIET, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if json.loads(line).get("step", 0) >= 3:
                worker.send_signal(signal.SIGTERM)
                break
        last = json.loads(worker.stdout.read().splitlines()[-1])
        assert worker.wait(timeout=30) == 0
    assert last["reason"] == "stopped"
    checkpoint = tmp_path / "run/checkpoints" / f"step-{last['step']:06d}"
    assert not broken(checkpoint, read_all=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "5", "--set", "batch_size=nan"], "batch_size must be a number"),
        (["--steps", "5", "--set", "batch_size"], "--set must be name=value"),
        (["--steps", "5", "--minutes", "1"], "not both"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    text_file: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = subprocess.run(
        [sys.executable, *train_command(text_file, tmp_path / "run", *arguments)],
        env=QUIET,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
