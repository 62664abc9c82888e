"""A run on disk: names, atomic writes, the manifest of a checkpoint, events line by line.

RUN/config.json                     what is trained, on what, with which settings
RUN/events.jsonl                    append-only, one event a line
RUN/checkpoints/step-000500/        a model folder in the Hub's layout, with manifest.json
RUN/checkpoints/step-000500/state/  what resuming needs; kept for the last two checkpoints only
RUN/samples/step-000500.txt         what the model of that checkpoint makes; .png where it draws
RUN/run.log                         what the process that trains logs and warns of
"""

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import TrainEvent, from_json, to_json
from aigc_demo.core.files.paths import reason
from aigc_demo.core.files.unfinished import unfinished_name

if TYPE_CHECKING:
    from PIL import Image

NUM_STATES_KEPT = 2
MOST_CHECKPOINTS = 20
MANIFEST = "manifest.json"
STATE = "state"
# A name of a file that is no UTF-8 holds halves of surrogate pairs; as \udcff they are valid JSON and text.
ESCAPED = "backslashreplace"
# What this project logs of its own, beside what libraries warn of.
LOGGER = logging.getLogger("aigc_demo")


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
        """Whether a run was ever started here, as far as may be looked."""
        with contextlib.suppress(OSError):
            return (self.path / "config.json").is_file()
        return False

    def is_there(self) -> bool:
        """Whether there is such a folder, as far as may be looked."""
        with contextlib.suppress(OSError):
            return self.path.is_dir()
        return False

    def create(self, config: dict[str, Any]) -> None:
        """Start a run here.

        Raises:
            InputError: there is one already, or the folder cannot be written.
        """
        if self.exists():
            raise InputError("run_exists", path=str(self.path))
        parts = (new_folders(self.path / "checkpoints"), new_folders(self.path / "samples"))
        with disk_errors(self.path), parts[0], parts[1]:
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
        except (OSError, ValueError, RecursionError) as error:
            raise InputError("broken_checkpoint", path=str(self.path), detail="config.json") from error

    def change_config(self, **facts: Any) -> None:
        """Replace some of it: where the data lie now, how far the run is to go.

        Raises:
            DemoError: the disk does not take it.
        """
        changed = {**self.config(), **facts}
        with disk_errors(self.path):
            write_atomically(self.path / "config.json", json.dumps(changed, indent=2, ensure_ascii=False))

    def known_config(self) -> dict[str, Any]:
        """The same as far as it can be read: empty for a run that has not begun or that somebody damaged."""
        try:
            config: Any = self.config()
        except DemoError:
            return {}
        return config if isinstance(config, dict) else {}

    def append(self, event: TrainEvent) -> None:
        """Add one event to the record, in one write."""
        with disk_errors(self.path), self.events_path.open("a", encoding="utf-8", errors=ESCAPED) as file:
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
        with disk_errors(self.path):
            write_atomically(self.events_path, "".join(line + "\n" for line in kept))

    def write_sample(self, step: int, text: str) -> str:
        """Keep what the model of a checkpoint writes; returns the file's name in the run directory.

        Raises:
            DemoError: the file cannot be written.
        """
        path = self.path / "samples" / f"step-{step:06d}.txt"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, text)
        return path.relative_to(self.path).as_posix()

    def write_sample_image(self, step: int, picture: "Image.Image") -> str:
        """Keep what the model of a checkpoint draws, as PNG; returns the file's name in the run directory.

        Raises:
            DemoError: the file cannot be written.
        """
        path = self.path / "samples" / f"step-{step:06d}.png"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            with atomic_path(path) as beside:
                picture.save(beside, format="PNG")
        return path.relative_to(self.path).as_posix()

    @contextlib.contextmanager
    def keep_log(self) -> Iterator[None]:
        """Append to run.log what this process logs and warns of meanwhile; it is then not shown elsewhere."""
        handler, root, level = _RunLog(self.path / "run.log"), logging.getLogger(), LOGGER.level
        root.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        logging.captureWarnings(True)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            LOGGER.setLevel(level)
            root.removeHandler(handler)

    def checkpoints(self) -> list[Path]:
        """The whole checkpoints, oldest first; unfinished ones have another name and are not seen."""
        folder = self.path / "checkpoints"
        named = [path for path in folder.glob("step-*") if re.fullmatch(r"step-\d{6,}", path.name)]
        return [path for path in sorted(named, key=step_of) if not broken(path)]

    def checkpoint(self, step: int | None = None) -> Path:
        """A whole checkpoint.

        Args:
            step: of the checkpoint; None for the last one.

        Raises:
            InputError: there is no such run, or it has no whole checkpoint at that step.
        """
        if not self.is_there():
            raise InputError("unknown_run", name=shown(str(self.path)))
        try:
            checkpoints = self.checkpoints()
        except OSError as error:  # it may not be looked into
            raise InputError("unreadable_file", path=str(self.path), detail=reason(error)) from error
        if not checkpoints:
            raise InputError("nothing_to_export", name=self.path.name)
        if step is None:
            return checkpoints[-1]
        for checkpoint in checkpoints:
            if step_of(checkpoint) == step:
                return checkpoint
        known = ", ".join(str(step_of(checkpoint)) for checkpoint in checkpoints)
        raise InputError("no_checkpoint", name=self.path.name, step=shown(step), known=known)

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
        with disk_errors(beside):
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
        return beside

    def unfinished_checkpoint(self, step: int) -> Path:
        """Where a checkpoint grows until it is whole."""
        return self.path / "checkpoints" / f".step-{step:06d}.partial"

    def finish_checkpoint(self, step: int) -> Path:
        """Write the manifest and rename the filled folder into place: from here on the checkpoint is whole.

        Returns:
            The checkpoint's folder. Training state older than the last two checkpoints is removed, and where
            there are more than twenty checkpoints, one that its neighbours stand closest to.

        Raises:
            DemoError: the disk is full or the folder cannot be written; the older checkpoints are whole.
        """
        beside = self.unfinished_checkpoint(step)
        place = beside.with_name(f"step-{step:06d}")
        with disk_errors(place):
            write_atomically(beside / MANIFEST, json.dumps(manifest(beside), indent=2))
            if place.exists():
                _remove(place)
            beside.rename(place)
            for old in self.resumable()[:-NUM_STATES_KEPT]:
                _remove(old / STATE, old.with_name(f".{old.name}-{STATE}.partial"))
            self._thin_out()
        for left in place.parent.glob(".step-*.partial"):  # by workers that were killed
            shutil.rmtree(left, ignore_errors=True)
        return place

    def _thin_out(self) -> None:
        """Keep the first, the last two, and of the others those that are spread most evenly over the run."""
        kept = self.checkpoints()
        while len(kept) > MOST_CHECKPOINTS:
            steps = [step_of(path) for path in kept]
            gaps = {
                place: steps[place + 1] - steps[place - 1] for place in range(1, len(kept) - NUM_STATES_KEPT)
            }
            _remove(kept.pop(min(gaps, key=lambda place: (gaps[place], place))))


