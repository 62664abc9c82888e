"""Turn a finished run into a model folder with its measured card."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import atomic_path, write_atomically
from aigc_demo.core.files.manifest import MANIFEST, step_of
from aigc_demo.core.files.paths import check_new_folder
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import PairSettings
from aigc_demo.data.sources import TINY_WORLD
from aigc_demo.training.recipes import RECIPES

# Stories of the tiny world can be read back, so a card says how many can.
NUM_STORIES = 1000
# Diffusion takes as many steps for each image as a GAN takes images.
NUM_OF_DIFFUSION = 2000
TEST_OF_DIFFUSION = {"num_captions": 100, "candidates": 1}


def publish(
    run_dir: Path,
    folder: Path,
    data: dict[str, str],
    step: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Copy a run's model to a folder in the Hub's layout, measure it there, and write its card.

    Args:
        run_dir: the run.
        folder: where the model goes; must not exist.
        data: title, origin, licence and language of the data, for the card.
        step: which checkpoint; None for the last.
        settings: of the measuring, in place of those of the training and of the usual ones.

    Returns:
        What `evaluate` measured on the folder, and its `path`.

    Raises:
        InputError: the folder exists, or the run has no such whole checkpoint.
    """
    from aigc_demo.studio.evaluate.dispatcher import evaluate
    from aigc_demo.training.model_card import DataFacts, model_card

    run = RunDirectory(run_dir)
    checkpoint = run.checkpoint(step)
    config = run.config()
    source = config["source"]
    check_new_folder(folder)
    if folder.exists():
        raise InputError("folder_exists", path=str(folder))
    with atomic_path(folder) as place:
        shutil.copytree(checkpoint, place, ignore=shutil.ignore_patterns("state", MANIFEST))
        asked = {**_preparation(config), **(settings or {})}
        figures = evaluate(str(place), source, _split(config), settings=asked, samples=_samples(config))
        card = model_card(folder.name, run, step_of(checkpoint), DataFacts(**data), figures)
        write_atomically(place / "README.md", card)
    return {**figures, "model": str(folder), "path": str(folder)}


def _samples(config: dict[str, Any]) -> int:
    """How much the model makes to be measured by; 0 for what is usual."""
    if config["recipe"] == "ddpm":
        return NUM_OF_DIFFUSION
    makes_text = RECIPES[config["recipe"]].kind == "text"
    return NUM_STORIES if makes_text and config["source"] == TINY_WORLD else 0


def _split(config: dict[str, Any]) -> str:
    """A generator is compared with all real images; everything else is measured on what it never saw, if
    anything was kept from it.
    """
    everything = not config["settings"].get("validation_fraction", 1)
    return "all" if everything or RECIPES[config["recipe"]].kind == "pictures" else "validation"


def _preparation(config: dict[str, Any]) -> dict[str, Any]:
    """How the training's images were prepared, and how little is asked of a slow model.

    A model of text carries its preparation with it.
    """
    if RECIPES[config["recipe"]].kind == "text":
        return {}
    test = TEST_OF_DIFFUSION if config["recipe"] == "text2image-diffusion" else {}
    return {**PairSettings.among(config["settings"]), **test}
