"""The classifier, with and without labels: it learns, resumes exactly, and its folder loads."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.data.images.corpus import prepare_images
from aigc_demo.data.images.pixels import to_float
from aigc_demo.nets.images.image_encoder import ImageEncoder
from aigc_demo.training.classifier.recipe import ClassifierSettings
from aigc_demo.training.start import train
from tests.training.image_orders import OF_RECIPE, SMALL, order
from tests.training.recorded import validations
from tests.training.resumed import check_resumed


@pytest.mark.parametrize("labels", [True, False])
def test_resumed_equals_uninterrupted(tmp_path: Path, unlabelled: Path, labels: bool) -> None:
    check_resumed(order, tmp_path, "classifier", "tiny-world" if labels else str(unlabelled))


def test_a_classifier_learns_from_labels_and_its_folder_says_the_same(tmp_path: Path) -> None:
    settings = {"num_pictures": 3000, "batch_size": 64, "width": 16, "validate_every": 35}
    settings |= {"feature_size": 64, "checkpoint_every": 70, "validation_pictures": 100}
    events = list(train(order(tmp_path / "run", "classifier", steps=70, settings=settings)))
    begin, *_, end = validations(events)
    assert begin.loss == pytest.approx(math.log(144), abs=0.3)
    assert begin.metrics["accuracy"] < 0.1
    assert end.loss < 0.8 * begin.loss
    assert end.metrics["full_accuracy"] > 0.15
    folder = tmp_path / "run/checkpoints/step-000070"
    encoder = ImageEncoder.from_pretrained(folder).float().eval()
    corpus = prepare_images(
        "tiny-world", ClassifierSettings(**{**SMALL, **OF_RECIPE["classifier"], **settings})
    )
    with torch.no_grad():
        named = encoder(to_float(corpus.validation)).argmax(1)
    right = (named == corpus.validation_labels).float().mean().item()
    assert right == pytest.approx(end.metrics["full_accuracy"], abs=0.01)
    assert load_file(folder / "model.safetensors")["stages.0.2.running_mean"].dtype == torch.float16


def test_without_labels_two_views_are_told_from_the_others(tmp_path: Path, unlabelled: Path) -> None:
    settings = {"width": 16, "validation_fraction": 0.5, "view_crop": 0.05, "view_cutout": False}
    settings |= {"view_flip": False, "learning_rate": 1e-2}
    events = list(
        train(order(tmp_path / "run", "classifier", source=str(unlabelled), steps=30, settings=settings))
    )
    begin, *_, end = validations(events)
    assert set(begin.metrics) == {"num_pictures"}
    assert begin.loss == pytest.approx(math.log(2 * 12 - 1), abs=0.7)
    assert end.loss < begin.loss - 0.3


def test_a_classifier_starts_from_nothing_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--init must be left away"):
        next(train(order(tmp_path / "run", "classifier", init="somewhere")))
