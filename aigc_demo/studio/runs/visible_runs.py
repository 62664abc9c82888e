"""The runs, their states, and which of them a visitor may see and download."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.runs.notes import RunNotes, is_run_name
from aigc_demo.studio.runs.state import RunState
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.visitor import current_visitor


class SeenRuns:
    """The runs of a folder.

    Args:
        folder: where they are; it need not be there yet.
        limits: of the host, which say whether runs without an owner are everybody's.
    """

    def __init__(self, folder: Path, limits: Limits):
        self.folder, self.limits = folder, limits
        self._notes = RunNotes(folder)

    def names(self) -> list[str]:
        """The runs that the current visitor may see, the newest first; of a slow disk, those known so far."""
        visitor = current_visitor()
        named = self._notes.named()
        return [name for name, job in named if job is None or job.is_seen_by(visitor)]

    def check_seen(self, name: Any) -> None:
        """Refuse a run that another visitor keeps for himself: for who asks it is not there.

        Raises:
            InputError: it is such a run, or none can have this name.
            DemoError: its disk does not answer.
        """
        visitor = current_visitor()
        if visitor is None:
            return
        job = self._notes.job(checked_name(name))
        if job is not None and not job.is_seen_by(visitor):
            raise InputError("unknown_run", name=shown(name))

    def may_be_taken_by(self, name: str, secret: Any) -> bool:
        """Whether a visitor may download a run's files: of an own run, or of one without owner."""
        job = self._notes.job(checked_name(name))
        if job is None:
            return self.limits.share_runs
        return isinstance(secret, str) and job.belongs_to(secret)

    def check_taken_by(self, name: Any, secret: Any) -> None:
        """Refuse to give a run's files to somebody who may not take them.

        Raises:
            InputError: it is somebody else's, or there is none.
            DemoError: its disk does not answer.
        """
        self.run(name)
        if not self.may_be_taken_by(name, secret):
            raise InputError("not_your_run", name=shown(name))

    def run(self, name: Any) -> RunDirectory:
        """The directory of a run.

        Raises:
            InputError: there is none of that name.
        """
        path = self.folder / checked_name(name)
        if not path.is_dir():
            raise InputError("unknown_run", name=shown(name))
        self.check_seen(name)
        return RunDirectory(path)

    def state(self, name: Any) -> RunState:
        """How a run stands.

        Raises:
            InputError: there is none of that name.
            DemoError: its disk does not answer.
        """
        self.check_seen(name)
        return self._notes.state(checked_name(name))

    def states(self, names: Iterable[str]) -> dict[str, RunState]:
        """How several runs stand; one whose disk was never heard from is left out."""
        return self._notes.states(names)

    def place(self, name: str) -> int:
        """Position in the queue; 0 for a run that does not wait."""
        return self._notes.place(name)

    def busy(self) -> bool:
        """Whether a run trains now."""
        return any(answer.value.process is not None for _, _, answer in self._notes.at_stage("started"))

    def belongs_to(self, name: str, secret: Any) -> bool:
        """Whether this visitor ordered a run.

        Raises:
            DemoError: its disk does not answer.
        """
        job = self._notes.job(checked_name(name))
        return job is not None and isinstance(secret, str) and job.belongs_to(secret)

    def names_of(self, secret: str) -> list[str]:
        """The runs that this visitor ordered."""
        return self._notes.names_of(secret)

    def used_bytes(self, secret: str) -> int:
        """What this visitor's runs take on the disk."""
        return self._notes.bytes_of(self.folder / name for name in self.names_of(secret))


def checked_name(name: Any) -> str:
    """A name that a run may have, whether there is one or not.

    Raises:
        InputError: it is none.
    """
    if not is_run_name(name):
        raise InputError("unknown_run", name=shown(name))
    return name
