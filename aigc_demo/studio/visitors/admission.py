"""Admission of orders: limits by visitor, by address and in all, and the size of a run."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aigc_demo.core.bounds import DISK_VARIABLE, MEMORY_VARIABLE, size
from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.library_imports import importing
from aigc_demo.core.memory import MODEL_SHARE, memory_gib
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.notes import RunNotes
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.usage import Usage

MIB = 2**20
# A run counts for this much however little it takes: their number is bounded too.
LEAST_MIB = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """The resources that an order asks for.

    Attributes:
        secret: of the visitor.
        address: of the network, "" where it is not known.
        minutes: of training; 0 for a run that is only uploaded.
        disk_mib: that it will take.
        memory_mib: that it will take.
        trains: whether it is to be trained.
        goes_on_from: where the run or the model lies that it goes on from, as a path; None for nowhere.
    """

    secret: str
    address: str = ""
    minutes: float = 0.0
    disk_mib: float = 0.0
    memory_mib: float = 0.0
    trains: bool = True
    goes_on_from: str | None = None


class Admission:
    """Checks orders against the limits.

    Args:
        folder: of the runs.
        limits: of the host.
        notes: what is known of the runs.
        usage: who took what.
        delete: removes a run that has ended, whoever's it is.
    """

    def __init__(
        self, folder: Path, limits: Limits, notes: RunNotes, usage: Usage, delete: Callable[[str], None]
    ):
        self._folder, self.limits = folder, limits
        self._notes, self._usage, self._delete = notes, usage, delete

    def check(self, asked: Asked) -> None:
        """Accept or refuse an order.

        Raises:
            InputError: it is more than this host gives to this visitor, this address, or everybody.
        """
        if asked.trains:
            self.check_size(asked)
            under_way = [(f.name, t) for f, t in self._notes.jobs() if t.stage != "ended"]
            self._check_counts(asked, under_way)
            self._check_minutes(asked, under_way)
        self._check_disk(asked)

    def check_size(self, asked: Asked) -> None:
        """Refuse one run that is larger than any may be here, whatever else there is.

        Raises:
            InputError: it is.
        """
        limits = self.limits
        if asked.minutes > limits.run_minutes:
            raise InputError("run_minutes", limit=limits.run_minutes)
        most = self.memory_mib()
        if most and asked.memory_mib > most:
            over = -int(-(asked.memory_mib - most) // 1)
            raise InputError("needs_memory", needed=round(asked.memory_mib), limit=round(most), over=over)
        if limits.run_disk_mib and asked.disk_mib > limits.run_disk_mib:
            raise InputError("run_needs_disk", needed=round(asked.disk_mib), limit=limits.run_disk_mib)

    def memory_mib(self) -> float:
        """Memory limit of one run; 0 where unknown."""
        return self.limits.run_memory_mib or (memory_gib() or 0) * 1024 * MODEL_SHARE

    def bounds(self) -> dict[str, str]:
        """The environment that holds a worker to the limits of one run (`core/bounds`)."""
        return {MEMORY_VARIABLE: str(round(self.memory_mib())), DISK_VARIABLE: str(self.limits.run_disk_mib)}

    def _check_counts(self, asked: Asked, under_way: Sequence[tuple[str, Job]]) -> None:
        limits = self.limits
        mine = sum(job.belongs_to(asked.secret) for _, job in under_way)
        if limits.runs_per_visitor and mine >= limits.runs_per_visitor:
            raise InputError("too_many_runs", count=mine)
        if asked.address and limits.runs_per_address:
            names = self._usage.names_of(asked.address)
            beside = sum(name in names for name, _ in under_way)
            if beside >= limits.runs_per_address:
                raise InputError("too_many_runs_of_network", count=beside)
        waiting = sum(job.stage == "waiting" for _, job in under_way)
        if limits.runs_waiting and waiting >= limits.runs_waiting:
            raise InputError("queue_full", count=waiting)

    def _check_minutes(self, asked: Asked, under_way: Sequence[tuple[str, Job]]) -> None:
        limits = self.limits
        if asked.address and limits.minutes_per_address:
            had = self._usage.minutes_of(asked.address)
            if had + asked.minutes > limits.minutes_per_address:
                left = max(0, int(limits.minutes_per_address - had))
                raise InputError("minutes_used", limit=limits.minutes_per_address, left=left)
        if limits.minutes_waiting:
            waiting = sum(self._usage.minutes(name) for name, _ in under_way)
            if waiting + asked.minutes > limits.minutes_waiting:
                raise InputError("minutes_waiting", minutes=round(waiting))

    def _check_disk(self, asked: Asked) -> None:
        limits = self.limits
        mine = self._notes.names_of(asked.secret)
        self._check_room(mine, asked.disk_mib, limits.disk_mib_per_visitor, "disk_budget")
        if asked.address:
            names = self._usage.names_of(asked.address)
            self._check_room(names, asked.disk_mib, limits.disk_mib_per_address, "disk_of_network")
        if limits.delete_oldest:
            self._make_room(asked)
        self._check_room(self._usage.names(), asked.disk_mib, limits.disk_mib, "disk_of_all")

    def _check_room(self, names: Iterable[str], more_mib: float, limit_mib: int, key: str) -> None:
        used = self._used_mib(names) if limit_mib else 0.0  # nobody looks at the disk for no limit
        if limit_mib and not _has_room(used, more_mib, limit_mib):
            raise InputError(key, used=round(used), needed=round(more_mib), limit=limit_mib)

    def room_mib(self, asked: Asked) -> float:
        """Disk left to this visitor, this address and everybody."""
        limits, mine = self.limits, self._notes.names_of(asked.secret)
        left: list[tuple[int, Iterable[str]]] = [
            (limits.disk_mib_per_visitor, mine),
            (limits.disk_mib, self._usage.names()),
        ]
        if asked.address:
            left.append((limits.disk_mib_per_address, self._usage.names_of(asked.address)))
        return min((limit - self._used_mib(names) for limit, names in left if limit), default=float("inf"))

    def _used_mib(self, names: Iterable[str]) -> float:
        """What runs take: at least what is expected of those under way, and something for each."""
        names = list(names)
        sizes = self._notes.sizes(self._folder / name for name in names)
        under_way = {folder.name for folder, job in self._notes.jobs() if job.stage != "ended"}
        return sum(
            max(taken / MIB, LEAST_MIB, self._usage.disk_mib(name) if name in under_way else 0.0)
            for name, taken in sizes.items()
            if taken
        )

    def _make_room(self, asked: Asked) -> None:
        """Remove the oldest runs of visitors that have ended, until there is room for one more.

        None is removed where all of them would not be enough, and none that another one goes on from.
        """
        limit, names = self.limits.disk_mib, self._usage.names()
        if not limit:
            return
        jobs = self._notes.jobs()
        needed = {self._run_at(asked.goes_on_from)}
        needed |= {self._run_at(_word_after("--init", t)) for _, t in jobs if t.stage != "ended"}
        ended = {folder.name for folder, t in jobs if t.stage == "ended"} - needed
        used, removed = self._used_mib(names), []
        for name in names:
            if not _has_room(used, asked.disk_mib, limit) and name in ended:
                used -= self._used_mib([name])
                removed.append(name)
        if _has_room(used, asked.disk_mib, limit):
            for name in removed:
                self._delete(name)

    def _run_at(self, place: str | None) -> str:
        """The run in whose folder something lies; "" for what lies elsewhere."""
        path = Path(place or "")
        inside = path.is_relative_to(self._folder) and path != self._folder
        return path.relative_to(self._folder).parts[0] if inside else ""


def _has_room(used_mib: float, more_mib: float, limit_mib: int) -> bool:
    return used_mib < limit_mib and used_mib + more_mib <= limit_mib


def _word_after(name: str, job: Job) -> str | None:
    words = job.arguments
    return words[words.index(name) + 1] if name in words[:-1] else None


def asked_minutes(words: Sequence[str], limits: Limits) -> float:
    """Minutes that a command asks for: as it says, or the most that a run gets where it counts steps."""
    if "--minutes" in words:
        return float(words[list(words).index("--minutes") + 1])
    return float(limits.run_minutes)


def minutes_left(job: Job, limits: Limits) -> float:
    """Minutes that a run may still train, of those that it was ordered with."""
    asked = min(asked_minutes(job.arguments, limits), float(limits.run_minutes))
    return asked - job.spent_minutes


def expected(
    recipe: str,
    settings: Sequence[str],
    source_bytes: int = 0,
    text: str | None = None,
    init: str | None = None,
) -> tuple[float, float]:
    """Expected disk and memory of a run in MiB, from its settings alone.

    Args:
        recipe: what is trained.
        settings: name=value each.
        source_bytes: of the visitor's own text or images, unpacked.
        text: the visitor's own, if any.
        init: a model to go on from, whose shape is then the run's.

    Raises:
        InputError: a setting is none, or these settings make no network.
    """
    with importing():
        from aigc_demo.training.estimate import estimate, shape_of
        from aigc_demo.training.recipes import recipe_named

    given = dict(word.split("=", 1) for word in settings)
    shape = {} if init is None else shape_of(recipe, init)
    complete = recipe_named(recipe).complete({**given, **shape})
    try:
        found = estimate(recipe, complete, source_bytes, text)
    except (ValueError, RuntimeError, ArithmeticError, AssertionError, TypeError) as error:
        log.info("no network of %s", shown(settings), exc_info=error)
        raise InputError("no_such_network", recipe=recipe) from None
    return found.disk_mib, found.memory_mib


def expected_again(job: Job, folder: Path) -> tuple[float, float]:
    """The same of a run that is to go on; of disk what is not there yet."""
    words = list(job.arguments)
    given = {name: words[place + 1] for place, name in enumerate(words[:-1]) if name in ("--init", "--data")}
    settings = [words[place + 1] for place, name in enumerate(words[:-1]) if name == "--set"]
    source = Path(given.get("--data", ""))
    there = size(folder)
    own = size(source) if source.is_dir() else source.stat().st_size if source.is_file() else 0
    disk_mib, memory_mib = expected(job.recipe, settings, own, init=given.get("--init"))
    return max(0.0, disk_mib - there / MIB), memory_mib
