"""What the queue notes beside a run: who ordered it, by which command, and whether it waits or was started.

The note is a file in the run's own directory, so a restarted server finds all it needs there.
"""

import hashlib
import hmac
import json
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from aigc_demo.core.files.atomic import disk_errors, write_atomically
from aigc_demo.core.files.public_paths import public_path, without_paths
from aigc_demo.core.process.worker import PROBLEM_VARIABLE, Worker, living_worker
from aigc_demo.core.proxies import given_environment

PACKAGE_HOME = Path(__file__).resolve().parents[3]
FILE = "ticket.json"

Stage = Literal["waiting", "started", "ended"]


@dataclass(frozen=True)
class Job:
    """An order as the queue keeps it.

    Attributes:
        owner: SHA-256 of the secret of whoever ordered.
        arguments: of `python -m aigc_demo`.
        stage: waiting for its turn, started, or ended.
        since: when this stage began, in seconds of the system's clock.
        pid: of the process that was started.
        born: when that process was.
        returncode: what it ended with; None where nobody saw it end.
        problem: why the queue itself ended it: a key of the sentences, with its values.
        stopping: whether somebody pressed Stop.
        shared: whether others than its owner may see the run and use its model.
        spent_minutes: that it has been under way, in all its stages.
    """

    owner: str
    arguments: tuple[str, ...]
    stage: Stage
    since: float
    pid: int = 0
    born: float = 0.0
    returncode: int | None = None
    problem: dict[str, Any] | None = None
    stopping: bool = False
    shared: bool = True
    spent_minutes: float = 0.0

    @property
    def recipe(self) -> str:
        """What is trained."""
        return self.arguments[1] if len(self.arguments) > 1 else ""

    @property
    def command(self) -> str:
        """What does the same in a terminal, beside the folder of the runs; no path of this machine."""
        run_folder = _run_folder(self.arguments)
        words = (_as_shown(word, run_folder) for word in self.arguments)
        return shlex.join(("python", "-m", "aigc_demo", *words))

    @property
    def executed(self) -> list[str]:
        """The same with this very Python."""
        return [sys.executable, "-m", "aigc_demo", *self.arguments]

    def belongs_to(self, secret: str) -> bool:
        """Whether this secret is that of whoever ordered."""
        return hmac.compare_digest(self.owner, hashed(secret))

    def is_seen_by(self, secret: str | None) -> bool:
        """Whether a visitor may see the run; None asks for nobody in particular, and sees all."""
        return self.shared or secret is None or self.belongs_to(secret)

    def again(self, arguments: Sequence[str]) -> "Job":
        """The order to go on with a run that has ended."""
        return Job(
            self.owner,
            tuple(arguments),
            "waiting",
            time.time(),
            shared=self.shared,
            spent_minutes=self.spent_minutes,
        )

    def worker(self, folder: Path) -> Worker | None:
        """The living process of the run, if there is one; it may not have got to its own record yet."""
        started = Worker(self.pid, self.born)
        return living_worker(folder) or (started if self.pid and started.process else None)

    def save(self, folder: Path) -> "Job":
        """Write it down.

        Raises:
            DemoError: the disk does not take it.
        """
        with disk_errors(folder):
            write_atomically(folder / FILE, json.dumps(asdict(self)))
        return self

    def changed(self, folder: Path, **changes: Any) -> "Job":
        """The same with some facts replaced, written down."""
        return replace(self, **changes).save(folder)

    @classmethod
    def load(cls, folder: Path) -> "Job | None":
        """The note beside a run; None where there is none that can be read."""
        try:
            facts = json.loads((folder / FILE).read_text("utf-8"))
            return cls(**{**facts, "arguments": tuple(map(str, facts["arguments"]))})
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _run_folder(arguments: Sequence[str]) -> Path | None:
    """What `--run-dir` names; an imported run has none."""
    if "--run-dir" in arguments[:-1]:
        return Path(arguments[arguments.index("--run-dir") + 1])
    return None


def _as_shown(word: str, run_folder: Path | None) -> str:
    """A word of a command as others may see it: places among the runs as runs/NAME, others by their name."""
    if run_folder is not None and Path(word).is_absolute() and Path(word).is_relative_to(run_folder.parent):
        return Path(word).relative_to(run_folder.parent.parent).as_posix()
    return public_path(without_paths(word) if "=" in word else word)


def child_environment(problem: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which `Job.executed` finds this very package.

    Args:
        problem: the file in which the child notes why it failed.
        more: variables beside those of this process.
    """
    paths = (str(PACKAGE_HOME), os.environ.get("PYTHONPATH", ""))
    return {
        **given_environment(),
        **(more or {}),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        PROBLEM_VARIABLE: str(problem.absolute()),
    }


def train_arguments(
    recipe: str,
    source: str,
    run_dir: Path,
    *,
    budget: Sequence[str],
    seed: int = 0,
    settings: Sequence[str] = (),
    init: str | None = None,
) -> list[str]:
    """The arguments of `python -m aigc_demo` that start a training.

    Args:
        recipe: what to train.
        source: what on.
        run_dir: where.
        budget: ("--steps", "200") or ("--minutes", "3").
        seed: of everything random.
        settings: name=value each.
        init: a model to go on from.
    """
    arguments = ["train", recipe, "--data", source, "--run-dir", str(run_dir), *budget, "--seed", str(seed)]
    arguments += ["--init", init] if init else []
    return arguments + [word for setting in settings for word in ("--set", setting)]


def hashed(secret: str) -> str:
    """A secret as it may lie on a disk."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
