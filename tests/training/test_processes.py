"""The command line in processes of its own: exact resume, two processes as one, SIGTERM."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aigc_demo.core.run_directory import RunDirectory, broken
from benchmarks.kill_workers import CHECKPOINT_EVERY, kill_workers
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


def test_resumed_by_another_number_of_processes_it_goes_on_and_says_so(
    text_file: Path, tmp_path: Path
) -> None:
    whole = losses(run(*train_command(text_file, tmp_path / "whole", "--steps", "20")))
    torchrun = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29632")
    command = train_command(text_file, tmp_path / "both", "--steps", "20")
    first = losses(run(*torchrun, *command, "--stop-after", "10"))
    lines = run(*command, "--resume")
    warned = [line for line in lines if line.get("event") == "warning"]
    assert warned == [
        {"event": "warning", "step": 10, "key": "other_processes", "values": {"old": 2, "new": 1}}
    ]
    assert first + losses(lines) == pytest.approx(whole, abs=1e-4)


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


def stopped_at(command: list[str], event: str, step: int, later: float = 0.3) -> tuple[list[dict], float]:
    """SIGTERM to a worker a moment after an event: all that it said, and how long it took to end."""
    with subprocess.Popen([sys.executable, *command], env=QUIET, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        lines = []
        for line in worker.stdout:
            lines.append(json.loads(line))
            if (lines[-1].get("event"), lines[-1]["step"]) == (event, step):
                break
        time.sleep(later)
        told = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        lines += map(json.loads, worker.stdout.read().splitlines())
        assert worker.wait(timeout=30) == 0
        return lines, time.monotonic() - told


@pytest.mark.parametrize("last_windows", [64, 1_000_000])
def test_sigterm_while_it_measures_at_the_end(tmp_path: Path, last_windows: int) -> None:
    text = tmp_path / "long.txt"
    text.write_text("the cat sees the red dog. " * 100_000)  # minutes of measuring
    more = ("--set", "validation_fraction=0.9", "--set", f"validation_windows={last_windows}")
    if last_windows > 64:  # the first validation, before any step, is as long
        command, event, step = train_command(text, tmp_path / "run", "--steps", "3", *more), "start", 0
    else:
        command, event, step = train_command(text, tmp_path / "run", "--steps", "3", *more), "step", 3
    lines, seconds = stopped_at(command, event, step, later=1.0)
    assert seconds < 5
    assert lines[-1]["reason"] == ("finished" if step else "stopped")
    assert lines[-1]["step"] == step
    assert lines[-1]["full_validation_loss"] is None  # it had not been measured in full
    (checkpoint,) = RunDirectory(tmp_path / "run").resumable()
    assert checkpoint.name == f"step-{step:06d}"
    assert not broken(checkpoint, read_all=True)


def test_sigterm_while_it_writes_a_sample(text_file: Path, tmp_path: Path) -> None:
    more = ("--steps", "30", "--set", "sample_tokens=4096", "--set", "checkpoint_every=5")
    command = train_command(text_file, tmp_path / "run", *more)
    lines, seconds = stopped_at(command, "checkpoint", 5, later=0.5)
    assert seconds < 5
    assert (lines[-1]["reason"], lines[-1]["step"]) == ("stopped", 6)  # the next step, and its checkpoint
    assert not [line for line in lines if line.get("event") == "sample"]
    names = [path.name for path in RunDirectory(tmp_path / "run").resumable()]
    assert names == ["step-000005", "step-000006"]


def test_killed_at_random_moments_no_checkpoint_is_unreadable(tmp_path: Path) -> None:
    deaths = list(kill_workers(tmp_path, times=8, seed=1))
    assert [death.unreadable for death in deaths] == [0] * 8
    assert max(death.steps_lost for death in deaths) <= CHECKPOINT_EVERY
    assert deaths[-1].steps_done > CHECKPOINT_EVERY  # resumed each time, it came further
    assert any(death.within_a_save for death in deaths)


def test_a_second_worker_is_refused_and_the_first_ones_record_is_whole(
    text_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = train_command(text_file, folder, "--steps", "1000000")
    with subprocess.Popen([sys.executable, *command], env=QUIET, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        while b'"event": "checkpoint"' not in first.stdout.readline():
            pass
        drain = threading.Thread(target=first.stdout.read)
        drain.start()
        refused = subprocess.run(
            [sys.executable, *command, "--resume"], env=QUIET, capture_output=True, text=True, check=False
        )
        first.send_signal(signal.SIGTERM)
        drain.join()
        assert first.wait(timeout=30) == 0
    assert refused.returncode == 2
    assert "another process is training" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    events = list(RunDirectory(folder).events())
    steps = [event.step for event in events if event.kind == "step"]
    assert steps == list(range(1, len(steps) + 1))
    assert events[-1].reason == "stopped"
    assert len(events) == len((folder / "events.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "5", "--set", "batch_size=nan"], "batch_size must be a number"),
        (["--steps", "5", "--set", "batch_size"], "--set must be name=value"),
        (["--steps", "5", "--minutes", "1"], "not both"),
        (["--steps", "5", "--set", "mixed_precision=fp16"], "no, bf16 or auto without a GPU"),
        (["--steps", "5", "--set", "validation_fraction=0"], "validation_fraction must be at least 0.001"),
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
