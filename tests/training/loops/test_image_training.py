"""What every recipe does that learns from images: its part of the threads, and what captions lack."""

import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from aigc_demo.core import device
from aigc_demo.core.events import StepDone, Warned
from aigc_demo.core.process.worker import seconds_since_heartbeat, worker_lock
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.family import family_of
from aigc_demo.training.loops import image_training, loop
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget
from aigc_demo.training.start import Order, train
from tests.training import image_orders, pair_orders
from tests.training.image_orders import OF_RECIPE, SMALL, order


def test_a_run_beside_another_takes_its_part_of_the_threads(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_COUNTS", 0)
    monkeypatch.setattr(device, "cpu_quota", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    other = tmp_path / "other"
    other.mkdir()
    torch.set_num_threads(4)
    try:
        events = train(order(tmp_path / "run", "classifier"))
        steps = (event for event in events if isinstance(event, StepDone))
        next(steps)
        assert torch.get_num_threads() == 4
        with worker_lock(other):
            next(steps)
            assert torch.get_num_threads() == 2
        next(steps)
        assert torch.get_num_threads() == 4
        events.close()
    finally:
        torch.set_num_threads(before)


def prepared(folder: Path, recipe: str) -> Any:
    """A training of a recipe that has made no step yet."""
    asked = (image_orders if recipe == "classifier" else pair_orders).order(folder, recipe)
    row = recipe_named(recipe)
    settings = row.complete(asked.settings, asked.source)
    run = RunDirectory(folder)
    run.create({})
    return family_of(row).prepare(asked, settings, Budget(steps=9), run, None)


def test_the_seconds_of_a_step_are_those_since_it_began(tmp_path: Path, monkeypatch) -> None:
    training = prepared(tmp_path / "run", "classifier")
    monkeypatch.setattr(image_training, "time", SimpleNamespace(perf_counter=lambda: 30.5))
    metrics = [training.metrics_of_step(started, 0.1, 0.25) for started in (28.0, 30.0)]
    assert [done["seconds"] for done in metrics] == [2.5, 3.0]
    assert [done["pictures_per_second"] for done in metrics] == [8 / 2.5, 8 / 0.5]
    assert (metrics[0]["learning_rate"], metrics[0]["gradient_norm"], training.step) == (0.1, 0.25, 2)


@pytest.mark.parametrize("question", ["check_stop", "asked_to_stop"])
def test_a_run_that_is_asked_to_stop_in_the_midst_of_something_long_says_that_it_lives(
    tmp_path: Path, question: str
) -> None:
    training = prepared(tmp_path / "run", "classifier")
    assert seconds_since_heartbeat(tmp_path / "run") == math.inf
    assert not getattr(training, question)()
    assert seconds_since_heartbeat(tmp_path / "run") < 60
    training.should_stop = lambda: True
    if question == "asked_to_stop":
        assert training.asked_to_stop()
    else:
        with pytest.raises(loop.InterruptedValidationError):
            training.check_stop()


@pytest.mark.parametrize("recipe", ["classifier", "clip", "checker", "colorize"])
def test_what_is_measured_is_the_mean_over_the_images_in_parts_of_any_size(
    tmp_path: Path, monkeypatch, recipe: str
) -> None:
    training = prepared(tmp_path / "run", recipe)
    module = sys.modules[type(training).__module__]
    at_once = "LOOKED_THROUGH" if recipe == "clip" else "MEASURED_TOGETHER"
    monkeypatch.setattr(module, at_once, 6)
    rest = 0 if recipe == "clip" else 3  # of pairs, a smaller rest is left out: retrieval is easier there
    first, second, third = (
        training.evaluate(part) for part in (list(range(6)), list(range(6, 12)), list(range(12, 15)))
    )
    found = training.evaluate(list(range(15)))
    assert set(found) == set(first)
    for name, value in found.items():
        mean = (6 * first[name] + 6 * second[name] + rest * third[name]) / (12 + rest)
        assert value == pytest.approx(mean, rel=1e-4), name
    share = {"classifier": "accuracy", "clip": "text_of_100"}.get(recipe)
    assert share is None or 0 <= found[share] <= 1


@pytest.mark.parametrize("recipe", ["classifier", "dcgan"])
def test_a_run_says_at_its_start_which_captions_found_no_image(
    tmp_path: Path, unlabelled: Path, recipe: str
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(unlabelled, folder)
    (folder / "metadata.csv").write_text("file_name,text\n0.PNG,a\n1.png,b\n")
    settings = SMALL if recipe == "dcgan" else {**SMALL, **OF_RECIPE[recipe]}
    asked = Order(recipe=recipe, source=str(folder), run_dir=tmp_path / "run", settings=settings, steps=2)
    events = list(train(replace(asked, stop_after=1)))
    warned = [(event.key, event.values["count"], event.values["first"]) for event in events[1:3]]
    assert warned == [("rows_without_picture", 1, "0.PNG"), ("pictures_without_row", 23, "0.png")]
    list(train(replace(asked, resume=True)))
    kept = [event for event in RunDirectory(tmp_path / "run").events() if isinstance(event, Warned)]
    assert len(kept) == 2, "once a run, also where it was resumed"
