"""Several models at work at the same time, each in a column of its own.

Each model works in a thread of its own and reports into one queue; one generator turns the reports into
whole pictures of all columns, at most ten a second. Small models take turns at the processor (turns.py),
and a column's time is that of its own turns.
"""

import logging
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from aigc_demo.core.errors import DemoError
from aigc_demo.studio import gpu
from aigc_demo.studio.model_cache import ModelCache
from aigc_demo.studio.turns import Turn

State = Literal["waiting", "loading", "running", "finished", "stopped", "failed"]
PICTURE_SECONDS = 0.1
SMALL_PARAMETERS = 30_000_000
"""Models with fewer parameters take turns. Measured: with 5 million turns are faster, with 124 million
running side by side is."""

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
        report: told each new column.
    """

    def __init__(
        self, column: Any, cache: ModelCache, stop: threading.Event, report: Callable[[Any], None]
    ) -> None:
        self.column, self.cache, self.stop, self._report = column, cache, stop, report

    def run(self) -> None:
        """All of it; what fails is told in the column."""
        try:
            self.do()
        except DemoError as error:
            self.fail(error)
        except Exception:
            log.exception("%s failed", self.column.model)
            self.fail(DemoError("column_failed", model=self.column.model))

    @abstractmethod
    def do(self) -> None:
        """The work itself; its last word is a state that is over."""

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
    stop: threading.Event,
) -> Iterator[tuple[AnyColumn, ...]]:
    """Let all columns work at once.

    Args:
        columns: as they begin.
        work: makes a column's work from its place, the column, and whom it reports to.
        cache: where the models are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        All columns, at most ten times a second, and once more when the last is over. A column that fails
        carries its error and leaves the others alone.
    """
    reports: queue.SimpleQueue[tuple[int, AnyColumn]] = queue.SimpleQueue()
    shown = list(columns)
    for place, column in enumerate(columns):
        worker = work(place, column, lambda new, i=place: reports.put((i, new)))  # type: ignore[misc]
        # In the context of the request: who lends a GPU counts it to the visitor that is named there.
        run = copy_context().run
        threading.Thread(target=run, args=(worker.run,), name=f"column-{place}", daemon=True).start()
    try:
        yield tuple(shown)
        while not all(column.over for column in shown):
            time.sleep(PICTURE_SECONDS / 2)  # at most ten pictures a second, with the wait below
            _take(reports, shown, PICTURE_SECONDS * 5)
            time.sleep(PICTURE_SECONDS / 2)
            _take(reports, shown, 0)
            yield tuple(_with_loading_time(column, cache) for column in shown)
    finally:
        stop.set()  # a closed tab: the workers end at their next step


def _take(reports: "queue.SimpleQueue[tuple[int, AnyColumn]]", columns: list[AnyColumn], wait: float) -> None:
    """Take all reports there are; where there is none, wait for one as long as told."""
    try:
        place, column = reports.get(timeout=wait) if wait else reports.get_nowait()
        while True:
            columns[place] = column
            place, column = reports.get_nowait()
    except queue.Empty:
        return


def _with_loading_time(column: AnyColumn, cache: ModelCache) -> AnyColumn:
    progress = cache.loading().get(column.model) if column.state == "loading" else None
    if progress is None:
        return column
    share = progress.fetched_bytes / progress.total_bytes if progress.total_bytes else None
    return replace(column, seconds=progress.seconds, fetched=share)


def turn_for(model: Any, cache: ModelCache) -> AbstractContextManager[Turn]:
    """A part in the turns for a small model, on one core; half of the cores for a large one."""
    from aigc_demo.core.device import cpu_quota, set_threads

    small = model.num_parameters < SMALL_PARAMETERS
    set_threads(processes=cpu_quota() if small else 2)
    return cache.turns.joined() if small else nullcontext(Turn())
