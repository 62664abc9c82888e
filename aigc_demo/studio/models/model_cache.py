"""One cache for all models of the page, with a limit to its memory.

A model is loaded at its first use, once even if two visitors ask at the same moment; when the limit is
passed, the one that was used longest ago leaves. Models are read only, so visitors share them.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from aigc_demo.core.library_imports import importing
from aigc_demo.generators.kinds import KINDS
from aigc_demo.studio.models.catalog import Catalog, Choice
from aigc_demo.studio.models.time_slices import TimeSlices

DEFAULT_LIMIT_MIB = 4096.0
Load = Callable[[str, Callable[[int, int], None]], Any]


@dataclass
class _Shelf:
    model: Any
    memory_mib: float


@dataclass(frozen=True)
class Progress:
    """How far the loading of a model is. `total_bytes` is 0 where nothing has to be fetched."""

    seconds: float
    fetched_bytes: int = 0
    total_bytes: int = 0


class _Loading:
    """A model being loaded: a future for its waiters, and its progress."""

    def __init__(self) -> None:
        self.future: Future[Any] = Future()
        self.started = time.monotonic()
        self.fetched = (0, 0)

    def report(self, fetched_bytes: int, total_bytes: int) -> None:
        self.fetched = (fetched_bytes, total_bytes)

    def progress(self) -> Progress:
        return Progress(time.monotonic() - self.started, *self.fetched)


class ModelCache:
    """Models by name, an LRU cache of at most `limit_mib`; thread-safe.

    Args:
        limit_mib: how much memory the models may take together. One that is larger than the limit is kept
            alone, since without it nothing could be shown.
        load: makes a model from its name, and reports (bytes fetched, bytes in all) if it fetches any; by
            default one from the catalog, of whichever kind.
        catalog: what the names stand for.

    Attributes:
        catalog: the same.
        time_slices: of the CPU, for small models.
    """

    def __init__(
        self, limit_mib: float | None = None, load: Load | None = None, catalog: Catalog | None = None
    ):
        self.limit_mib = _limit_from_environment() if limit_mib is None else limit_mib
        self.time_slices = TimeSlices()
        self.catalog = catalog or Catalog()
        self._load = load or self._load_by_name
        self._lock = threading.Lock()
        self._models: OrderedDict[str, _Shelf] = OrderedDict()
        self._loading: dict[str, _Loading] = {}

    def get(self, name: str) -> Any:
        """The model of this name, loaded now if it is not there; blocks until it is.

        Raises:
            InputError: it is of a run that whoever asks may not see.
            DemoError: it cannot be loaded; the next call tries again.
        """
        self.catalog.check_seen(name)
        with self._lock:
            if name in self._models:
                self._models.move_to_end(name)
                return self._models[name].model
            mine = name not in self._loading
            loading = self._loading.setdefault(name, _Loading())
        if mine:
            self._fill(name, loading)
        return loading.future.result()

    def holds(self, name: str) -> bool:
        """Whether the model is in memory now."""
        with self._lock:
            return name in self._models

    def names(self) -> list[str]:
        """The models in memory, the one used longest ago first."""
        with self._lock:
            return list(self._models)

    def loading(self) -> dict[str, Progress]:
        """Progress of the models that are being loaded."""
        with self._lock:
            return {name: loading.progress() for name, loading in self._loading.items()}

    def memory_mib(self) -> float:
        """What the models in memory take together."""
        with self._lock:
            return sum(shelf.memory_mib for shelf in self._models.values())

    def _load_by_name(self, name: str, report: Callable[[int, int], None]) -> Any:
        return load_model(self.catalog.choice(name), report)

    def _fill(self, name: str, loading: _Loading) -> None:
        """Load outside the lock, so that others can use what is there."""
        try:
            model = self._load(name, loading.report)
            memory_mib = weights_mib(model)
        except BaseException as error:
            with self._lock:
                del self._loading[name]
            loading.future.set_exception(error)
            return
        with self._lock:
            del self._loading[name]
            self._models[name] = _Shelf(model, memory_mib)
            self._make_room()
        loading.future.set_result(model)

    def _make_room(self) -> None:
        while len(self._models) > 1 and sum(s.memory_mib for s in self._models.values()) > self.limit_mib:
            self._models.popitem(last=False)


def weights_mib(model: Any) -> float:
    """Memory of a model's weights, by its own figure or four bytes a parameter."""
    known = getattr(model, "memory_mib", None)
    if known is not None:
        return float(known)
    count = getattr(model, "num_parameters", None)
    if count is None:  # a network of torch's, as it is
        count = sum(weight.numel() for weight in model.parameters())
    return float((count() if callable(count) else count) * 4 / 2**20)


def _limit_from_environment() -> float:
    try:
        return float(os.environ["AIGC_DEMO_MODELS_MIB"])
    except (KeyError, ValueError):
        return DEFAULT_LIMIT_MIB


def load_model(choice: Choice, progress: Callable[[int, int], None]) -> Any:
    """A model of whichever kind; imports torch and its library, so the page is up before this runs.

    Args:
        choice: which one, and on which network.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        DemoError: it cannot be loaded.
    """
    if choice.entry.problem is not None:
        raise choice.entry.problem
    if choice.entry.family != "pretrained":
        with importing():
            return _loaded(choice, progress)
    with importing():
        for name in KINDS[choice.entry.kind].libraries:
            import_module(name)
    return _loaded(choice, progress)


def _loaded(choice: Choice, progress: Callable[[int, int], None]) -> Any:
    from aigc_demo.core.device import set_threads

    set_threads(processes=2)  # two columns work side by side
    load = KINDS[choice.entry.kind].loader()
    network = {"on_ours": True} if choice.on_ours else {}
    return load(choice.entry, progress=progress, **network)
