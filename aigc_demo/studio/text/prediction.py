"""Several models on one input, each in a column with one result."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.studio.models.cancellation import CancelToken
from aigc_demo.studio.models.model_cache import ModelCache, weights_mib
from aigc_demo.studio.models.side_by_side import Progressing, Work, side_by_side, time_slice_for

Compute = Callable[[Any, Callable[[], bool]], Any]
"""From a model, and whether the column is cancelled, to its result."""


@dataclass(frozen=True)
class PredictionColumn(Progressing):
    """Output of one model.

    Attributes:
        result: what it computed; None before that.
        seconds: spent loading while it loads, then spent computing.
        memory_mib: what its weights take.
        num_parameters: of them.
        fetched: the share of the model that has come over the network; None where none has to.
        error: why it failed.
    """

    result: Any = None
    seconds: float = 0.0
    memory_mib: float | None = None
    num_parameters: int | None = None
    fetched: float | None = None
    error: DemoError | None = None

    @property
    def has_started(self) -> bool:
        """Whether there is a result."""
        return self.result is not None


class _Predictor(Work):
    """The worker of such a column."""

    def __init__(self, compute: Compute, *rest: Any):
        super().__init__(*rest)
        self._compute = compute

    def do(self) -> None:
        """As Work."""
        self.update(state="loading")
        model = self.cache.get(self.column.model)
        self.update(
            state="running",
            seconds=0.0,
            memory_mib=weights_mib(model),
            num_parameters=model.num_parameters,
        )
        with time_slice_for(model, self.cache, self.stop):
            started = time.perf_counter()
            result = None if self.stop.is_set() else self._compute(model, self.stop.is_set)
        stopped = self.stop.is_set()
        seconds = time.perf_counter() - started
        self.update(state="stopped" if stopped else "finished", result=result, seconds=seconds)


def predict_side_by_side(
    models: Sequence[str], compute: Compute, cache: ModelCache, stop: CancelToken
) -> Iterator[tuple[PredictionColumn, ...]]:
    """Compute a result with each of several models concurrently.

    Args:
        models: names from the catalog.
        compute: is called once for each model.
        cache: where the models are, or are loaded to.
        stop: set by Stop; also set here when the consumer goes away.

    Yields:
        As `side_by_side`.
    """
    columns = [PredictionColumn(name, "waiting") for name in models]

    def worker(place: int, column: Any, report: Callable[[Any], None]) -> Work:
        return _Predictor(compute, column, cache, stop, report)

    yield from side_by_side(columns, worker, cache, stop)
