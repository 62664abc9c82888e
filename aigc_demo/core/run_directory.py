"""A run on disk: names, atomic writes, the manifest of a checkpoint, events line by line.

RUN/config.json                     what is trained, on what, with which settings
RUN/events.jsonl                    append-only, one event a line
RUN/checkpoints/step-000500/        a model folder in the Hub's layout, with manifest.json
RUN/checkpoints/step-000500/state/  what resuming needs; kept for the last two checkpoints only
RUN/samples/, RUN/run.log
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import TrainEvent, from_json, to_json

NUM_STATES_KEPT = 2
MANIFEST = "manifest.json"
STATE = "state"


class RunDirectory:
    """One run's folder.

    Args:
        path: where it is or will be.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    @property
    def events_path(self) -> Path:
        """The file that whoever follows the run reads on in."""
        return self.path / "events.jsonl"

    def exists(self) -> bool:
        """Whether a run was ever started here."""
        return (self.path / "config.json").is_file()

    def create(self, config: dict[str, Any]) -> None:
        """Start a run here.

        Raises:
            InputError: there is one already, or the folder cannot be written.
        """
        if self.exists():
            raise InputError("run_exists", path=str(self.path))
        with writing(self.path):
            for folder in ("checkpoints", "samples"):
                (self.path / folder).mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / "config.json", json.dumps(config, indent=2, ensure_ascii=False))

    def config(self) -> dict[str, Any]:
        """What `create` was given.

        Raises:
            InputError: there is no run here, or its configuration cannot be read.
        """
        if not self.exists():
            raise InputError("no_run", path=str(self.path))
        try:
            return json.loads((self.path / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError("broken_checkpoint", path=str(self.path), detail="config.json") from error

    def append(self, event: TrainEvent) -> None:
        """Add one event to the record, in one write."""
        with writing(self.path), self.events_path.open("a", encoding="utf-8") as file:
            file.write(to_json(event) + "\n")

    def events(self) -> Iterator[TrainEvent]:
        """What has happened so far; a line half written by a killed worker is passed over."""
        if not self.events_path.is_file():
            return
        # errors="replace": a killed worker may leave half of a character too.
        with self.events_path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    yield from_json(line)

    def rewind_events(self, step: int) -> None:
        """Drop what was recorded after `step`: a resumed run does those steps again."""
        kept = [to_json(event) for event in self.events() if event.step <= step and event.kind != "finish"]
        with writing(self.path):
            write_atomically(self.events_path, "".join(line + "\n" for line in kept))

    def checkpoints(self) -> list[Path]:
        """The whole checkpoints, oldest first; unfinished ones have another name and are not seen."""
        folder = self.path / "checkpoints"
        named = [path for path in folder.glob("step-*") if re.fullmatch(r"step-\d{6,}", path.name)]
        return [path for path in sorted(named, key=step_of) if not broken(path)]

    def resumable(self) -> list[Path]:
        """The whole checkpoints that still hold their training state, oldest first."""
        return [path for path in self.checkpoints() if (path / STATE).is_dir()]

    def begin_checkpoint(self, step: int) -> Path:
        """An empty folder beside the checkpoint's place, to be filled and then handed to `finish_checkpoint`.

        Args:
            step: the optimiser steps done.

        Raises:
            DemoError: the folder cannot be written.
        """
        beside = self.unfinished_checkpoint(step)
        with writing(beside):
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
        return beside

    def unfinished_checkpoint(self, step: int) -> Path:
        """Where a checkpoint grows until it is whole."""
        return self.path / "checkpoints" / f".step-{step:06d}.partial"

    def finish_checkpoint(self, step: int) -> Path:
        """Write the manifest and rename the filled folder into place: from here on the checkpoint is whole.

        Returns:
            The checkpoint's folder. Training state older than the last two checkpoints is removed.

        Raises:
            DemoError: the disk is full or the folder cannot be written; the older checkpoints are whole.
        """
        beside = self.unfinished_checkpoint(step)
        place = beside.with_name(f"step-{step:06d}")
        with writing(place):
            write_atomically(beside / MANIFEST, json.dumps(manifest(beside), indent=2))
            shutil.rmtree(place, ignore_errors=True)
            beside.rename(place)
        for old in self.resumable()[:-NUM_STATES_KEPT]:
            shutil.rmtree(old / STATE, ignore_errors=True)
        return place


def step_of(checkpoint: Path) -> int:
    """The step in a checkpoint's name."""
    return int(checkpoint.name.removeprefix("step-"))


def manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of every file below the folder, except the manifest itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in files
    }


def broken(checkpoint: Path, *, read_all: bool = False) -> str:
    """The first file that is not as the manifest says, or "" for a whole checkpoint.

    Args:
        checkpoint: its folder. Training state removed later is no fault.
        read_all: compare the hashes too, not the sizes alone.
    """
    try:
        listed = json.loads((checkpoint / MANIFEST).read_text("utf-8"))
        for name, facts in listed.items():
            path = checkpoint / name
            if name.startswith(f"{STATE}/") and not (checkpoint / STATE).is_dir():
                continue
            if not path.is_file() or path.stat().st_size != facts["bytes"]:
                return name
            if read_all and sha256(path) != facts["sha256"]:
                return name
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return MANIFEST
    return ""


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text so that a reader sees the old or the new one, never half of it."""
    beside = path.with_name(f".{path.name}.partial")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one sentence."""
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise DemoError("cannot_write", path=str(path), detail=detail) from error
