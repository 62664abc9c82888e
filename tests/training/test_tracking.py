"""What an experiment tracker is calls, read back from where it keeps it, and trackers that fail."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from accelerate import PartialState
from accelerate import tracking as trackers

from aigc_demo import cli
from aigc_demo.core.events import RunFinished, RunStarted, StepDone, ValidationDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.tracking import Tracking, tracking
from tests import forked_commands
from tests.training.conftest import TINY

FAILING = """
from accelerate import tracking
from accelerate.utils import LoggerType
from aigc_demo import cli

class Failing(tracking.GeneralTracker):
    name, requires_logging_directory, tracker = "wandb", False, None
    def __init__(self, *arguments, **settings):
        pass
    def log(self, values, step=None):
        assert step <= 3, "it was asked again"
        if step == 3:
            raise OSError("no space left\\nand more")
    def finish(self):
        raise ConnectionError("no server")

tracking.LOGGER_TYPE_TO_CLASS["wandb"] = Failing
tracking._available_trackers.append(LoggerType.WANDB)
cli.main()
"""


def train(text_file: Path, run_dir: Path, *more: str, code: str = "", **variables: str) -> list[dict]:
    """Train in a process of its own; what it prints, which is lines of JSON and nothing else."""
    words = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    start = ["-c", code] if code else ["-m", "aigc_demo"]
    command = [*start, "train", "gpt", "--data", str(text_file), "--run-dir", str(run_dir), *words]
    done = forked_commands.run(  # its input is empty: a tracker that asks gets no answer
        [sys.executable, *command, "--json", *more],
        env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", **variables},
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def curve(lines: list[dict], kind: str) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in lines if line.get("event") == kind]


def needed(package: str) -> None:
    """Skip the test without a package, but not in CI, which installs it."""
    if find_spec(package) is None:
        assert os.environ.get("CI") != "true", f"{package} is missing"
        pytest.skip(f"{package} is not installed")


def test_tensorboard_is_told_every_number_at_the_runs_own_step(text_file: Path, tmp_path: Path) -> None:
    needed("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run, more = tmp_path / "run", ("--steps", "20", "--track", "tensorboard")
    lines = train(text_file, run, *more, "--stop-after", "10")
    lines += train(text_file, run, *more, "--resume")
    logged = EventAccumulator(str(run / "tensorboard"))
    logged.Reload()
    for kind, part in (("step", "train"), ("validation", "validation")):
        kept = [(point.step, point.value) for point in logged.Scalars(f"{part}/loss")]
        assert [step for step, _ in kept] == [step for step, _ in curve(lines, kind)]
        assert [loss for _, loss in kept] == pytest.approx([loss for _, loss in curve(lines, kind)], abs=1e-6)
    assert [point.step for point in logged.Scalars("train/learning_rate")] == list(range(1, 21))
    configuration = yaml.safe_load(next((run / "tensorboard").rglob("hparams.yml")).read_text())
    assert configuration["learning_rate"] == 3e-3
    assert configuration["validation_windows"] == 64  # as it was set, not how many there are
    assert configuration["num_parameters"] > 1000
    assert configuration["seed"] == 0


def test_trackio_is_told_every_number_at_the_runs_own_step(text_file: Path, tmp_path: Path) -> None:
    """Not in requirements-dev.txt: with it comes another loop and parser for the page's server."""
    if find_spec("trackio") is None:
        pytest.skip("trackio is not installed")
    run, more = tmp_path / "run", ("--steps", "20", "--track", "trackio")
    place = {"TRACKIO_DIR": str(tmp_path / "trackio"), "HF_HUB_OFFLINE": "1"}
    lines = train(text_file, run, *more, "--stop-after", "10", **place)
    lines += train(text_file, run, *more, "--resume", **place)
    ask = [sys.executable, "-c", "from trackio.cli import main; main()", "get", "metric"]
    ask += ["--project", "aigc-demo", "--run", "run", "--json", "--metric"]
    for kind, part in (("step", "train"), ("validation", "validation")):
        answer = subprocess.run(
            [*ask, f"{part}/loss"], env={**os.environ, **place}, capture_output=True, text=True, check=True
        )
        kept = [(point["step"], point["value"]) for point in json.loads(answer.stdout)["values"]]
        assert kept == curve(lines, kind)


