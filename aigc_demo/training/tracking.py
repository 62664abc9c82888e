"""A run's metrics for an experiment tracker, by accelerate's classes: one more consumer of events."""

import contextlib
import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.events import RunStarted, StepDone, TrainEvent, ValidationDone, Warned
from aigc_demo.core.proxies import configure_proxies
from aigc_demo.core.run_directory import LOGGER, RunDirectory

Tracker = Literal["trackio", "wandb", "tensorboard"]
PROJECT = "aigc-demo"


def check_tracker(name: Tracker) -> None:
    """Whether the tracker is there.

    Raises:
        InputError: it is not installed.
    """
    from accelerate.tracking import get_available_trackers

    if name not in {tracker.value for tracker in get_available_trackers()}:
        raise InputError("no_tracker", name=name)


@contextlib.contextmanager
def tracking(name: Tracker, run: RunDirectory, *, resumed: bool) -> Iterator["Tracking"]:
    """A tracker that takes a run's events, and is closed however the run ends.

    Args:
        name: which tracker; `check_tracker` said that it is there.
        run: whose configuration is logged first.
        resumed: whether it continues what it logged of this run before.
    """
    configure_proxies()  # its client would fail, and say why with the proxy's whole address
    tracker = Tracking(name, run, resumed=resumed)
    try:
        yield tracker
    finally:
        tracker.close()


class Tracking:
    """Passes numbers on; from its first failure on it passes none, and the training never notices."""

    def __init__(self, name: Tracker, run: RunDirectory, *, resumed: bool):
        self.name, self.run, self.resumed = name, run, resumed
        self.tracker: Any = None
        self.failed = False

    def take(self, event: TrainEvent) -> Warned | None:
        """Pass on what an event measures, at the run's own step.

        Returns:
            A warning, which is in the run's record too, where the tracker has just failed.
        """
        if self.failed:
            return None
        try:
            with contextlib.redirect_stdout(sys.stderr):  # standard output is for the run's own lines
                self._take(event)
        except Exception as error:  # a full disk, a server that is away, a mistake: none may end a training
            self.failed = True
            LOGGER.warning("%s failed", self.name, exc_info=True)
            detail = f"{type(error).__name__} {error}".split("\n")[0][:120].strip()
            warned = Warned(event.step, "tracker_failed", {"name": self.name, "detail": detail})
            with contextlib.suppress(DemoError):
                self.run.append(warned)
            return warned
        return None

    def _take(self, event: TrainEvent) -> None:
        if isinstance(event, RunStarted):
            tracker = self._new_tracker(event.step)
            tracker.start()
            self.tracker = tracker
            # The configuration last: a setting goes before a fact of its name.
            self.tracker.store_init_configuration(_plain({**event.facts, **self.run.config()}))
        elif isinstance(event, (StepDone, ValidationDone)):
            part = "train" if isinstance(event, StepDone) else "validation"
            measured = {"loss": event.loss, **event.metrics}
            self.tracker.log({f"{part}/{name}": value for name, value in measured.items()}, step=event.step)

    def _new_tracker(self, step: int) -> Any:
        """accelerate's tracker for this run, not started yet."""
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS

        new, place = LOGGER_TYPE_TO_CLASS[self.name], self.run.path.resolve()
        if self.name == "trackio":
            resume = "allow" if self.resumed else "never"
            # The run's numbers and nothing else: neither the machine's, nor a page in a notebook.
            return new(
                PROJECT, name=place.name, resume=resume, embed=False, auto_log_cpu=False, auto_log_gpu=False
            )
        if self.name == "wandb":
            settings = {"console": "off"}  # it would catch what is printed
            return new(
                PROJECT, name=place.name, id=self._id(), resume="allow", dir=str(place), settings=settings
            )
        return new("tensorboard", logging_dir=place, purge_step=step + 1)

    def _id(self) -> str:
        """The same for a run and its resumptions, another one for a new run in the same place."""
        created = (self.run.path / "config.json").stat().st_mtime_ns
        return hashlib.sha256(f"{self.run.path.resolve()} {created}".encode()).hexdigest()[:16]

    def close(self) -> None:
        """Let the tracker write what it still holds; only the log tells of a failure here."""
        if self.tracker is None:
            return
        # trackio's own function, since after accelerate's it would finish once more when Python ends.
        owner = importlib.import_module("trackio") if self.name == "trackio" else self.tracker
        try:
            with contextlib.redirect_stdout(sys.stderr):
                owner.finish()
        except Exception:
            LOGGER.warning("%s failed at the end", self.name, exc_info=True)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values without nesting, as trackers take them; what is not known is left out."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            inner = value if name == "settings" else {f"{name}_{part}": held for part, held in value.items()}
            found |= _plain(inner)
        elif isinstance(value, (bool, int, float, str)):
            found[name] = value
    return found
