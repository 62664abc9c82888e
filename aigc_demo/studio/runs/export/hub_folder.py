"""A run's model in the Hub's layout, with its card: as a folder to keep or push, or as one file to download.

Only the files that a model is loaded from go along. Training state holds pickles, and the manifest is the
run's own affair.
"""

import shutil
import zipfile
from pathlib import Path

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import ESCAPED, atomic_path, write_atomically
from aigc_demo.core.files.manifest import invalid_file, step_of
from aigc_demo.core.files.paths import check_new_folder
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.kinds import function_named
from aigc_demo.generators.trained_folder import FOLDERS, folder_entry
from aigc_demo.studio.runs.export.archive import model_files, portable_name
from aigc_demo.studio.runs.export.archive_files import CARD


def save_model_folder(run: RunDirectory, target: Path, step: int | None = None) -> Path:
    """Copy the model of a checkpoint to a folder of its own, and write its card from the run's record.

    Args:
        run: what trained it.
        target: the folder; must not exist. Its name is the card's title.
        step: of the checkpoint; None for the last.

    Returns:
        The folder. `load_text_model`, `from_pretrained` and `--init` take it.

    Raises:
        InputError: the folder exists, or the run has no such whole checkpoint, or none that can be loaded.
        DemoError: the folder cannot be written; nothing is left of it.
    """
    check_new_folder(target)
    if target.exists():
        raise InputError("folder_exists", path=str(target))
    checkpoint, card = _model_and_card(run, target.name, step)
    with atomic_path(target) as place:
        place.mkdir(parents=True)
        for name in model_files(checkpoint):
            (place / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(checkpoint / name, place / name)
        write_atomically(place / CARD, card)
    return target


def zip_model_folder(run: RunDirectory, target: Path, step: int | None = None) -> Path:
    """The same folder in a zip file, under the run's name.

    Args:
        run: what trained the model.
        target: the file; one that is there is replaced.
        step: of the checkpoint; None for the last.

    Returns:
        The file.

    Raises:
        InputError: the run has no such whole checkpoint, or none that can be loaded.
        DemoError: the file cannot be written; nothing is left of it.
    """
    checkpoint, card = _model_and_card(run, run.path.name, step)
    name = portable_name(run.path.name) or "model"
    with atomic_path(target) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
        for part in model_files(checkpoint):
            file.write(checkpoint / part, f"{name}/{part}")
        file.writestr(f"{name}/{CARD}", card.encode("utf-8", ESCAPED))
    return target


def _model_and_card(run: RunDirectory, name: str, step: int | None) -> tuple[Path, str]:
    """The checkpoint, after a look at every byte of it, and the card of its model."""
    from aigc_demo.training.model_card import recorded_card

    checkpoint = run.checkpoint(step)
    place = checkpoint.relative_to(run.path.parent).as_posix()
    if detail := invalid_file(checkpoint, read_all=True):
        raise InputError("broken_checkpoint", path=place, detail=detail)
    recipe = _recipe_of(checkpoint, name)
    if recipe != run.config().get("recipe"):
        raise InputError("broken_model", path=place, detail=f"the run says that it is no {recipe}")
    return checkpoint, recorded_card(name, run, step_of(checkpoint))


def _recipe_of(checkpoint: Path, name: str) -> str:
    """What made a checkpoint, by its own files, after a look at its weights."""
    recipe = folder_entry(checkpoint, name).recipe
    if check := FOLDERS[recipe].check:
        function_named(check)(checkpoint)
    return recipe
