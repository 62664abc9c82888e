"""A training that is stopped while it still prepares its data: at once, and nothing half made stays."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from aigc_demo.core.process.stop_signals import StopAskedError, at_once, stop_on_signals
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.text import byte_pairs
from aigc_demo.training.start import Order, train

SMALL = {
    "num_layers": 1, "num_heads": 1, "hidden_size": 16, "context_length": 16, "batch_size": 2,
    "sample_tokens": 0, "validation_windows": 2, "tokenizer": "bpe",
    "mixed_precision": "no",
}  # fmt: skip
MOST_SECONDS = 8.0
"""To end in: one to two on a quiet machine, and the tests may have a busy one."""


@pytest.fixture
def signals():
    """The test's own handlers afterwards."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.getsignal(name) for name in names}
    yield stop_on_signals()
    for name, handler in before.items():
        signal.signal(name, handler)


def interrupted(number: int, went_on: list[str]) -> None:
    with at_once():
        try:
            signal.raise_signal(number)
            went_on.append("with the work")
        finally:
            signal.raise_signal(signal.SIGTERM)  # what is cleaned up now is not to be disturbed
            went_on.append("with cleaning up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_what_is_done_at_once_and_once_only(signals, number) -> None:
    went_on: list[str] = []
    with pytest.raises(StopAskedError):
        interrupted(number, went_on)
    assert went_on == ["with cleaning up"]
    assert signals.is_set()
    signal.raise_signal(signal.SIGTERM)  # outside it is noted, and asked for between two steps


def test_the_process_of_the_tokenizer_ends_with_the_wait_for_it(signals, monkeypatch) -> None:
    started = []
    popen = subprocess.Popen

    def watched(command, **settings):
        started.append(popen(command, **settings))
        return started[0]

    def parts():
        yield "text"
        signal.raise_signal(signal.SIGTERM)
        yield "and more"

    monkeypatch.setattr(byte_pairs.subprocess, "Popen", watched)
    with pytest.raises(StopAskedError), at_once():
        byte_pairs.train_in_subprocess(parts(), 300, ["<unk>", "<start>"])
    assert started[0].returncode == -signal.SIGKILL


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text("The cat sat on the mat, and the dog saw it.\n" * 40)
    return str(path)


def test_who_is_stopped_before_the_beginning_makes_nothing(tmp_path: Path, source: str) -> None:
    order = Order("gpt", source, tmp_path / "run", steps=3, settings=SMALL)
    (event,) = train(order, lambda: True)
    assert (event.kind, event.step, event.reason) == ("finish", 0, "stopped")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_a_run_that_is_resumed_and_stopped_stays_as_it_was_and_says_so(tmp_path: Path, source: str) -> None:
    order = Order("gpt", source, tmp_path / "run", steps=3, stop_after=1, settings=SMALL)
    list(train(order))
    checkpoints = sorted((tmp_path / "run/checkpoints").iterdir())
    again = Order("gpt", source, tmp_path / "run", steps=3, resume=True, settings={})
    (event,) = train(again, lambda: True)
    assert (event.step, event.reason) == (1, "stopped")
    assert list(RunDirectory(tmp_path / "run").events())[-1] == event
    assert sorted((tmp_path / "run/checkpoints").iterdir()) == checkpoints
    assert list(train(again))[-1].reason == "finished"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_stops_while_the_tokenizer_is_trained(tmp_path: Path, number) -> None:
    text = tmp_path / "genome.txt"
    text.write_text("".join(random.Random(0).choices("ACGTNRYKM", k=8_000_000)))
    sets = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "aigc_demo", "train", "gpt", "--data", str(text), "--json"]
    command += ["--run-dir", str(tmp_path / "run"), "--steps", "3", *sets]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        tokenizer = _child(process.pid)
        time.sleep(0.5)  # so that it comes in the midst of the tokenizer's work
        start = time.monotonic()
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        seconds = time.monotonic() - start
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert json.loads(output.splitlines()[-1])["reason"] == "stopped"
    assert seconds < MOST_SECONDS
    assert not tokenizer.is_running()
    assert [path.name for path in tmp_path.iterdir()] == ["genome.txt"]


def test_a_killed_training_takes_its_tokenizer_along(tmp_path: Path) -> None:
    script = "from aigc_demo.data.text.byte_pairs import train_in_subprocess; "
    script += f"train_in_subprocess(['ab' * 99] * {10**6}, 300, 'ab')"
    process = subprocess.Popen([sys.executable, "-c", script])
    tokenizer = _child(process.pid)
    process.kill()
    process.wait()
    tokenizer.wait(timeout=60)


def _child(pid: int) -> psutil.Process:
    """The process in which the tokenizer is trained, as soon as it is there."""
    for _ in range(1200):
        for one in psutil.Process(pid).children(recursive=True):
            if any(word.endswith("byte_pairs.py") for word in one.cmdline()):
                return one
        time.sleep(0.05)
    raise AssertionError("no tokenizer was trained")
