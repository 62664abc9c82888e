"""Turn a finished run into a model folder with its receipt."""

import shutil
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import MANIFEST, RunDirectory, step_of, whole_or_nothing, write_atomically


def publish(run_dir: Path, folder: Path, data: dict[str, str], step: int | None = None) -> dict[str, Any]:
    """Copy a run's model to a folder in the Hub's layout, measure it there, and write its card.

    Args:
        run_dir: the run.
        folder: where the model goes; must not exist.
        data: title, origin, licence and language of the data, for the card.
        step: which checkpoint; None for the last.

    Returns:
        What `evaluate` measured on the folder, and its `path`.

    Raises:
        InputError: the folder exists, or the run has no such whole checkpoint.
    """
    from aigc_demo.studio.evaluate import evaluate
    from aigc_demo.training.model_card import DataFacts, model_card

    run = RunDirectory(run_dir)
    checkpoint = run.checkpoint(step)
    source = run.config()["source"]
    if folder.exists():
        raise InputError("folder_exists", path=str(folder))
    with whole_or_nothing(folder) as place:
        shutil.copytree(checkpoint, place, ignore=shutil.ignore_patterns("state", MANIFEST))
        figures = evaluate(str(place), source)
        card = model_card(folder.name, run, step_of(checkpoint), DataFacts(**data), figures)
        write_atomically(place / "README.md", card)
    return {**figures, "model": str(folder), "path": str(folder)}
