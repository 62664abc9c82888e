"""What a training would take: figures that agree with a run, and refusals that say by how much."""

import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunStarted, StepDone
from aigc_demo.core.files.manifest import STATE
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training import preflight as module
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.preflight import Trial, preflight
from aigc_demo.training.start import Order, train
from tests.training.conftest import TINY


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a trial does its work, and nothing else."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(module, "MEASURED_SECONDS", 0.2)
    return folder


def order(text_file: Path, run_dir: Path, **changes) -> Order:
    settings = {**TINY, **changes.pop("settings", {})}
    return Order(
        **{"recipe": "gpt", "steps": 20, **changes}, source=str(text_file), run_dir=run_dir, settings=settings
    )


@pytest.mark.parametrize("recipe", ["gpt", "gpt2"])
def test_its_figures_are_those_of_the_run(
    text_file: Path, tmp_path: Path, temporary: Path, recipe: str
) -> None:
    wanted = order(text_file, tmp_path / "run", recipe=recipe, settings={"sample_tokens": 5})
    found = preflight(wanted)
    assert not (tmp_path / "run").exists()
    assert list(temporary.glob("aigc-demo*")) == []
    assert found["fits"] and "problem" not in found
    events = list(train(wanted))
    assert isinstance(events[0], RunStarted)
    assert found["num_parameters"] == events[0].facts["num_parameters"]
    assert found["steps"] == 20 == sum(isinstance(event, StepDone) for event in events)
    rate = found["steps_per_second"]
    assert found["tokens_per_second"] == pytest.approx(rate * 8 * 16, rel=0.01)
    assert found["seconds"] > 20 / rate
    checkpoints = RunDirectory(tmp_path / "run").checkpoints()  # at 10 and at 20, both with their state
    taken = sum(file.stat().st_size for path in checkpoints for file in path.rglob("*") if file.is_file())
    assert found["disk_mib"] == pytest.approx(taken / 2**20, rel=0.02, abs=0.01)
    assert 100 < found["peak_memory_mib"] < found["memory_limit_mib"]


def test_the_whole_is_made_of_its_parts() -> None:
    trial = Trial(weights_mib=2.0, state_mib=5.0)
    trial.facts = {"num_parameters": 7, "validation_windows": 4, "all_validation_windows": 12}
    trial.seconds |= {"step": [0.1, 0.3], "validation": [2.0], "checkpoint": [1.0], "sample": [0.5]}
    settings = LanguageModelSettings(batch_size=3, context_length=10, validate_every=50)
    by_steps = Order("gpt", "text", Path("run"), steps=100)
    found = module._estimate(trial, settings, by_steps)
    # 100 steps of 0.2, validations at 0, 50 and 100 and one over three times as many windows, 15 checkpoints.
    assert found["seconds"] == 100 * 0.2 + 3 * 2 + 6 + 15 * 1.5
    assert (found["steps_per_second"], found["tokens_per_second"]) == (5, 150)
    assert found["disk_mib"] == 15 * 2 + 2 * 5
    by_minutes = Order("gpt", "text", Path("run"), minutes=2)
    often = LanguageModelSettings(batch_size=3, context_length=10, validate_every=600, checkpoint_every=10)
    found = module._estimate(trial, often, by_minutes)
    assert found["steps"] == 600
    assert found["seconds"] == 600 * 0.2 + 2 * 2 + 6 + 60 * 1.5
    assert found["disk_mib"] == 20 * 2 + 2 * 5  # of 60 checkpoints 20 are kept


def test_a_network_too_large_for_the_machine_is_never_built(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_memory_limit_mib", lambda: 100.0)
    large = order(text_file, tmp_path / "run", settings={"hidden_size": 1024, "num_layers": 1})
    found = preflight(large)
    assert not found["fits"] and found["steps"] is None
    values = found["problem"]["values"]
    assert found["problem"]["key"] == "needs_memory"
    # Four matrices of attention and two of four times the width: 12 hidden_size^2, at least 12 bytes each.
    assert values["needed"] == pytest.approx(12 * 12 * 1024**2 / 2**20, rel=0.01)
    assert values["over"] == pytest.approx(values["needed"] - 100, abs=1)


def test_more_memory_than_there_is_and_more_disk_than_there_is(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_memory_limit_mib", lambda: 50.0)  # what Python and torch take is more
    found = preflight(order(text_file, tmp_path / "run"))
    assert (found["fits"], found["problem"]["key"]) == (False, "needs_memory")
    assert found["problem"]["values"]["over"] == pytest.approx(found["peak_memory_mib"] - 50, abs=1)
    assert found["steps_per_second"] > 0
    problem = module._disk_problem(1e12, tmp_path / "run" / "below")
    assert problem is not None and problem.key == "needs_disk"


def test_an_order_is_refused_as_at_the_start(text_file: Path, tmp_path: Path) -> None:
    list(train(order(text_file, tmp_path / "run", stop_after=2)))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="already holds a run"):
        preflight(order(text_file, tmp_path / "run"))
    with pytest.raises(InputError, match="not both and not neither"):
        preflight(order(text_file, tmp_path / "other", steps=None))
    assert preflight(order(text_file, tmp_path / "run", steps=None, resume=True))["steps"] == 20
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "run/checkpoints/step-000002" / STATE).is_dir()


def test_memory_that_runs_out_on_the_way_is_an_answer(text_file: Path, tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))

    settings = {**TINY, "batch_size": 65_536, "context_length": 256, "hidden_size": 64}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    command = [
        "-m",
        "aigc_demo",
        "train",
        "gpt",
        "--data",
        str(text_file),
        "--run-dir",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(
        [sys.executable, *command, "--steps", "5", "--preflight", *words],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=limited,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    printed = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert printed["fits"] == "False"
    assert printed["memory_limit_mib"] == "4096.0"
    assert "more than the 4096 MiB there are; lower batch_size" in printed["problem"]
    assert done.stderr == ""
    assert not (tmp_path / "run").exists()


def test_a_network_is_not_measured_beforehand_where_there_is_no_limit_or_its_weights_are_there(
    text_file: Path, tmp_path: Path
) -> None:
    wanted = order(text_file, tmp_path / "run")
    settings = LanguageModelSettings.from_mapping(wanted.settings)
    with pytest.raises(DemoError):
        module._check_parameters(wanted, settings, 0.001)
    module._check_parameters(wanted, settings, None)
    module._check_parameters(replace(wanted, init="a model"), settings, 0.001)