def test_tracker_that_fails_on_the_way_ends_no_training(text_file: Path, tmp_path: Path) -> None:
    whole = train(text_file, tmp_path / "alone", "--steps", "10")
    lines = train(text_file, tmp_path / "run", "--steps", "10", "--track", "wandb", code=FAILING)
    assert curve(lines, "step") == curve(whole, "step")
    assert lines[-1] == {**whole[-1], "run_dir": str(tmp_path / "run")}
    warned = [line for line in lines if line.get("event") == "warning"]
    values = {"name": "wandb", "detail": "OSError no space left"}
    assert warned == [{"event": "warning", "step": 3, "key": "tracker_failed", "values": values}]
    events = list(RunDirectory(tmp_path / "run").events())
    assert [event.step for event in events if event.kind == "warning"] == [3]
    assert isinstance(events[-1], RunFinished)
    log = (tmp_path / "run/run.log").read_text()
    assert log.count("wandb failed\n") == 1
    assert log.count("wandb failed at the end") == 1
    assert "OSError: no space left" in log


def test_tracker_that_is_not_installed_is_refused_before_anything_is_written(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trackers, "_available_trackers", [])
    words = ["--data", str(text_file), "--run-dir", str(tmp_path / "run"), "--steps", "5"]
    for name, cure in (("trackio", "python -m pip install trackio"), ("nothing", "'wandb'")):
        with pytest.raises(SystemExit) as exit:
            cli.main(["train", "gpt", *words, "--track", name])
        complaint = capsys.readouterr().err
        assert exit.value.code == 2
        assert cure in complaint
        assert len(complaint.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run that has just been started."""
    PartialState()  # as the loop has made it by then
    run = RunDirectory(tmp_path / "mine")
    run.create({"recipe": "gpt", "settings": {"learning_rate": 0.5, "batch_size": 7}, "data": {"name": "x"}})
    return run


STARTED = RunStarted(0, {"batch_size": 8, "device": "cpu", "preparation": [{}], "minutes": None})


def test_trackio_keeps_to_the_run_and_to_standard_error(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: dict[str, Any] = {"log": [], "finished": 0}

    class Run:
        def log(self, values: dict, step: int) -> None:
            calls["log"].append((step, values))

        def finish(self) -> None:
            calls["finished"] += 1

    def init(**arguments: Any) -> Run:
        print("* Created new run")
        calls["init"] = arguments
        return Run()

    config: dict[str, Any] = {}
    module = SimpleNamespace(init=init, config=config, finish=lambda: Run().finish())
    monkeypatch.setitem(sys.modules, "trackio", module)
    with tracking("trackio", run, resumed=False) as tracker:
        assert tracker.take(STARTED) is None
        assert tracker.take(StepDone(4, 2.5, {"learning_rate": 0.25})) is None
        assert tracker.take(ValidationDone(4, 3.5, {"num_windows": 9})) is None
        assert tracker.take(RunFinished(4, "finished")) is None
    assert calls["log"] == [
        (4, {"train/loss": 2.5, "train/learning_rate": 0.25}),
        (4, {"validation/loss": 3.5, "validation/num_windows": 9}),
    ]
    assert calls["finished"] == 1
    assert calls["init"]["project"] == "aigc-demo"
    assert (calls["init"]["name"], calls["init"]["resume"]) == ("mine", "never")
    assert not calls["init"]["embed"]
    expected = {"recipe": "gpt", "learning_rate": 0.5, "batch_size": 7, "data_name": "x", "device": "cpu"}
    assert {name: value for name, value in config.items() if name != "allow_val_change"} == expected
    assert capsys.readouterr().out == ""
    with tracking("trackio", run, resumed=True) as tracker:
        tracker.take(STARTED)
    assert calls["init"]["resume"] == "allow"


def test_wandb_finds_a_resumed_run_again(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def settings(run: RunDirectory, *, resumed: bool) -> dict[str, Any]:
        return Tracking("wandb", run, resumed=resumed)._new_tracker(0).init_kwargs

    first = settings(run, resumed=False)
    assert first["name"] == "mine"
    assert first["dir"] == str(run.path)
    assert re.fullmatch("[0-9a-f]{16}", first["id"])  # of another length, runs from before would not be found
    assert settings(RunDirectory(run.path), resumed=True) == first
    os.utime(run.path / "config.json", (1, 1))  # a new run in the same place
    assert settings(run, resumed=False)["id"] != first["id"]
