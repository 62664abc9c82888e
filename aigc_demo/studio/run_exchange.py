"""A run as one file, to be kept and to be brought back: a zip of configuration, record, last model, the
pictures that it drew at its checkpoints, and card.

What comes from outside is looked at before it is believed: names from a short list, sizes before anything is
unpacked, JSON as JSON, weights by their header. Training state holds pickles, which can run code: it is
neither given out nor taken, so a run that was brought back can be looked at, used, and gone on from with
`--init`, and is not resumed.
"""

import re
import secrets
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import from_json
from aigc_demo.core.run_directory import (
    MANIFEST,
    STATE,
    RunDirectory,
    broken,
    new_file,
    step_of,
    whole_or_nothing,
)
from aigc_demo.core.weights_file import WEIGHTS, read_header, read_json
from aigc_demo.studio.run_samples import sample_path, sample_picture
from aigc_demo.studio.ticket import Ticket, hashed

CARD = "README.md"
MAX_BYTES = 256 * 2**20
MAX_JSON_BYTES = 64 * 2**20
MAX_FILES = 64
# Stored names: the run's own files, and those of one checkpoint's model, beside its manifest and the
# card that the Hub's client may have put there.
RUN_FILES = ("config.json", "events.jsonl", CARD)
MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "preparation.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
# A GAN's checkpoint is two such folders.
PARTS = ("generator", "discriminator")
CHECKPOINT = re.compile(
    rf"checkpoints/step-\d{{6,9}}/(?:(?:{'|'.join(PARTS)})/)?([A-Za-z_]+\.(?:json|safetensors|md))"
)
SAMPLE = re.compile(r"samples/step-\d{6,9}\.png")


def export_run(run: RunDirectory, card: str, target: Path) -> Path:
    """Write a run with its last model to a zip file.

    Args:
        run: one with a whole checkpoint.
        card: what its README.md says.
        target: the file.

    Raises:
        InputError: the run has no whole checkpoint yet.
        DemoError: the file cannot be written.
    """
    checkpoint = run.checkpoint()
    with whole_or_nothing(target) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("config.json", "events.jsonl"):
            file.write(run.path / name, name)
        for path in sorted(checkpoint.rglob("*")):
            if path.is_file() and path.relative_to(checkpoint).parts[0] != STATE:
                file.write(path, path.relative_to(run.path).as_posix())
        for drawn in run.checkpoints():
            if sample_picture(run, step_of(drawn)) is not None:
                sample = sample_path(run, step_of(drawn))
                file.write(sample, sample.relative_to(run.path).as_posix())
        file.writestr(CARD, card)
    return target


def import_run(source: Path, folder: Path, secret: str) -> str:
    """Unpack an exported run beside the others.

    Args:
        source: a zip file from outside.
        folder: where the runs are.
        secret: of the visitor, whose run it then is.

    Returns:
        The run's new name.

    Raises:
        InputError: there is no such file, or it is none of these; nothing of it stays on the disk.
        DemoError: the disk does not take it.
    """
    _check_readable(source)
    name = _new_name(folder, source.stem)
    with new_file(folder / name), whole_or_nothing(folder / name) as place:
        place.mkdir()
        _unpack(source, place)
        config = _checked(place)
        Ticket(hashed(secret), _arguments(config), "ended", place.stat().st_mtime).save(place)
    return name


def unclaimed() -> str:
    """The secret of nobody: made, used once, and kept nowhere."""
    return secrets.token_urlsafe(32)


def _check_readable(source: Path) -> None:
    """Raises InputError where there is no file, or one that may not be read."""
    try:
        with source.open("rb"):
            return
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or "no such name"
        raise InputError("unreadable_file", path=str(source), detail=detail) from error


def _unpack(source: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(source) as file:
            infos = [info for info in file.infolist() if not info.is_dir()]
            if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_BYTES:
                raise _refused(f"it would unpack to more than {MAX_BYTES // 2**20} MiB")
            for info in infos:
                path = target / _allowed(info.filename)
                path.parent.mkdir(parents=True, exist_ok=True)
                with file.open(info) as packed, path.open("xb") as unpacked:
                    _copy(packed, unpacked, info.file_size)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise _refused("it is no zip file, or it is damaged") from error
    except FileExistsError as error:
        raise _refused("a name stands in it twice") from error


def _copy(packed: IO[bytes], unpacked: IO[bytes], size: int) -> None:
    """As many bytes as the list of contents promised, and not one more."""
    content = packed.read(size + 1)
    if len(content) != size:
        raise _refused("its list of contents is false")
    unpacked.write(content)


def _allowed(name: str) -> PurePosixPath:
    """The name, if a run has a file of that name."""
    found = CHECKPOINT.fullmatch(name)
    of_a_model = found is not None and found[1] in (*MODEL_FILES, MANIFEST, CARD)
    if name not in RUN_FILES and not of_a_model and not SAMPLE.fullmatch(name):
        raise _refused("it holds files that no exported run has")
    return PurePosixPath(name)


def _checked(folder: Path) -> dict[str, Any]:
    """The configuration of an unpacked run, after a look at everything in it."""
    run = RunDirectory(folder)
    config = read_json(folder / "config.json")
    if not isinstance(config.get("recipe"), str) or not isinstance(config.get("settings"), dict):
        raise _refused("its config.json is not that of a run")
    _check_events(run.events_path)
    found = [path for path in (folder / "checkpoints").glob("step-*") if path.is_dir()]
    if len(found) != 1 or broken(found[0], read_all=True) or (found[0] / STATE).exists():
        raise _refused("it holds no whole checkpoint")
    for path in found[0].rglob("*.json"):
        read_json(path, MAX_JSON_BYTES)
    for path in (folder / "samples").glob("*.png"):
        if sample_picture(run, step_of(path.with_suffix(""))) is None:
            raise _refused("a sample in it is no PNG picture")
    _check_model(found[0], config["recipe"])
    return config


def _check_model(checkpoint: Path, recipe: str) -> None:
    """The weights by their headers; both networks of a GAN against what their configurations say."""
    if any((checkpoint / part).exists() for part in PARTS):
        from aigc_demo.generators.gan_pictures import check_networks

        if check_networks(checkpoint) != recipe or (checkpoint / WEIGHTS).exists():
            raise _refused("its checkpoint is not that of its recipe")
    else:
        read_header(checkpoint / WEIGHTS)


def _check_events(path: Path) -> None:
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                from_json(line)
    except (OSError, ValueError, AttributeError) as error:
        raise _refused("its events.jsonl is not a run's record") from error


def _arguments(config: dict[str, Any]) -> tuple[str, ...]:
    """What the ticket of an imported run says: it is never started again from here."""
    return ("train", config["recipe"], "--data", str(config.get("source", "")))


def model_files(checkpoint: Path) -> list[str]:
    """The files, below a checkpoint's folder, that its model is loaded from; older ones lack a few."""
    names = [*MODEL_FILES, *(f"{part}/{name}" for part in PARTS for name in MODEL_FILES)]
    return [name for name in names if (checkpoint / name).is_file()]


def _new_name(folder: Path, stem: str) -> str:
    """The file's own name, and digits that no run had: a deleted run's model may still be in a cache."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:60] or "run"
    while (folder / (name := f"{base}-{secrets.token_hex(2)}")).exists():
        pass
    return name


def _refused(detail: str) -> InputError:
    return InputError("not_an_export", detail=detail)
