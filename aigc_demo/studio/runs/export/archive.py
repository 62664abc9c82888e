"""A run as one file, to be kept and to be brought back: a zip of configuration, record, last model, the
images that it drew at its checkpoints, and card.

What comes from outside is looked at before it is believed (`archive_reader`). Training state holds pickles,
which can run code: it is neither given out nor taken, so a run that was brought back can be looked at, used,
and gone on from with `--init`, and is not resumed.
"""

import errno
import json
import re
import secrets
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import Warned, from_json, to_json
from aigc_demo.core.files.atomic import atomic_path, new_file
from aigc_demo.core.files.manifest import MANIFEST, STATE, build_manifest, step_of
from aigc_demo.core.files.paths import check_new_folder
from aigc_demo.core.files.public_paths import public_path, public_values
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.export.archive_files import CARD, MAX_BYTES, MODEL_FILES, PARTS, unpack
from aigc_demo.studio.runs.export.archive_reader import read_run
from aigc_demo.studio.runs.job import Job, hashed
from aigc_demo.studio.runs.samples import sample_image, sample_path

if TYPE_CHECKING:
    from aigc_demo.studio.runs.run_view import RunView

MOST_BYTES_OF_A_FILE = 180


def export_card(view: "RunView") -> str:
    """README.md of an exported run.

    Args:
        view: of the run.

    Returns:
        Markdown: the command, the figures, and what the file may be used for.

    Raises:
        InputError: the run has no whole checkpoint yet.
    """
    from aigc_demo.training.model_card import run_card

    return run_card(view.state.name, view.run, step_of(view.run.checkpoint()))


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
    with atomic_path(target) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(_public_config(run), indent=2))
        with file.open("events.jsonl", "w") as record:
            record.writelines(_public_record(run))
        for path in _of_the_model(checkpoint):
            file.write(path, path.relative_to(run.path).as_posix())
        listed = build_manifest(checkpoint, _of_the_model(checkpoint))
        file.writestr(f"checkpoints/{checkpoint.name}/{MANIFEST}", json.dumps(listed, indent=2))
        for drawn in run.checkpoints():
            if sample_image(run, step_of(drawn)) is not None:
                sample = sample_path(run, step_of(drawn))
                file.write(sample, sample.relative_to(run.path).as_posix())
        file.writestr(CARD, card)
    return target


def _public_config(run: RunDirectory) -> dict[str, Any]:
    """The configuration; data and models of this machine by their names alone."""
    config = run.config()
    settings = config.get("settings")
    given = {"settings": _named(settings)} if isinstance(settings, dict) else {}
    return {**_named(config), **given}


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {name: public_path(value) if isinstance(value, str) else value for name, value in values.items()}


def _public_record(run: RunDirectory) -> Iterator[bytes]:
    """The lines of the record, those of warnings without paths of this machine.

    Half a line at its end, of a worker that was killed, is left out: nobody could read it.
    """
    with run.events_path.open("rb") as record:
        for line in record:
            try:
                event = from_json(line.decode("utf-8")) if _is_special(line) else None
            except ValueError:
                continue
            if isinstance(event, Warned):
                line = (to_json(replace(event, values=public_values(event.values))) + "\n").encode()
            yield line


def _is_special(line: bytes) -> bool:
    return b'"warning"' in line or not line.endswith(b"\n")


def _of_the_model(checkpoint: Path) -> list[Path]:
    """The files of a checkpoint that go along: all but its training state and its manifest."""
    files = (path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return [path for path in files if path.relative_to(checkpoint).parts[0] != STATE]


def import_run(
    source: Path, folder: Path, secret: str, room_bytes: int = MAX_BYTES, *, shared: bool = True
) -> str:
    """Unpack an exported run beside the others.

    Args:
        source: a zip file from outside.
        folder: where the runs are.
        secret: of the visitor, whose run it then is.
        room_bytes: how much it may take on the disk.
        shared: whether others than the visitor may see it.

    Returns:
        The run's new name.

    Raises:
        InputError: there is no such file, or it is none of these; nothing of it stays on the disk.
        DemoError: the disk does not take it.
    """
    _check_readable(source)
    check_new_folder(folder)
    name = _new_name(folder, source.stem)
    with new_file(folder / name), atomic_path(folder / name) as place:
        place.mkdir()
        unpack(source, place, room_bytes)
        config = read_run(place)
        ended = place.stat().st_mtime
        Job(hashed(secret), _arguments(config), "ended", ended, shared=shared).save(place)
    return name


def unclaimed() -> str:
    """The secret of nobody: made, used once, and kept nowhere."""
    return secrets.token_urlsafe(32)


def _check_readable(source: Path) -> None:
    """Raises InputError where there is no file, or one that may not be read."""
    try:
        if source.is_dir() or source.is_file():
            with source.open("rb"):
                return
        source.stat()  # what is not there says so itself
        raise OSError(errno.EINVAL, "not a regular file")  # a device or a pipe has no end
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or "no such name"
        raise InputError("unreadable_file", path=str(source), detail=detail) from error


def _arguments(config: dict[str, Any]) -> tuple[str, ...]:
    """What the job of an imported run says: it is never started again from here."""
    return ("train", config["recipe"], "--data", str(config.get("source", "")))


def model_files(checkpoint: Path) -> list[str]:
    """The files, below a checkpoint's folder, that its model is loaded from; older ones lack a few."""
    parts = ("", *(f"{part}/" for part in PARTS))
    names = [f"{part}{name}" for part in parts for name in MODEL_FILES if name not in (MANIFEST, CARD)]
    return [name for name in names if (checkpoint / name).is_file()]


def portable_name(name: str) -> str:
    """A name of a run as a file may be called on every system: its letters of any language, no signs.

    Returns:
        At most 180 bytes of UTF-8, which leaves room for an ending; "" where nothing is left.
    """
    plain = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", name)).strip("-")
    while len(plain.encode("utf-8", "replace")) > MOST_BYTES_OF_A_FILE:
        plain = plain[:-1]
    return plain


def _new_name(folder: Path, stem: str) -> str:
    """The file's own name, and digits that no run had: a deleted run's model may still be in a cache."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:60] or "run"
    while (folder / (name := f"{base}-{secrets.token_hex(2)}")).exists():
        pass
    return name
