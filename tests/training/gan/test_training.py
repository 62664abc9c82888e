"""Two networks against each other: each network's steps, resuming, several processes, samples."""

import math
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
)
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.images.gan import load_networks
from aigc_demo.training.family import family_of
from aigc_demo.training.gan.training import GanTraining
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget
from aigc_demo.training.start import Order, train
from tests.training.ranks import run_ranks

SMALL = {
    "num_pictures": 64,
    "validation_fraction": 0.25,
    "batch_size": 8,
    "num_features": 8,
    "latent_size": 16,
    "mixed_precision": "no",
    "validate_every": 4,
    "checkpoint_every": 6,
    "sample_pictures": 4,
}
RECIPES = {
    "dcgan": {},
    "stylegan": {"width": 8, "style_size": 8, "num_mapping_layers": 2},
}


def order(run_dir: Path, recipe: str = "dcgan", **changes) -> Order:
    settings = {**SMALL, **RECIPES[recipe], **changes.pop("settings", {})}
    given = {"source": "tiny-world", "steps": 12, **changes}
    return Order(recipe=recipe, run_dir=run_dir, settings=settings, **given)


def losses_and_metrics(events: list[TrainEvent]) -> list[tuple]:
    """Everything a step says but its time."""
    timed = ("seconds", "pictures_per_second")
    return [
        (event.step, event.loss, {name: value for name, value in event.metrics.items() if name not in timed})
        for event in events
        if isinstance(event, StepDone)
    ]


def training(tmp_path: Path, **settings) -> GanTraining:
    recipe = recipe_named("dcgan")
    asked = order(tmp_path / "run", settings=settings)
    complete = recipe.complete(asked.settings, asked.source)
    run = RunDirectory(tmp_path / "run")
    run.create({})
    made = family_of(recipe).prepare(asked, complete, Budget(steps=9), run, None)
    assert isinstance(made, GanTraining)
    return made


def copied(network: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in network.parameters()]


def same(network: torch.nn.Module, before: list[torch.Tensor]) -> bool:
    return all(torch.equal(weight, old) for weight, old in zip(network.parameters(), before, strict=True))


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("dcgan", {}),
        ("dcgan", {"ema_decay": 0.9, "r1_gamma": 1.0, "r1_every": 2, "diff_augment": ("colour", "cutout")}),
        (
            "dcgan",
            {"discriminator_steps": 2, "loss": "hinge", "crop": 0.1, "flip": True, "schedule": "linear"},
        ),
        ("dcgan", {"optimizer": "muon", "discriminator_norm": "none", "r1_gamma": 1.0}),
        ("stylegan", {"r1_every": 4}),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, recipe: str, settings: dict):
    whole = list(train(order(tmp_path / "whole", recipe, settings=settings)))
    first = list(train(order(tmp_path / "parts", recipe, settings=settings, stop_after=7)))
    rest = list(train(Order(recipe, "tiny-world", tmp_path / "parts", resume=True)))
    assert len(losses_and_metrics(whole)) == 12
    assert losses_and_metrics(first) + losses_and_metrics(rest) == losses_and_metrics(whole)
    pairs = zip(
        load_networks(tmp_path / "whole/checkpoints/step-000012"),
        load_networks(tmp_path / "parts/checkpoints/step-000012"),
        strict=True,
    )
    for one, other in pairs:
        assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_a_step_trains_both_networks_in_training_mode_whatever_measured_them_before(tmp_path: Path):
    made = training(tmp_path)
    made.generator.eval()
    made.discriminator.eval()
    made.train_step()
    assert made.generator.training and made.discriminator.training


def test_each_side_moves_alone(tmp_path: Path):
    loop = training(tmp_path)
    generator, discriminator = copied(loop.generator), copied(loop.discriminator)
    rng = loop.batches.stream(0)
    fake_BCHW, seen = loop._discriminator_step(rng, keep_graph=True)
    assert same(loop.generator, generator)
    assert not same(loop.discriminator, discriminator)
    assert all(weight.grad is None for weight in loop.generator.parameters())
    discriminator = copied(loop.discriminator)
    loss, norm, _ = loop._generator_step(fake_BCHW, rng)
    assert same(loop.discriminator, discriminator)
    assert not same(loop.generator, generator)
    assert norm > 0
    assert math.isfinite(loss)
    assert 0 < seen["fake_prob"] < 1


