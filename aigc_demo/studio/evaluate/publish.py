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
from aigc_demo.generators.kinds import KINDS, Kind
from aigc_demo.training.recipes import RECIPES


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
    """How much the model generates to be measured by; 0 for what is usual."""
    return RECIPES[config["recipe"]].measuring.num_samples(config["source"])


def _split(config: dict[str, Any]) -> str:
    """What it is measured on: what it never saw, if anything was kept from it, but where all is compared."""
    everything = not config["settings"].get("validation_fraction", 1)
    return "all" if everything or _kind(config).compared_with_all else "validation"


def _preparation(config: dict[str, Any]) -> dict[str, Any]:
    """How the training's images were prepared, and what the recipe says of the evaluation."""
    asked = RECIPES[config["recipe"]].measuring.settings
    return (
        {**asked} if _kind(config).keeps_preparation else {**PairSettings.among(config["settings"]), **asked}
    )


def _kind(config: dict[str, Any]) -> Kind:
    return KINDS[RECIPES[config["recipe"]].kind]
