"""What a training would take, tried in a process of its own, which may run out of memory without harm."""

import contextlib
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.worker import noted_problem
from aigc_demo.data.picture_zip import unpack_pictures
from aigc_demo.studio.run_desk import PICTURES_FOLDER, SOURCE_FILE
from aigc_demo.studio.run_order import RunOrder
from aigc_demo.studio.ticket import child_environment, train_arguments
from aigc_demo.studio.training_switch import check_training_is_on

TIMEOUT_SECONDS = 60.0


def try_order(order: RunOrder, folder: Path, bounds: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What an order of a visitor would take; nothing of it stays.

    Args:
        order: checked.
        folder: where its run would be; the disk that it is on is looked at.
        bounds: the environment that says what the trial may take (`core/bounds`).

    Returns:
        As `training.preflight.preflight`.

    Raises:
        InputError: training is switched off, or the visitor's pictures are none.
        DemoError: as `try_training`.
    """
    check_training_is_on()
    words = order.words()
    text, pictures = words.pop("text"), words.pop("pictures")
    with tempfile.TemporaryDirectory(prefix="aigc-demo-preflight-") as place:
        if text is not None:
            words["source"] = str(Path(place) / SOURCE_FILE)
            Path(words["source"]).write_bytes(text)
        if pictures is not None:
            words["source"] = str(Path(place) / PICTURES_FOLDER)
            unpack_pictures(pictures, Path(words["source"]))
        place_of_run = folder / f"preflight-{secrets.token_hex(4)}"
        return try_training(train_arguments(**words, run_dir=place_of_run), bounds=bounds)


def try_training(
    arguments: Sequence[str],
    timeout_seconds: float = TIMEOUT_SECONDS,
    bounds: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run `train ... --preflight` and wait for what it finds.

    Args:
        arguments: of the command line, from "train" on, as the run would be started with.
        timeout_seconds: after which the trial is ended.
        bounds: as `try_order`.

    Returns:
        As `training.preflight.preflight`. A trial that was killed, as the system does where memory runs out,
        or that did not end in time, gives `fits` False and `problem` alone.

    Raises:
        DemoError: the order was refused, or something failed; with the key that the command line had for it.
    """
    with tempfile.TemporaryDirectory(prefix="aigc-demo-preflight-") as folder:
        problem = Path(folder) / "problem.json"
        environment = child_environment(
            problem, {**(bounds or {}), "TMPDIR": folder}
        )  # what a killed trial leaves goes too
        try:
            done = subprocess.run(
                [sys.executable, "-m", "aigc_demo", *arguments, "--preflight", "--json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=timeout_seconds,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _unfit("preflight_too_slow", seconds=round(timeout_seconds))
        if done.returncode < 0:
            return _unfit("out_of_memory")
        if done.returncode:
            raise noted_problem(problem) or DemoError("worker_vanished")
    return _last_line(done.stdout)


def _unfit(key: str, **values: Any) -> dict[str, Any]:
    return {"fits": False, "problem": {"key": key, "values": values}}


def _last_line(output: str) -> dict[str, Any]:
    """The result among what was printed."""
    for line in reversed(output.splitlines()):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and "fits" in found:
                return found
    raise DemoError("worker_vanished")
