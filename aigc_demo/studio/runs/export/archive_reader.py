"""What an exported run may hold, each part by its own strict reader; nothing in it is believed.

Names and sizes are looked at before anything is unpacked (`archive_files`), then the configuration, the
record, the manifest, the networks, whose recipe, configuration and weights have to agree, and at last the
images.
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import MOST_CHARACTERS, TrainEvent, Warned, from_json
from aigc_demo.core.files.manifest import MANIFEST, STATE, build_manifest
from aigc_demo.core.files.strict_json import check_counts, strict_json
from aigc_demo.core.sentences import ENGLISH
from aigc_demo.studio.runs.export.archive_files import SMALL, TOKENIZER, refused
from aigc_demo.training.recipes import RECIPES

MAX_TOKENIZER_VALUES = 250_000
"""A vocabulary of as many words, or of a third as many pieces with their merges."""
SAMPLE_SIDE = 8
MAX_TEXT = 4096
FACTS = ("step", "steps", "minutes", "seed", "num_processes")


def read_run(folder: Path) -> dict[str, Any]:
    """The configuration of an unpacked run, after a look at everything in it.

    Args:
        folder: what `unpack` filled.

    Raises:
        InputError: a part of it is not what an export writes.
    """
    config = _config(folder / "config.json")
    check_events(folder / "events.jsonl")
    checkpoints = [path for path in (folder / "checkpoints").glob("step-*") if path.is_dir()]
    if len(checkpoints) != 1 or len(list((folder / "checkpoints").iterdir())) != 1:
        raise refused("it holds no whole checkpoint")
    check_manifest(checkpoints[0])
    _check_small_files(checkpoints[0])
    check_model(checkpoints[0], config["recipe"])
    _check_samples(folder / "samples")  # last, since it starts a process
    return config


def _parsed(path: Path, most: int = SMALL) -> Any:
    """The value in a small file; a missing one, or one that is no such JSON, is refused by its name."""
    try:
        return strict_json(path.read_text("utf-8"), most)
    except (OSError, ValueError) as error:
        raise refused(f"{path.name} is not what an export writes") from error


def _config(path: Path) -> dict[str, Any]:
    """What a run says of itself: known names, each of its kind, and settings of its recipe."""
    config = _parsed(path)
    checks: dict[str, Callable[[Any], bool]] = {
        "recipe": lambda value: isinstance(value, str) and value in RECIPES,
        "source": _is_text,
        "init": lambda value: value is None or _is_text(value),
        "settings": lambda value: isinstance(value, dict),
        "data": lambda value: _is_table(value, "name", "sha256", "license", "licence", "url"),
        "versions": lambda value: _is_table(value),
        **dict.fromkeys(FACTS, lambda value: value is None or _is_count(value)),
    }
    if not isinstance(config, dict) or not {"recipe", "settings"} <= config.keys():
        raise refused("its config.json is not that of a run")
    wrong = [name for name, value in config.items() if name not in checks or not checks[name](value)]
    if wrong:
        raise refused(f"{shown(wrong[0])} in its config.json is not what a run says")
    recipe = RECIPES[config["recipe"]]
    try:
        recipe.settings.from_mapping(recipe.settings.among(config["settings"]))
    except DemoError as error:
        raise refused(f"the settings in its config.json do not fit: {error}") from error
    unknown = set(config["settings"]) - set(recipe.settings.among(config["settings"]))
    if unknown:
        raise refused(f"{shown(sorted(unknown)[0])} is no setting of its recipe")
    return config


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and "\0" not in value


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_table(value: Any, *names: str) -> bool:
    """An object of a few texts."""
    if not isinstance(value, dict) or len(value) > 20:
        return False
    known = all(name in names for name in value) if names else all(len(name) <= 60 for name in value)
    return known and all(one is None or _is_text(one) for one in value.values())


def check_events(path: Path) -> None:
    """Refuse a record that is not one event a line, each of its kind.

    Raises:
        InputError: it is one.
    """
    try:
        with path.open("rb") as file:
            while line := file.readline(4 * MOST_CHARACTERS + 1):
                if len(line) > 4 * MOST_CHARACTERS:
                    raise ValueError("a line without end")
                _check_warning(from_json(line.decode("utf-8")))
    except (OSError, ValueError, RecursionError, OverflowError) as error:
        raise refused("its events.jsonl is not a run's record") from error


def _check_warning(event: TrainEvent) -> None:
    """That the sentence of a warning can be made of its values.

    Raises:
        ValueError: it cannot.
    """
    if isinstance(event, Warned):
        try:
            ENGLISH[event.key].format(**event.values)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError("a warning without its values") from error


def check_manifest(checkpoint: Path) -> None:
    """Refuse a checkpoint whose manifest does not name exactly the files that lie beside it.

    Of the training state, which no export holds, the manifest may speak.

    Raises:
        InputError: a file is missing, is another one, or is not named.
    """
    listed = _parsed(checkpoint / MANIFEST)
    files = {
        path.relative_to(checkpoint).as_posix(): path for path in checkpoint.rglob("*") if path.is_file()
    }
    files.pop(MANIFEST, None)
    listed = listed if isinstance(listed, dict) else {}
    named = {name for name in listed if not name.startswith(f"{STATE}/")}
    if named != set(files) or not files:
        raise refused("its manifest does not name exactly the files of its checkpoint")
    for name, facts in build_manifest(checkpoint, files.values()).items():
        if listed[name] != facts:
            raise refused(f"{shown(PurePosixPath(name).name)} is not the file that its manifest names")


def _check_samples(folder: Path) -> None:
    """Decode the images, in the process for untrusted files."""
    from aigc_demo.data.images.image_files import ImageFile, read_images

    files = [ImageFile(path.name, path.read_bytes()) for path in sorted(folder.glob("*"))]
    try:
        skipped = read_images(files, SAMPLE_SIDE, "samples", ("PNG",)).skipped if files else {}
    except InputError as error:
        raise refused("a sample in it is no PNG picture") from error
    if any(skipped.values()):
        raise refused("a sample in it is no PNG picture")


def _check_small_files(checkpoint: Path) -> None:
    """Refuses JSON that is none, and a tokenizer that would take much memory, before anybody reads them."""
    from aigc_demo.data.preparation import PREPARATION
    from aigc_demo.data.text.corpus import PreparationSettings
    from aigc_demo.data.text.tokenizer_file import MAX_OBJECTS

    for path in checkpoint.rglob("*.json"):
        if path.name != TOKENIZER:
            _parsed(path)
            continue
        try:
            check_counts(path.read_bytes(), MAX_OBJECTS, MAX_TOKENIZER_VALUES)
        except ValueError as error:
            raise refused(f"its {path.name} holds more than a tokenizer does") from error
    try:
        PreparationSettings.load(checkpoint)
    except InputError as error:
        raise refused(f"its {PREPARATION} is not what an export writes") from error


def check_model(checkpoint: Path, recipe: str) -> None:
    """Load a model as it would be loaded later, and see whether its recipe made it.

    Every loader makes its networks without memory first and compares them with the headers of the weights.

    Raises:
        InputError: the model is broken, or another recipe made it.
    """
    from aigc_demo.generators.network_folder import named_after
    from aigc_demo.generators.trained_folder import folder_entry
    from aigc_demo.studio.models.catalog import Choice
    from aigc_demo.studio.models.model_cache import load_model

    try:
        with named_after("its checkpoint", checkpoint):
            entry = folder_entry(checkpoint, "its checkpoint")
            if entry.recipe != recipe:
                raise refused("its checkpoint is not that of its recipe")
            load_model(Choice(entry.name, entry, False), lambda *_: None)
    except InputError as error:
        raise error if error.key == "not_an_export" else refused(str(error).removesuffix(".")) from error
