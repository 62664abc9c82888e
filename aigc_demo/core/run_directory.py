"""The directory of a training run.

RUN/config.json                     recipe, data and settings
RUN/events.jsonl                    append-only, one event per line
RUN/checkpoints/step-000500/        a model folder in the Hub's layout, with manifest.json
RUN/checkpoints/step-000500/state/  training state for resuming; only in the last two checkpoints
RUN/samples/step-000500.txt         sample of that checkpoint's model; .png for images
RUN/run.log                         log and warnings of the training process
"""

import contextlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import TrainEvent, from_json, to_json
from aigc_demo.core.files.atomic import ESCAPED, atomic_path, disk_errors, new_folders, write_atomically
from aigc_demo.core.files.manifest import MANIFEST, STATE, build_manifest, invalid_file, step_of
from aigc_demo.core.files.paths import reason

if TYPE_CHECKING:
    from PIL import Image

NUM_STATES_KEPT = 2
MOST_CHECKPOINTS = 20
LOGGER = logging.getLogger("aigc_demo")


class RunDirectory:
    """A run's directory, which may not exist yet."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    @property
    def events_path(self) -> Path:
        """The event log."""
        return self.path / "events.jsonl"

    def exists(self) -> bool:
        """Whether the directory contains a run; False where access is denied."""
        with contextlib.suppress(OSError):
            return (self.path / "config.json").is_file()
        return False

    def is_there(self) -> bool:
        """Whether the directory exists; False where access is denied."""
        with contextlib.suppress(OSError):
            return self.path.is_dir()
        return False

    def create(self, config: dict[str, Any]) -> None:
        """Create the directory and write config.json.

        Raises:
            InputError: it contains a run already.
            DemoError: the directory cannot be written.
        """
        if self.exists():
            raise InputError("run_exists", path=str(self.path))
        parts = (new_folders(self.path / "checkpoints"), new_folders(self.path / "samples"))
        with disk_errors(self.path), parts[0], parts[1]:
            write_atomically(self.path / "config.json", json.dumps(config, indent=2, ensure_ascii=False))

    def config(self) -> dict[str, Any]:
        """The content of config.json.

        Raises:
            InputError: there is no run here, or config.json cannot be read.
        """
        if not self.exists():
            raise InputError("no_run", path=str(self.path))
        try:
            return json.loads((self.path / "config.json").read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError("broken_checkpoint", path=str(self.path), detail="config.json") from error

    def change_config(self, **facts: Any) -> None:
        """Update entries of config.json, such as the path of the data or the number of steps.

        Raises:
            DemoError: the file cannot be written.
        """
        changed = {**self.config(), **facts}
        with disk_errors(self.path):
            write_atomically(self.path / "config.json", json.dumps(changed, indent=2, ensure_ascii=False))

    def known_config(self) -> dict[str, Any]:
        """As `config`, but empty where it cannot be read."""
        try:
            config: Any = self.config()
        except DemoError:
            return {}
        return config if isinstance(config, dict) else {}

    def append(self, event: TrainEvent) -> None:
        """Append one event to the log, in one write."""
        with disk_errors(self.path), self.events_path.open("a", encoding="utf-8", errors=ESCAPED) as file:
            file.write(to_json(event) + "\n")

    def events(self) -> Iterator[TrainEvent]:
        """The events so far; a line that a killed worker left incomplete is skipped."""
        if not self.events_path.is_file():
            return
        # errors="replace": a killed worker may also leave an incomplete character.
        with self.events_path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    yield from_json(line)

    def rewind_events(self, step: int) -> None:
        """Remove the events after `step`, which a resumed run repeats."""
        kept = [to_json(event) for event in self.events() if event.step <= step and event.kind != "finish"]
        with disk_errors(self.path):
            write_atomically(self.events_path, "".join(line + "\n" for line in kept))

    def write_sample(self, step: int, text: str) -> str:
        """Save a text sample of a checkpoint; returns the file's path relative to the run directory.

        Raises:
            DemoError: the file cannot be written.
        """
        path = self.path / "samples" / f"step-{step:06d}.txt"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, text)
        return path.relative_to(self.path).as_posix()

    def write_sample_image(self, step: int, image: "Image.Image") -> str:
        """Save an image sample of a checkpoint as PNG; returns its path relative to the run directory.

        Raises:
            DemoError: the file cannot be written.
        """
        path = self.path / "samples" / f"step-{step:06d}.png"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            with atomic_path(path) as beside:
                image.save(beside, format="PNG")
        return path.relative_to(self.path).as_posix()

    @contextlib.contextmanager
    def keep_log(self) -> Iterator[None]:
        """Inside, append log records and warnings of this process to run.log, and show them nowhere else."""
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
        """The complete checkpoints, oldest first; unfinished ones have another name."""
        folder = self.path / "checkpoints"
        named = [path for path in folder.glob("step-*") if re.fullmatch(r"step-\d{6,}", path.name)]
        return [path for path in sorted(named, key=step_of) if not invalid_file(path)]

    def checkpoint(self, step: int | None = None) -> Path:
        """A complete checkpoint.

        Args:
            step: None for the last one.

        Raises:
            InputError: there is no such run, or it has no complete checkpoint of that step.
        """
        if not self.is_there():
            raise InputError("unknown_run", name=shown(str(self.path)))
        try:
            checkpoints = self.checkpoints()
        except OSError as error:  # access denied
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
        """The complete checkpoints with training state, oldest first."""
        return [path for path in self.checkpoints() if (path / STATE).is_dir()]

    def begin_checkpoint(self, step: int) -> Path:
        """Create the empty folder of an unfinished checkpoint, which `finish_checkpoint` renames.

        Args:
            step: number of optimizer steps so far.

        Raises:
            DemoError: the folder cannot be written.
        """
        beside = self.unfinished_checkpoint(step)
        with disk_errors(beside):
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
        return beside

    def unfinished_checkpoint(self, step: int) -> Path:
        """The folder of a checkpoint until it is complete."""
        return self.path / "checkpoints" / f".step-{step:06d}.partial"

    def finish_checkpoint(self, step: int) -> Path:
        """Write the manifest and rename the folder: from here on the checkpoint is complete.

        Training state older than the last two checkpoints is removed. Where there are more than twenty
        checkpoints, the one with the closest neighbours is removed.

        Returns:
            The checkpoint's folder.

        Raises:
            DemoError: the disk is full or the folder cannot be written; older checkpoints stay complete.
        """
        beside = self.unfinished_checkpoint(step)
        place = beside.with_name(f"step-{step:06d}")
        with disk_errors(place):
            write_atomically(beside / MANIFEST, json.dumps(build_manifest(beside), indent=2))
            if place.exists():
                _remove(place)
            beside.rename(place)
            for old in self.resumable()[:-NUM_STATES_KEPT]:
                _remove(old / STATE, old.with_name(f".{old.name}-{STATE}.partial"))
            self._thin_out()
        for left in place.parent.glob(".step-*.partial"):  # of killed workers
            shutil.rmtree(left, ignore_errors=True)
        return place

    def _thin_out(self) -> None:
        """Keep the first, the last two, and a set of others that is spread evenly over the run."""
        kept = self.checkpoints()
        while len(kept) > MOST_CHECKPOINTS:
            steps = [step_of(path) for path in kept]
            gaps = {
                place: steps[place + 1] - steps[place - 1] for place in range(1, len(kept) - NUM_STATES_KEPT)
            }
            _remove(kept.pop(min(gaps, key=lambda place: (gaps[place], place))))


def _remove(folder: Path, aside: Path | None = None) -> None:
    """Rename, then delete: neither a reader nor a killed process sees or leaves half a checkpoint."""
    aside = aside or folder.with_name(f".{folder.name}-old.partial")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


class _RunLog(logging.Handler):
    """A log file whose write errors are ignored, so that they do not stop the training."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record).rstrip() + "\n"
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(line)