def test_the_first_losses_are_those_of_a_discriminator_that_knows_nothing(tmp_path: Path):
    events = list(train(order(tmp_path / "run", steps=1)))
    (step,) = [event for event in events if isinstance(event, StepDone)]
    assert step.metrics["discriminator_loss"] == pytest.approx(2 * math.log(2), abs=0.6)
    assert step.metrics["real_prob"] == pytest.approx(0.5, abs=0.2)


def test_what_a_run_says(tmp_path: Path):
    events = list(train(order(tmp_path / "run")))
    (start,) = [event for event in events if isinstance(event, RunStarted)]
    assert start.facts["num_parameters"] == (
        start.facts["generator_parameters"] + start.facts["discriminator_parameters"]
    )
    assert start.facts["train_pictures"] + start.facts["validation_pictures"] == 64
    assert not [event for event in events if isinstance(event, ValidationDone)]
    held_out = [step for step, _, metrics in losses_and_metrics(events) if "held_out_prob" in metrics]
    assert held_out == [4, 8, 12]
    saved = [event for event in events if isinstance(event, CheckpointSaved)]
    drawn = [event for event in events if isinstance(event, SampleReady)]
    assert [event.step for event in saved] == [event.step for event in drawn] == [6, 12]
    with Image.open(tmp_path / "run" / drawn[-1].file) as sheet:
        assert sheet.size == (66, 66)


def test_the_average_lags_behind_the_generator(tmp_path: Path):
    loop = training(tmp_path, ema_decay=0.2)
    before = copied(loop.generator)
    loop.train_step()  # the first one is taken over as it is
    expected = copied(loop.generator)
    for memory in (2 / 11, 0.2):  # it grows up to what was asked for
        loop.train_step()
        new = loop.generator.parameters()
        expected = [memory * old + (1 - memory) * now for old, now in zip(expected, new, strict=True)]
    for weight, wanted in zip(loop.kept_generator().parameters(), expected, strict=True):
        torch.testing.assert_close(weight, wanted)
    assert not same(loop.generator, before)


def test_a_run_goes_on_from_a_model_of_its_shape_alone(tmp_path: Path):
    list(train(order(tmp_path / "old", steps=2)))
    events = list(train(order(tmp_path / "new", steps=1, init=str(tmp_path / "old"))))
    assert events[-1].step == 1
    with pytest.raises(InputError, match="num_features"):
        list(
            train(
                order(tmp_path / "other", steps=1, init=str(tmp_path / "old"), settings={"num_features": 4})
            )
        )
    with pytest.raises(InputError, match="recipe stylegan"):
        list(train(order(tmp_path / "style", "stylegan", steps=1, init=str(tmp_path / "old"))))


def test_other_data_are_refused_on_resume(tmp_path: Path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (32, 32), (number * 20, 0, 0)).save(folder / f"{number}.png")
    list(train(order(tmp_path / "run", source=str(folder), stop_after=2)))
    Image.new("RGB", (32, 32), (0, 255, 0)).save(folder / "new.png")
    with pytest.raises(InputError, match="not those"):
        list(train(Order("dcgan", str(folder), tmp_path / "run", resume=True)))


@pytest.mark.timeout(120)
def test_two_processes_hold_identical_weights(tmp_path: Path):
    """And almost those of one: batch norm sees half of a batch in each, so no more is promised."""
    run_ranks([sys.executable, "-m", "tests.training.gan.gan_worker", str(tmp_path / "run")])
    replicas = [torch.load(tmp_path / f"replica-{rank}.pt") for rank in range(2)]
    assert replicas[0].keys() == replicas[1].keys()
    assert all(torch.equal(replicas[0][name], replicas[1][name]) for name in replicas[0])
