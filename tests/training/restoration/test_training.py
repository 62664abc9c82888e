"""Colorization and inpainting: they learn, resume exactly, and their folders are measured."""

from pathlib import Path

import pytest
import torch

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import PairSettings, prepare_pairs
from aigc_demo.data.images.pixels import to_float
from aigc_demo.generators.text_to_image.restoration import load_restoration
from aigc_demo.nets.images.restoration import masked_input, random_masks
from aigc_demo.studio.evaluate.dispatcher import evaluate
from aigc_demo.training.family import family_of
from aigc_demo.training.recipes import recipe_named
from aigc_demo.training.settings import Budget
from aigc_demo.training.start import train
from tests.training.pair_orders import order
from tests.training.recorded import validations
from tests.training.resumed import check_resumed


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    check_resumed(order, tmp_path, "inpaint")


def test_a_validation_of_inpainting_has_the_holes_of_one_seed(tmp_path: Path) -> None:
    asked, row = order(tmp_path / "run", "inpaint"), recipe_named("inpaint")
    run = RunDirectory(tmp_path / "run")
    run.create({})
    settings = row.complete(asked.settings, asked.source)
    training = family_of(row).prepare(asked, settings, Budget(steps=1), run, None)
    image_BCHW = to_float(training.images.validation[torch.tensor([4, 0, 7])])
    hole_B1HW = random_masks(3, 32, seeded(0))
    training.network.eval()
    with torch.no_grad():
        output_BCHW = training.network(masked_input(image_BCHW, hole_B1HW))
    in_holes = (output_BCHW - image_BCHW).abs()[hole_B1HW.bool().expand_as(image_BCHW)]
    found = training.evaluate([4, 0, 7])
    assert found == training.evaluate([4, 0, 7])
    assert found["loss"] == pytest.approx(float(in_holes.mean()), rel=1e-4)


@pytest.mark.parametrize("recipe", ["colorize", "inpaint"])
def test_a_restoration_network_learns_and_its_folder_says_the_same(tmp_path: Path, recipe: str) -> None:
    settings = {"num_pictures": 200, "batch_size": 16, "validate_every": 30, "checkpoint_every": 60}
    settings |= {"learning_rate": 5e-3, "validation_pictures": 50}
    events = list(train(order(tmp_path / "run", recipe, steps=60, settings=settings)))
    begin, *_, end = validations(events)
    assert end.loss < 0.7 * begin.loss
    assert end.metrics["grey_levels"] == pytest.approx(127.5 * end.loss)
    folder = tmp_path / "run/checkpoints/step-000060"
    figures = evaluate(str(folder), "tiny-world", settings={"num_pictures": 200, "validation_fraction": 0.25})
    assert figures["num_samples"] == 50
    assert figures["grey_levels_before"] > 5
    assert figures["grey_levels"] == pytest.approx(end.metrics["full_grey_levels"], rel=0.15)
    network = load_restoration(str(folder))
    corpus = prepare_pairs("tiny-world", PairSettings(image_size=32, num_pictures=10))
    hole = torch.zeros(9, 1, 32, 32)
    hole[:, :, :10] = 1
    restored = network.restored(corpus.train, hole)
    assert restored.shape == corpus.train.shape and restored.dtype == torch.uint8
    if recipe == "inpaint":
        assert torch.equal(restored[:, :, 10:], corpus.train[:, :, 10:])
        assert not torch.equal(restored[:, :, :10], corpus.train[:, :, :10])


def test_it_starts_from_nothing_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--init must be left away"):
        list(train(order(tmp_path / "inpaint", "inpaint", init="classifier-tiny-world")))
    assert not (tmp_path / "inpaint").exists()