def _remove(folder: Path, aside: Path | None = None) -> None:
    """Out of sight first: who reads, or is killed meanwhile, never meets or leaves half a checkpoint."""
    aside = aside or folder.with_name(f".{folder.name}-old.partial")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


class _RunLog(logging.Handler):
    """A log that no training fails for: a line that the disk does not take is left out."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record).rstrip() + "\n"
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(line)


def step_of(checkpoint: Path) -> int:
    """The step in a checkpoint's name."""
    return int(checkpoint.name.removeprefix("step-"))


def manifest(folder: Path, files: Iterable[Path] | None = None) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of files below a folder, by their names there.

    Args:
        folder: of a checkpoint.
        files: which ones; by default all except the manifest itself.
    """
    if files is None:
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
    try:
        with beside.open("w", encoding="utf-8", errors=ESCAPED) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A place beside the target for a new file or folder, which takes the target's name when it is filled.

    Each has a place of its own, so two that write the same at the same time do not meet; after an error
    nothing is left of it. What a killed process leaves, `unfinished.remove_leftovers` removes.

    Raises:
        DemoError: the disk does not take it.
    """
    place = target.with_name(unfinished_name(target.name))
    with disk_errors(target), new_folders(target.parent):
        try:
            yield place
            place.replace(target)
        finally:
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            place.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Look at the place of a file that is to be written, before it takes the place of what is there.

    Raises:
        DemoError: what is there is no file but a folder or a device, or no name is so long.
    """
    with disk_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "not a regular file")
        if path.is_symlink() and not path.exists():
            raise OSError(errno.ENOENT, "a link that leads nowhere")


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[None]:
    """Make the folder of a file that is written inside; after an error no new folder is left.

    Raises:
        DemoError: the disk does not take it.
    """
    check_place(path)
    with disk_errors(path), new_folders(path.parent):
        yield


@contextlib.contextmanager
def new_folders(path: Path) -> Iterator[None]:
    """Make a folder and those above it; after an error inside, the new ones that are empty are gone again."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one sentence."""
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise DemoError("cannot_write", path=str(path), detail=detail) from error
