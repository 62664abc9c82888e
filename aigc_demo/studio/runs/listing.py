"""The runs on this machine."""

import math
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunFinished, ValidationDone
from aigc_demo.core.files.paths import reason
from aigc_demo.core.run_directory import RunDirectory

RUNS = Path("runs")


def list_runs(folder: Path = RUNS) -> list[dict[str, Any]]:
    """What each run below the folder trains and how far it has come, by name.

    Returns:
        `run_dir`, `recipe`, `source`, `step`, `steps`, `minutes`, `reason` (None while it has not ended),
        `validation_loss` and `best_validation_loss` (over the same windows each time), `full_validation_loss`
        (over all windows, where the run paused or ended; else None). Folders that hold no readable run are
        left out.

    Raises:
        InputError: it is no folder, or may not be looked into; one that is not there holds no runs.
    """
    found = []
    for path in _folders(folder):
        run = RunDirectory(path)
        try:
            config = run.config()
        except DemoError:
            continue
        found.append({"run_dir": str(path), **_known(config), **_progress(run)})
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputError("unreadable_file", path=str(folder), detail=reason(error)) from error


def _known(config: dict[str, Any]) -> dict[str, Any]:
    return {name: config.get(name) for name in ("recipe", "source", "steps", "minutes", "seed")}


def _progress(run: RunDirectory) -> dict[str, Any]:
    step, reason, losses, full = 0, None, [], None
    for event in run.events():
        step = max(step, event.step)
        reason = event.reason if isinstance(event, RunFinished) else None
        if isinstance(event, ValidationDone) and math.isfinite(event.loss):
            losses.append(event.loss)
            full = event.metrics.get("full_loss")
    return {
        "step": step,
        "reason": reason,
        "validation_loss": losses[-1] if losses else None,
        "best_validation_loss": min(losses, default=None),
        "full_validation_loss": full,
    }
