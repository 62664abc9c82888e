"""The dual encoder and the reader of attributes: they learn, resume, and their folders are measured."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunStarted, StepDone, TrainEvent, ValidationDone
from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
from aigc_demo.generators.catalog import find
from aigc_demo.generators.text_to_image.matching import load_matcher, load_reader
from aigc_demo.generators.text_to_image.restoration import load_restoration
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.studio.evaluate.publish import publish
from aigc_demo.training.start import Order, train

SMALL = {
    "image_size": 32,
    "num_pictures": 120,
    "batch_size": 8,
    "validation_fraction": 0.25,
    "mixed_precision": "no",
    "validate_every": 4,
    "checkpoint_every": 6,
    "width": 8,
}
OF_RECIPE = {
    "clip": {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "embedding_size": 16, "phrasings": 1},
    "checker": {},
    "colorize": {"width": 4},
    "inpaint": {"width": 4},
}


def order(run_dir: Path, recipe: str, **changes) -> Order:
    settings = {**SMALL, **OF_RECIPE[recipe], **changes.pop("settings", {})}
    given = {"source": "tiny-world", "steps": 12, **changes}
    return Order(recipe=recipe, run_dir=run_dir, settings=settings, **given)


def losses(events: list[TrainEvent]) -> list[float]:
    return [event.loss for event in events if isinstance(event, StepDone)]


def measured(events: list[TrainEvent]) -> list[ValidationDone]:
    return [event for event in events if isinstance(event, ValidationDone)]


def weights(run: Path, step: int = 12) -> dict[str, torch.Tensor]:
    return load_file(run / f"checkpoints/step-{step:06d}/model.safetensors")


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of noise with captions, in one folder."""
    folder = tmp_path_factory.mktemp("captioned")
    pixels = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), np.uint8)
    rows = ["file_name,text"]
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).resize((32, 32)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,picture {number % 6} of {'red' if number % 2 else 'blue'}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.parametrize("case", ["clip", "captioned", "checker", "inpaint"])
def test_resumed_equals_uninterrupted(tmp_path: Path, captioned: Path, case: str) -> None:
    recipe = "clip" if case == "captioned" else case
    source = str(captioned) if case == "captioned" else "tiny-world"
    whole = list(train(order(tmp_path / "a", recipe, source=source)))
    halves = [
        *train(order(tmp_path / "b", recipe, source=source, stop_after=5)),
        *train(order(tmp_path / "b", recipe, source=source, resume=True)),
    ]
    assert len(losses(whole)) == 12
    assert losses(halves) == losses(whole)
    assert measured(halves)[-1] == measured(whole)[-1]
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_dual_encoder_learns_and_its_folder_says_the_same(tmp_path: Path) -> None:
    settings = {"num_pictures": 400, "batch_size": 32, "validate_every": 60, "checkpoint_every": 120}
    settings |= {"hidden_size": 32, "learning_rate": 5e-3, "validation_pictures": 100, "noise": 0.1}
    events = list(train(order(tmp_path / "run", "clip", steps=120, settings=settings)))
    steps = [event for event in events if isinstance(event, StepDone)]
    guess = (math.log(32 * 3) + math.log(32)) / 2 + math.log(3)
    assert steps[0].metrics["loss_by_chance"] == pytest.approx(guess, abs=1e-3)
    assert steps[0].metrics["found_by_chance"] == pytest.approx(1 / 96, abs=1e-5)
    assert sum(losses(events)[-10:]) / 10 < 0.75 * guess
    assert sum(done.metrics["found"] for done in steps[-10:]) / 10 > 0.1  # by chance 0.01
    begin, *_, end = measured(events)
    assert end.loss < begin.loss
    facts = next(event.facts for event in events if isinstance(event, RunStarted))
    assert facts["train_captions"] == 300 * 2
    assert 20 < facts["vocab_size"] < 120

    folder = tmp_path / "run/checkpoints/step-000120"
    matcher = load_matcher(str(folder))
    corpus = prepare_pairs(
        "tiny-world", PairSettings(image_size=32, num_pictures=400, validation_fraction=0.25, phrasings=1)
    )
    scores = matcher.scores([texts[0] for texts in corpus.train_captions[:50]], corpus.train[:50])
    assert scores.shape == (50, 50)
    assert scores.diagonal().mean() > scores.mean() + 0.1
    assert load_file(folder / "model.safetensors")["text_encoder.embedding.weight"].dtype == torch.float16

    figures = evaluate(
        str(folder), "tiny-world", settings={"num_pictures": 400, "validation_fraction": 0.25, "phrasings": 1}
    )
    assert figures["num_samples"] == 100
    assert figures["top1_of_100"] > 0.02  # by chance 0.01
    assert set(figures) >= {"picture_of_100", "top1_of_100_zh", "picture_of_100_zh"}
    assert 0.3 < figures["told_from_exchanged"] < 1
    assert 0.3 < figures["told_from_exchanged_zh"] < 1

    # Another run begins with what this one knows, and reads with its words.
    begun = order(tmp_path / "more", "clip", steps=1, settings=settings, init=str(folder))
    first = next(event for event in train(begun) if isinstance(event, StepDone))
    assert first.loss < 0.75 * guess
    wider = order(tmp_path / "wider", "clip", steps=1, settings={**settings, "width": 40}, init=str(folder))
    with pytest.raises(InputError, match="width"):
        list(train(wider))


def test_a_run_that_keeps_nothing_back_is_measured_on_all(tmp_path: Path, captioned: Path) -> None:
    given = {"validation_fraction": 0.0}
    list(train(order(tmp_path / "run", "clip", source=str(captioned), steps=2, settings=given)))
    figures = evaluate(str(tmp_path / "run"), str(captioned), "all", settings=given)
    assert (figures["split"], figures["num_samples"]) == ("all", 24)
    assert 0 <= figures["picture_of_all"] <= 1
    assert "told_from_exchanged" not in figures
    with pytest.raises(InputError, match="validation_fraction"):
        evaluate(str(tmp_path / "run"), str(captioned), settings=given)
    data = {"title": "noise", "origin": "here", "licence": "none", "language": "en"}
    publish(tmp_path / "run", tmp_path / "model", data)
    card = (tmp_path / "model/README.md").read_text()
    assert "on 24 pictures, those that it learned from among them" in card
    assert "finds the picture of a caption among all" in card


def test_a_checker_learns_and_its_folder_says_the_same(tmp_path: Path) -> None:
    settings = {"num_pictures": 600, "batch_size": 32, "validate_every": 60, "checkpoint_every": 120}
    settings |= {"learning_rate": 1e-2, "validation_pictures": 150}
    events = list(train(order(tmp_path / "run", "checker", steps=120, settings=settings)))
    begin, *_, end = measured(events)
    assert end.loss < 0.5 * begin.loss
    assert end.metrics["full_accuracy"] > 0.1 > begin.metrics["accuracy"]
    folder = tmp_path / "run/checkpoints/step-000120"
    figures = evaluate(str(folder), "tiny-world", settings={"num_pictures": 600, "validation_fraction": 0.25})
    assert figures["num_samples"] == 150
    assert figures["num_things"] > 150
    assert figures["checker_accuracy"] == pytest.approx(end.metrics["full_accuracy"], abs=0.05)
    assert load_reader(str(folder)).config.image_size == 32


@pytest.mark.parametrize("recipe", ["colorize", "inpaint"])
def test_a_mender_learns_and_its_folder_says_the_same(tmp_path: Path, recipe: str) -> None:
    settings = {"num_pictures": 200, "batch_size": 16, "validate_every": 30, "checkpoint_every": 60}
    settings |= {"learning_rate": 5e-3, "validation_pictures": 50}
    events = list(train(order(tmp_path / "run", recipe, steps=60, settings=settings)))
    begin, *_, end = measured(events)
    assert end.loss < 0.7 * begin.loss
    assert end.metrics["grey_levels"] == pytest.approx(127.5 * end.loss)
    folder = tmp_path / "run/checkpoints/step-000060"
    figures = evaluate(str(folder), "tiny-world", settings={"num_pictures": 200, "validation_fraction": 0.25})
    assert figures["num_samples"] == 50
    assert figures["grey_levels_before"] > 5
    assert figures["grey_levels"] == pytest.approx(end.metrics["full_grey_levels"], rel=0.15)
    mender = load_restoration(str(folder))
    corpus = prepare_pairs("tiny-world", PairSettings(image_size=32, num_pictures=10))
    hole = torch.zeros(9, 1, 32, 32)
    hole[:, :, :10] = 1
    restored = mender.restored(corpus.train, hole)
    assert restored.shape == corpus.train.shape and restored.dtype == torch.uint8
    if recipe == "inpaint":
        assert torch.equal(restored[:, :, 10:], corpus.train[:, :, 10:])
        assert not torch.equal(restored[:, :, :10], corpus.train[:, :, :10])


def test_what_these_recipes_do_not_take(tmp_path: Path, captioned: Path) -> None:
    for recipe in ("checker", "inpaint"):
        with pytest.raises(InputError, match="--init must be left away"):
            list(train(order(tmp_path / recipe, recipe, init="classifier-tiny-world")))
    with pytest.raises(InputError, match="made by classifier"):
        list(train(order(tmp_path / "clip", "clip", init="classifier-tiny-world")))
    with pytest.raises(InputError, match="--data must be tiny-world"):
        list(train(order(tmp_path / "run", "checker", source=str(captioned))))
    assert not any((tmp_path / name).exists() for name in ("clip", "checker", "inpaint", "run"))


def test_another_kind_of_model_is_named(tmp_path: Path) -> None:
    for load in (load_matcher, load_reader):
        with pytest.raises(InputError, match="it measures pictures"):
            load("classifier-tiny-world")
    list(train(order(tmp_path / "run", "clip", steps=1)))
    assert find(str(tmp_path / "run")).kind == "matches"
    folder = tmp_path / "model"
    shutil.copytree(tmp_path / "run/checkpoints/step-000001", folder)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        load_matcher(str(folder))
