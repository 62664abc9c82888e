"""The attribute reader: it learns, resumes exactly, and its folder is measured."""

from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.generators.text_to_image.matching import load_reader
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.training.start import train
from tests.training.pair_orders import order
from tests.training.recorded import validations
from tests.training.resumed import check_resumed


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    check_resumed(order, tmp_path, "checker")


def test_a_checker_learns_and_its_folder_says_the_same(tmp_path: Path) -> None:
    settings = {"num_pictures": 600, "batch_size": 32, "validate_every": 60, "checkpoint_every": 120}
    settings |= {"learning_rate": 1e-2, "validation_pictures": 150}
    events = list(train(order(tmp_path / "run", "checker", steps=120, settings=settings)))
    begin, *_, end = validations(events)
    assert end.loss < 0.5 * begin.loss
    assert end.metrics["full_accuracy"] > 0.1 > begin.metrics["accuracy"]
    folder = tmp_path / "run/checkpoints/step-000120"
    figures = evaluate(str(folder), "tiny-world", settings={"num_pictures": 600, "validation_fraction": 0.25})
    assert figures["num_samples"] == 150
    assert figures["num_things"] > 150
    assert figures["checker_accuracy"] == pytest.approx(end.metrics["full_accuracy"], abs=0.05)
    assert load_reader(str(folder)).config.image_size == 32


def test_it_starts_from_nothing_and_learns_from_the_tiny_world_alone(tmp_path: Path, captioned: Path) -> None:
    with pytest.raises(InputError, match="--init must be left away"):
        list(train(order(tmp_path / "checker", "checker", init="classifier-tiny-world")))
    with pytest.raises(InputError, match="--data must be tiny-world"):
        list(train(order(tmp_path / "run", "checker", source=str(captioned))))
    assert not any((tmp_path / name).exists() for name in ("checker", "run"))
