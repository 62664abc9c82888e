"""Several models at work at the same time, each in a column of its own.

Each model works in a thread of its own and puts its newest column where one generator finds it, which yields
snapshots of all columns: at once where a column starts or ends, otherwise ten times a second, and less often
where many visitors watch. Small models share the processor in time slices (`time_slices.py`), and the time of
a column is that of its own slices; of the large ones a few work at the same time.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.models import gpu
from aigc_demo.studio.models.cancellation import CancelToken, ColumnToken
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.models.time_slices import TimeSlice

State = Literal["waiting", "loading", "running", "finished", "stopped", "failed"]
SNAPSHOT_SECONDS = 0.1
# A snapshot costs the page's process some milliseconds; all visitors together get so many a second.
MOST_SNAPSHOTS_PER_SECOND = 50
# Large models that work at the same time: they share the cores, and each takes memory.
MOST_LARGE = 4
WAIT_SECONDS = 0.1
SMALL_PARAMETERS = 30_000_000
"""Models with fewer parameters get time slices. Measured: with 5 million time slices are faster, with 124
million running side by side is."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)  # what is equal is for each kind of column to say
class Progressing:
    """What a column shows, whatever it makes.

    Attributes:
        model: the name it was asked for by.
        state: waiting, loading, running, then one of finished, stopped and failed.
    """

    model: str
    state: State

    @property
    def has_started(self) -> bool:
        """Whether there is anything to be seen of what it makes."""
        return False

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("finished", "stopped", "failed")


AnyColumn = TypeVar("AnyColumn", bound=Any)


class Work(ABC):
    """One column's work, in a thread of its own.

    Args:
        column: how it stands, a frozen dataclass with `model`, `state`, `error`, `seconds` and `fetched`.
        cache: where the models are, or are loaded to.
        stop: set where nothing more is wanted.
        report: called with each new column.
    """

    def __init__(
        self, column: Any, cache: ModelCache, stop: CancelToken, report: Callable[[Any], None]
    ) -> None:
        self.column, self.cache, self._report = column, cache, report
        self.stop: CancelToken | ColumnToken = stop

    def run(self) -> None:
        """All of it; what fails is shown in the column."""
        try:
            self.do()
        except DemoError as error:
            self._end(error)
        except BaseException:  # a library's panic is no Exception, and would leave the column without an end
            log.exception("%s failed", self.column.model)
            self._end(DemoError("column_failed", model=self.column.model))

    def _end(self, error: DemoError) -> None:
        """What failed may fail again while it is asked for what it has done: the column ends all the same."""
        try:
            self.fail(error)
        except BaseException:
            log.exception("%s failed twice", self.column.model)
            self.tell(state="failed", error=error)

    @abstractmethod
    def do(self) -> None:
        """The work itself; it must end in a final state."""

    def tell(self, **changes: Any) -> None:
        """Change the column and report it."""
        self.column = replace(self.column, **changes)
        self._report(self.column)

    def asks_gpu(self, task: gpu.Task) -> bool:
        """Whether a task goes to a GPU; the column then says for how long one is asked for."""
        if not gpu.wants(task):
            return False
        self.tell(gpu_seconds=task.seconds)
        return True

    def without_gpu(self, error: DemoError) -> None:
        """Go on on the CPU where no GPU was given, and say so.

        Raises:
            DemoError: the task failed for another reason.
        """
        if error.key != "gpu_not_given":
            raise error
        self.tell(gpu_seconds=0)

    def fail(self, error: DemoError) -> None:
        """Say why it ended."""
        self.tell(state="failed", error=error)


def side_by_side(
    columns: Sequence[AnyColumn],
    work: Callable[[int, AnyColumn, Callable[[AnyColumn], None]], Work],
    cache: ModelCache,
    stop: CancelToken,
) -> Iterator[tuple[AnyColumn, ...]]:
    """Let all columns work at once.

    Args:
        columns: as they begin.
        work: makes a column's work from its place, the column, and whom it reports to.
        cache: where the models are loaded to.
        stop: set by Stop, for all or for one column; also set here when the consumer goes away.

    Yields:
        All columns, ten times a second or less often, and once more when the last is over. A column that
        fails carries its error and leaves the others alone.
    """
    queue = _Columns(columns)
    for place, column in enumerate(columns):
        worker = work(place, column, lambda new, i=place: queue.put(i, new))  # type: ignore[misc]
        worker.stop = stop.of_work(place)
        # In the context of the request: who lends a GPU counts it to the visitor that is named there.
        run = copy_context().run
        threading.Thread(target=run, args=(worker.run,), name=f"column-{place}", daemon=True).start()
    try:
        with _looking_on as lookers:
            shown = tuple(columns)
            yield shown
            while not all(column.over for column in shown):
                shown = queue.newest(lookers.seconds)
                yield tuple(_with_loading_time(column, cache) for column in shown)
    finally:
        stop.set()  # a closed tab: the workers end at their next step


class _Columns:
    """The newest columns of one comparison."""

    def __init__(self, columns: Sequence[Any]):
        self._columns = list(columns)
        self._news = threading.Event()

    def put(self, place: int, column: Any) -> None:
        """Take a column in the place of the one before; what begins or ends is news, one step more is not."""
        started = self._columns[place].has_started
        self._columns[place] = column
        if column.over or column.has_started != started:
            self._news.set()

    def newest(self, seconds: float) -> tuple[Any, ...]:
        """All columns, after this time, or as soon as there are news."""
        self._news.wait(seconds)
        self._news.clear()
        return tuple(self._columns)


class _LookingOn:
    """How many comparisons are being looked at, and how often each is shown."""

    def __init__(self) -> None:
        self._count, self._lock = 0, threading.Lock()

    def __enter__(self) -> "_LookingOn":
        with self._lock:
            self._count += 1
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._count -= 1

    @property
    def seconds(self) -> float:
        """Between two snapshots of one comparison."""
        return max(SNAPSHOT_SECONDS, self._count / MOST_SNAPSHOTS_PER_SECOND)


_looking_on = _LookingOn()


def _with_loading_time(column: AnyColumn, cache: ModelCache) -> AnyColumn:
    progress = cache.loading().get(column.model) if column.state == "loading" else None
    if progress is None:
        return column
    share = progress.fetched_bytes / progress.total_bytes if progress.total_bytes else None
    return replace(column, seconds=progress.seconds, fetched=share)


def time_slice_for(
    model: Any, cache: ModelCache, stop: CancelToken | ColumnToken | None = None
) -> AbstractContextManager[TimeSlice]:
    """A part in the turns for a small model, on one core; half of the cores for a large one.

    Args:
        model: that is about to work.
        cache: of the page's models, which hold the turns.
        stop: set where nothing more is wanted: a large model that waits then waits no longer.
    """
    from aigc_demo.core.device import cpu_quota, set_threads

    small = model.num_parameters < SMALL_PARAMETERS
    set_threads(processes=cpu_quota() if small else 2)
    return cache.time_slices.joined() if small else _large(stop)


_large_slots = threading.BoundedSemaphore(MOST_LARGE)


@contextmanager
def _large(stop: CancelToken | ColumnToken | None) -> Iterator[TimeSlice]:
    """A slot among the large models; none is needed to end at once."""
    taken = False
    while not taken and not (stop and stop.is_set()):
        taken = _large_slots.acquire(timeout=WAIT_SECONDS)
    try:
        yield TimeSlice()
    finally:
        if taken:
            _large_slots.release()
