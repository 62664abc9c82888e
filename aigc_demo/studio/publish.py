"""Turn a finished run into a model folder with its receipt."""

import shutil
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import MANIFEST, RunDirectory, step_of, write_atomically, writing


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
    source = run.config()["source"]
    checkpoints = {step_of(path): path for path in run.checkpoints()}
    wanted = max(checkpoints, default=0) if step is None else step
    if wanted not in checkpoints:
        raise InputError("broken_model", path=str(run_dir), detail=f"no whole checkpoint at step {wanted}")
    if folder.exists():
        raise InputError("run_exists", path=str(folder))
    beside = folder.with_name(f".{folder.name}.partial")
    with writing(folder):
        shutil.rmtree(beside, ignore_errors=True)
        try:
            shutil.copytree(checkpoints[wanted], beside, ignore=shutil.ignore_patterns("state", MANIFEST))
            figures = evaluate(str(beside), source)
            card = model_card(folder.name, run, wanted, DataFacts(**data), figures)
            write_atomically(beside / "README.md", card)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return {**figures, "model": str(folder), "path": str(folder)}
