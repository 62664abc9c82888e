"""What a training would take, tried in a process of its own, which may run out of memory without harm."""

import contextlib
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from aigc_demo.core.errors import DemoError
from aigc_demo.core.process.worker import read_problem
from aigc_demo.data.images.zip_files import unpack_images
from aigc_demo.studio.runs.job import child_environment, train_arguments
from aigc_demo.studio.runs.order import RunOrder
from aigc_demo.studio.runs.run_queue import IMAGES_FOLDER, SOURCE_FILE
from aigc_demo.studio.visitors.training_switch import check_training_is_on

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.3


def try_order(
    order: RunOrder, folder: Path, bounds: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any] | None]:
    """What an order of a visitor would take; nothing of it stays.

    Args:
        order: checked.
        folder: where its run would be; the disk that it is on is looked at.
        bounds: the environment that says what the trial may take (`core/bounds`).

    Yields:
        As `trial`.

    Raises:
        InputError: training is switched off, or the visitor's images are none.
        DemoError: as `trial`.
    """
    check_training_is_on()
    words = order.words()
    text, images = words.pop("text"), words.pop("images")
    with tempfile.TemporaryDirectory(prefix="aigc-demo-preflight-") as place:
        if text is not None:
            words["source"] = str(Path(place) / SOURCE_FILE)
            Path(words["source"]).write_bytes(text)
        if images is not None:
            words["source"] = str(Path(place) / IMAGES_FOLDER)
            unpack_images(images, Path(words["source"]))
        place_of_run = folder / f"preflight-{secrets.token_hex(4)}"
        yield from trial(train_arguments(**words, run_dir=place_of_run), bounds=bounds)


def trial(
    arguments: Sequence[str],
    timeout_seconds: float = TIMEOUT_SECONDS,
    bounds: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any] | None]:
    """Run `train ... --preflight`; a generator that is closed ends it.

    Args:
        arguments: of the command line, from "train" on, as the run would be started with.
        timeout_seconds: after which the trial is ended.
        bounds: as `try_order`.

    Yields:
        None while it goes on, then what `training.preflight.preflight` finds. A trial that was killed, as the
        system does where memory runs out, or that did not end in time, gives `fits` False and `problem`
        alone.

    Raises:
        DemoError: the order was refused, or something failed; with the key that the command line had for it.
    """
    with tempfile.TemporaryDirectory(prefix="aigc-demo-preflight-") as folder:
        problem, output = Path(folder) / "problem.json", Path(folder) / "output"
        # TMPDIR: what a killed trial leaves goes too.
        environment = child_environment(problem, {**(bounds or {}), "TMPDIR": folder})
        with output.open("wb") as lines:
            child = subprocess.Popen(
                [sys.executable, "-m", "aigc_demo", *arguments, "--preflight", "--json"],
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        try:
            end = time.monotonic() + timeout_seconds
            while _goes_on(child):
                if time.monotonic() > end:
                    yield _unfit("preflight_too_slow", seconds=round(timeout_seconds))
                    return
                yield None
        finally:
            _end(child)
        if child.returncode < 0:
            yield _unfit("out_of_memory")
            return
        if child.returncode:
            raise read_problem(problem) or DemoError("worker_vanished")
        yield _last_line(output.read_text("utf-8", "replace"))


def _goes_on(child: "subprocess.Popen[bytes]") -> bool:
    try:
        child.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(child: "subprocess.Popen[bytes]") -> None:
    """A process that goes on, and those that it started; at once."""
    if child.poll() is None:
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(child.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    one.kill()
        child.kill()
        child.wait()


def _unfit(key: str, **values: Any) -> dict[str, Any]:
    return {"fits": False, "problem": {"key": key, "values": values}}


def _last_line(output: str) -> dict[str, Any]:
    """The result among what was printed."""
    for line in reversed(output.split("\n")):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and "fits" in found:
                return found
    raise DemoError("worker_vanished")
