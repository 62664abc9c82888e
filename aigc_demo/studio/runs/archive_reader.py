"""What an exported run may hold, each part by its own strict reader; nothing in it is believed.

Names and sizes are looked at before anything is unpacked, then the configuration, the record, the manifest,
the networks, whose recipe, configuration and weights have to agree, and at last the images.
"""

import contextlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import MOST_CHARACTERS, TrainEvent, Warned, from_json
from aigc_demo.core.files.manifest import MANIFEST, STATE, build_manifest
from aigc_demo.core.files.strict_json import check_counts, strict_json
from aigc_demo.core.sentences import ENGLISH
from aigc_demo.training.recipes import RECIPES

CARD = "README.md"
MIB = 2**20
MAX_BYTES, MAX_FILES, MAX_NAME = 256 * MIB, 64, 120
MAX_LIST_BYTES = 64 * 1024
END, LARGE, LARGE_BYTES = b"PK\x05\x06", b"PK\x06\x07", 20
END_BYTES = 22 + 65_535
"""The record at the end of a zip file, with the longest comment."""
# No export is packed more tightly: a record of numbers to a tenth, weights hardly at all.
MAX_RATIO, RATIO_FROM_BYTES = 100, 64 * 1024
BLOCK_BYTES = 64 * 1024
SMALL, WEIGHTS_BYTES = 256 * 1024, 64 * MIB
RUN_FILES = {"config.json": SMALL, "events.jsonl": 64 * MIB, CARD: SMALL}
TOKENIZER = "tokenizer.json"
MAX_TOKENIZER_VALUES = 250_000
"""A vocabulary of as many words, or of a third as many pieces with their merges."""
MODEL_FILES = {
    "config.json": SMALL,
    "generation_config.json": SMALL,
    "model_index.json": SMALL,
    "preparation.json": SMALL,
    "scheduler_config.json": SMALL,
    TOKENIZER: 4 * MIB,
    "tokenizer_config.json": SMALL,
    "model.safetensors": WEIGHTS_BYTES,
    "diffusion_pytorch_model.safetensors": WEIGHTS_BYTES,
    MANIFEST: SMALL,
    CARD: SMALL,
}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How a file may be packed; readers of other methods fail in other ways, and no export has them."""
PARTS = ("generator", "discriminator", "matcher", "unet", "scheduler", "text_encoder")
"""Folders in a checkpoint whose model is several networks."""
CHECKPOINT = re.compile(rf"checkpoints/step-\d{{6,9}}/(?:(?:{'|'.join(PARTS)})/)?([A-Za-z_]+\.[a-z]+)")
SAMPLE, MAX_SAMPLE_BYTES, SAMPLE_SIDE = re.compile(r"samples/step-\d{6,9}\.png"), 4 * MIB, 8
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)

MAX_TEXT = 4096
FACTS = ("step", "steps", "minutes", "seed", "num_processes")


def refused(detail: str) -> InputError:
    """That a file is no exported run, and why."""
    return InputError("not_an_export", detail=detail)


def unpack(source: Path, target: Path, room_bytes: int = MAX_BYTES) -> None:
    """Unpack an archive, if its list of contents is one that an export has.

    Args:
        source: a zip file.
        target: an empty folder.
        room_bytes: how much it may take there.

    Raises:
        InputError: it is no such file, or takes more.
    """
    with _opened(source) as file:
        for info in _listed(file.infolist(), room_bytes):
            path = target / info.filename
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as unpacked:
                    unpacked.writelines(_blocks(file, info))
            except FileExistsError as error:
                raise refused("a name stands in it twice") from error


def _opened(source: Path) -> zipfile.ZipFile:
    """The archive, if its list of contents is short enough to be read at all."""
    with _reading():
        with source.open("rb") as file:
            _check_end(file)
        return zipfile.ZipFile(source)


def _check_end(file: BinaryIO) -> None:
    """Refuses a list of contents that is longer than any export's before it is read into memory.

    The record at the end of a zip file says how many bytes the list has; the large format has one more.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END_BYTES))
    end = file.read()
    place = end.rfind(END)
    if place < 0:
        raise zipfile.BadZipFile("no end")
    listed = int.from_bytes(end[place + 12 : place + 16], "little")
    if listed > MAX_LIST_BYTES or end[max(0, place - LARGE_BYTES) : place].startswith(LARGE):
        raise refused(f"it holds more than {MAX_FILES} files")


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """What a damaged archive makes its reader raise, in one sentence."""
    try:
        yield
    except (*DAMAGED, OSError) as error:  # a place that no file has is an OSError
        raise refused("it is no zip file, or it is damaged") from error


def _listed(infos: list[zipfile.ZipInfo], room_bytes: int) -> list[zipfile.ZipInfo]:
    files = [info for info in infos if not info.is_dir()]
    if len(infos) > 2 * MAX_FILES or len(files) > MAX_FILES:
        raise refused(f"it holds more than {MAX_FILES} files")
    for info in files:
        _check_entry(info)
    if sum(info.file_size for info in files) > min(MAX_BYTES, room_bytes):
        raise refused(f"it would unpack to more than {min(MAX_BYTES, room_bytes) // MIB} MiB")
    return files


def _check_entry(info: zipfile.ZipInfo) -> None:
    """Refuses a file by what the list of contents says of it."""
    if len(info.filename) > MAX_NAME or (most := _most_bytes(info.filename)) is None:
        raise refused("it holds files that no exported run has")
    if info.compress_type not in METHODS:
        raise refused(f"{shown(info.filename)} is packed in another way than any export")
    if info.file_size > most:
        raise refused(f"{shown(info.filename)} is larger than it ever is, more than {most:,} bytes")
    if info.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size):
        raise refused(f"{shown(info.filename)} is packed more tightly than any export")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise refused(f"{shown(info.filename)} is a link or another special file")


def _most_bytes(name: str) -> int | None:
    """How large a file of this name may be; None for a name that no export has."""
    if SAMPLE.fullmatch(name):
        return MAX_SAMPLE_BYTES
    found = CHECKPOINT.fullmatch(name)
    return MODEL_FILES.get(found[1]) if found else RUN_FILES.get(name)


def _blocks(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A file's content in pieces: as many bytes as the list of contents promised, and not one more."""
    left = info.file_size
    with _reading():
        packed = file.open(info)
    with packed:
        while left >= 0:
            with _reading():
                block = packed.read(BLOCK_BYTES)
            left -= len(block)
            if not block or left < 0:
                break
            yield block
    if left:
        raise refused("its list of contents is false")


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
    """Decodes the images in the process that is there for strangers' files."""
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
