"""Several models generate concurrently, each in a column of its own.

Each model runs in a thread and publishes its newest column; one generator yields snapshots of all columns: at
once where a column starts or ends, otherwise ten times a second, and less often where many visitors watch.
Small models share the processor in time slices (`time_slices.py`), and a column's time is that of its own
slices; of the large ones a few run at the same time.
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
# Large models that run at the same time: they share the cores, and each takes memory.
MOST_LARGE = 4
WAIT_SECONDS = 0.1
SMALL_PARAMETERS = 30_000_000
"""Models with fewer parameters get time slices. Measured: time slices are faster with 5 million parameters,
parallel threads with 124 million."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)  # each kind of column defines its own equality
class Progressing:
    """The state of a column, whatever it generates.

    Attributes:
        model: the name by which it was requested.
        state: waiting, loading, running, then one of finished, stopped and failed.
    """

    model: str
    state: State

    @property
    def has_started(self) -> bool:
        """Whether there is any output yet."""
        return False

    @property
    def over(self) -> bool:
        """Whether it is in a final state."""
        return self.state in ("finished", "stopped", "failed")


AnyColumn = TypeVar("AnyColumn", bound=Any)


class Work(ABC):
    """The worker of one column, in a thread of its own.

    Args:
        column: its state, a frozen dataclass with `model`, `state`, `error`, `seconds` and `fetched`.
        cache: of the models.
        stop: set where the column is cancelled.
        report: called with each new column.
    """

    def __init__(
        self, column: Any, cache: ModelCache, stop: CancelToken, report: Callable[[Any], None]
    ) -> None:
        self.column, self.cache, self._report = column, cache, report
        self.stop: CancelToken | ColumnToken = stop

    def run(self) -> None:
        """Run to a final state; an error is shown in the column."""
        try:
            self.do()
        except DemoError as error:
            self._end(error)
        except BaseException:  # a library's panic (pyo3) is no Exception; the column must end all the same
            log.exception("%s failed", self.column.model)
            self._end(DemoError("column_failed", model=self.column.model))

    def _end(self, error: DemoError) -> None:
        """End with an error; where collecting the output so far fails too, the column ends without it."""
        try:
            self.fail(error)
        except BaseException:
            log.exception("%s failed twice", self.column.model)
            self.update(state="failed", error=error)

    @abstractmethod
    def do(self) -> None:
        """Generate; must end in a final state."""

    def update(self, **changes: Any) -> None:
        """Change the column and report it."""
        self.column = replace(self.column, **changes)
        self._report(self.column)

    def asks_gpu(self, task: gpu.Task) -> bool:
        """Whether a task goes to a GPU; the column then shows for how long one is requested."""
        if not gpu.wants(task):
            return False
        self.update(gpu_seconds=task.seconds)
        return True

    def without_gpu(self, error: DemoError) -> None:
        """Fall back to the CPU where no GPU was granted, and show it.

        Raises:
            DemoError: the task failed for another reason.
        """
        if error.key != "gpu_not_given":
            raise error
        self.update(gpu_seconds=0)

    def fail(self, error: DemoError) -> None:
        """End with this error."""
        self.update(state="failed", error=error)


def side_by_side(
    columns: Sequence[AnyColumn],
    work: Callable[[int, AnyColumn, Callable[[AnyColumn], None]], Work],
    cache: ModelCache,
    stop: CancelToken,
) -> Iterator[tuple[AnyColumn, ...]]:
    """Run all columns concurrently.

    Args:
        columns: in their initial state.
        work: creates the worker of a column from its index, the column, and the function it reports to.
        cache: of the models.
        stop: set by Stop, for all or for one column; also set here when the consumer goes away.

    Yields:
        All columns, ten times a second or less often, and once more when the last is over. A column that
        fails carries its error and leaves the others alone.
    """
    queue = _Columns(columns)
    for place, column in enumerate(columns):
        worker = work(place, column, lambda new, i=place: queue.put(i, new))  # type: ignore[misc]
        worker.stop = stop.of_work(place)
        # In the context of the request: a lent GPU is charged to the visitor named there.
        run = copy_context().run
        threading.Thread(target=run, args=(worker.run,), name=f"column-{place}", daemon=True).start()
    try:
        with _viewers as viewers:
            shown = tuple(columns)
            yield shown
            while not all(column.over for column in shown):
                shown = queue.newest(viewers.seconds)
                yield tuple(_with_loading_time(column, cache) for column in shown)
    finally:
        stop.set()  # a closed tab: the workers end at their next step


class _Columns:
    """The newest columns of one comparison, shared between its threads."""

    def __init__(self, columns: Sequence[Any]):
        self._columns = list(columns)
        self._changed = threading.Event()

    def put(self, place: int, column: Any) -> None:
        """Replace a column; a start or an end wakes the consumer, one more step does not."""
        started = self._columns[place].has_started
        self._columns[place] = column
        if column.over or column.has_started != started:
            self._changed.set()

    def newest(self, seconds: float) -> tuple[Any, ...]:
        """All columns, after this time or as soon as one starts or ends."""
        self._changed.wait(seconds)
        self._changed.clear()
        return tuple(self._columns)


class _Viewers:
    """How many comparisons are being watched, and the interval of their snapshots."""

    def __init__(self) -> None:
        self._count, self._lock = 0, threading.Lock()

    def __enter__(self) -> "_Viewers":
        with self._lock:
            self._count += 1
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._count -= 1

    @property
    def seconds(self) -> float:
        """Interval between two snapshots of one comparison."""
        return max(SNAPSHOT_SECONDS, self._count / MOST_SNAPSHOTS_PER_SECOND)


_viewers = _Viewers()


def _with_loading_time(column: AnyColumn, cache: ModelCache) -> AnyColumn:
    progress = cache.loading().get(column.model) if column.state == "loading" else None
    if progress is None:
        return column
    share = progress.fetched_bytes / progress.total_bytes if progress.total_bytes else None
    return replace(column, seconds=progress.seconds, fetched=share)


def time_slice_for(
    model: Any, cache: ModelCache, stop: CancelToken | ColumnToken | None = None
) -> AbstractContextManager[TimeSlice]:
    """Time slices on one core for a small model; half of the cores, without slices, for a large one.

    Args:
        model: about to run.
        cache: of the page's models, which has the scheduler.
        stop: the cancel token, which ends a large model's wait for a slot.
    """
    from aigc_demo.core.device import cpu_quota, set_threads

    small = model.num_parameters < SMALL_PARAMETERS
    set_threads(processes=cpu_quota() if small else 2)
    return cache.time_slices.joined() if small else _large(stop)


_large_slots = threading.BoundedSemaphore(MOST_LARGE)


@contextmanager
def _large(stop: CancelToken | ColumnToken | None) -> Iterator[TimeSlice]:
    """A slot among the large models; a cancelled one takes none."""
    taken = False
    while not taken and not (stop and stop.is_set()):
        taken = _large_slots.acquire(timeout=WAIT_SECONDS)
    try:
        yield TimeSlice()
    finally:
        if taken:
            _large_slots.release()
