"""Follows a run for all its viewers with one reader of its record.

What is drawn only ever grows, so a page need send no more than what is new; where a line is thinned, all of
it is drawn anew, once.
"""

import hmac
import math
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
    Warned,
)
from aigc_demo.core.files.manifest import step_of
from aigc_demo.studio.runs.chart_lines import Curves, Tail
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.patient_reads import PatientReads
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.run_view import CHECKPOINT, ChartRows, Row, RunView, chart_lines_of
from aigc_demo.studio.runs.samples import sample_image
from aigc_demo.studio.runs.state import RunState
from aigc_demo.studio.runs.visible_runs import checked_name
from aigc_demo.training.language_model.recipe import CURVES as LANGUAGE_MODEL
from aigc_demo.training.recipe import Curve
from aigc_demo.training.recipes import RECIPES

REFRESH_SECONDS = 0.25
MOST_SAMPLES = 20
MOST_WATCHED = 16
RATE_STEPS = 50
# How often a checkpoint that was announced is looked for; it may have been deleted since.
MOST_LOOKS = 40
# How high the mark of a checkpoint stands, of the range of the losses so far.
MARK_SHARE = 0.12
_IMAGES = secrets.token_bytes(32)


class RunWatch:
    """One run, watched by any number of viewers.

    Args:
        queue: which knows how the run stands.
        name: of the run.

    Raises:
        InputError: there is no run of that name.
    """

    def __init__(self, queue: RunQueue, name: str):
        self._queue, self._name, self._run = queue, name, queue.run(name)
        self._lock = threading.Lock()
        self._refreshed, self._outdated = -math.inf, -math.inf
        self._begin()
        self._view = RunView(queue.state(name), self._run)

    def _begin(self) -> None:
        """Reset to the state before the first read."""
        self._tail = Tail(self._run.events_path)
        self._checkpoints: tuple[int, ...] | None = None
        self._announced: int | None = None
        self._looks = 0
        self._config: dict[str, Any] = {}
        self._curves: Curves | None = None
        self._forget()

    def _forget(self) -> None:
        if self._curves is not None:
            self._curves = Curves(self._curves.curves)
        self._marks: list[Row] = []
        self._rows: dict[str, ChartRows] = {}
        self._samples: dict[int, SampleReady] = {}
        self._warnings: list[Warned] = []
        self._facts: dict[str, Any] = {}
        self._times: deque[tuple[int, float]] = deque(maxlen=RATE_STEPS)
        self._best: tuple[int, float] | None = None
        self._validation: float | None = None
        self._step = 0

    def outdate(self) -> None:
        """Invalidate the last view, after an action on the run."""
        self._outdated = time.monotonic()

    def view(self) -> RunView:
        """The run as it stands now; no older than a quarter of a second.

        Raises:
            InputError: the run was deleted.
        """
        with self._lock:
            now = time.monotonic()
            if self._refreshed <= self._outdated or now - self._refreshed >= REFRESH_SECONDS:
                self._refresh()
                self._refreshed = now  # when the look began: what happened meanwhile may not be in it
            return self._view

    def _refresh(self) -> None:
        seen_at = time.time()
        state = self._queue.state(self._name)  # before the record: what ended has then written all of it
        if not self._checkpoints or self._comes_late() or state.stands != self._view.state.stands:
            self._checkpoints = None  # to be looked for
        if not self._config:
            self._config = self._run.known_config()
        if self._curves is None and self._config:
            self._curves = Curves(_curves_of(self._config))
        if self._curves is not None:
            events, anew = self._tail.read()
            if anew:
                self._forget()
            self._curves.add(events)
            for event in events:
                self._note(event)
        job = Job.load(self._run.path)
        self._view = replace(self._image(state, job), seen_at=seen_at)

    def _comes_late(self) -> bool:
        """Whether the last recorded checkpoint is not visible yet: a disk may show it later."""
        self._looks += 1
        seen = self._announced is None or self._announced in (self._checkpoints or ())
        return not seen and self._looks <= MOST_LOOKS

    def _note(self, event: TrainEvent) -> None:
        self._step = max(self._step, event.step)
        match event:
            case StepDone(step=step, metrics=metrics):
                self._times.append((step, float(metrics.get("seconds") or 0.0)))
            case ValidationDone(step=step, loss=loss) if math.isfinite(loss):
                self._validation = loss
                if self._best is None or loss < self._best[1]:
                    self._best = (step, loss)
            case SampleReady():
                self._samples[event.step] = event
                if len(self._samples) > MOST_SAMPLES:
                    del self._samples[sorted(self._samples)[1]]  # the first stays: from there it came
            case CheckpointSaved(step=step):
                self._checkpoints = None
                self._announced, self._looks = step, 0
                self._mark(step)
            case RunStarted(facts=facts):
                self._facts = facts
            case Warned():
                self._warnings.append(event)
            case RunFinished():
                pass

    def _mark(self, step: int) -> None:
        """A short stroke at the foot of the first chart."""
        assert self._curves is not None
        first = self._curves.curves[0]
        values = [y for line in first.lines for _, y in self._curves.raw[first.name, line.name].points]
        if not values or min(values) == max(values):
            return
        low = min(values)
        top = low + MARK_SHARE * (max(values) - low)
        self._marks += [(step, low, CHECKPOINT), (step, top, CHECKPOINT), (step, None, CHECKPOINT)]

    def _image(self, state: RunState, job: Job | None) -> RunView:
        if self._checkpoints is None:
            self._checkpoints = tuple(step_of(path) for path in self._run.checkpoints())
        seconds = self._times[-1][1] if self._times else 0.0
        share, left = self._outlook(seconds)
        return RunView(
            state=state,
            run=self._run,
            recipe=str(self._config.get("recipe", "")) or (job.recipe if job else ""),
            command=job.command if job else "",
            charts=self._charts(),
            samples=tuple(self._samples[step] for step in sorted(self._samples)),
            facts=self._facts,
            warnings=tuple(self._warnings),
            seconds=seconds,
            seconds_left=left if state.under_way else None,
            share=1.0 if state.stands in ("finished", "time") else share,
            validation_loss=self._validation,
            best=self._best,
            steps=_positive(self._config.get("steps"), int),
            checkpoints=self._checkpoints,
        )

    def _charts(self) -> dict[str, Sequence[Row]]:
        if self._curves is None:
            return {}
        for number, curve in enumerate(self._curves.curves):
            if curve.name not in self._rows:
                self._rows[curve.name] = ChartRows(
                    chart_lines_of(self._curves, curve), self._marks if number == 0 else ()
                )
        return {name: rows.update() for name, rows in self._rows.items()}

    def _outlook(self, seconds: float) -> tuple[float, float | None]:
        """How much of the run is done, and how many seconds it still takes."""
        minutes = _positive(self._config.get("minutes"), float)
        steps = _positive(self._config.get("steps"), int)
        if minutes is not None:
            return min(1.0, seconds / (60 * minutes)), max(0.0, 60 * minutes - seconds)
        if steps is None:
            return 0.0, None
        share = min(1.0, self._step / steps)
        if len(self._times) < 2 or self._times[-1][0] <= self._times[0][0]:
            return share, None
        (first, then), (last, now) = self._times[0], self._times[-1]
        return share, max(0.0, (steps - last) * (now - then) / (last - first))


class RunWatches:
    """The runs that are being watched; who has not been looked at for long is forgotten first.

    Args:
        queue: where the runs are.
    """

    def __init__(self, queue: RunQueue):
        self.queue = queue
        self._lock = threading.Lock()
        self._watched: OrderedDict[str, tuple[tuple[int, int], RunWatch]] = OrderedDict()
        self._views: PatientReads[str, RunView] = PatientReads(self._look, most_kept=MOST_WATCHED)
        self._images: PatientReads[tuple[str, int], bytes | None] = PatientReads(
            lambda asked: sample_image(queue.run(asked[0]), asked[1]), most_kept=0
        )

    def view(self, name: Any, *, fresh: bool = False) -> RunView:
        """A run as it stands now; where its disk does not answer in time, as it was seen last.

        Args:
            name: of the run.
            fresh: not from before this call, as after something was done to the run.

        Raises:
            InputError: there is no run of that name.
            DemoError: its disk does not answer, and it was never seen before.
        """
        self.queue.check_seen(name)
        if fresh:
            with self._lock:
                known = self._watched.get(checked_name(name))
            if known is not None:
                known[1].outdate()
        return self._views.get(checked_name(name), share=not fresh)

    def sample_image(self, name: str, step: int, key: str) -> bytes | None:
        """The sample image of a step as PNG; None where there is no such run or image, or none yet.

        Args:
            name: of the run.
            step: of its checkpoint.
            key: by `image_key`: a browser asks for an image without saying who it is.
        """
        if not hmac.compare_digest(key.encode("utf-8", "replace"), image_key(name).encode()):
            return None
        try:
            return self._images.get((checked_name(name), step))
        except DemoError:
            return None

    def _look(self, name: str) -> RunView:
        """On the disk itself, in a thread of its own; nobody else's run waits for it."""
        facts = self.queue.run(name).path.stat()
        identity = (facts.st_dev, facts.st_ino)  # a name may be given again
        with self._lock:
            known = self._watched.get(name)
        watch = known[1] if known is not None and known[0] == identity else RunWatch(self.queue, name)
        with self._lock:
            known = self._watched.get(name)
            if known is not None and known[0] == identity:
                watch = known[1]  # another look was faster
            self._watched[name] = (identity, watch)
            self._watched.move_to_end(name)
            while len(self._watched) > MOST_WATCHED:
                self._watched.popitem(last=False)
        return watch.view()


def image_key(name: str) -> str:
    """What the address of a run's images ends with: known to those who were shown the run."""
    return hmac.digest(_IMAGES, name.encode("utf-8", "replace"), "sha256").hex()[:32]


def _curves_of(config: dict[str, Any]) -> tuple[Curve, ...]:
    recipe = RECIPES.get(str(config.get("recipe")))
    return recipe.curves if recipe else LANGUAGE_MODEL


def _positive(value: Any, kind: type) -> Any:
    """A number of an uploaded configuration, if it is one."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return kind(value) if good and value > 0 else None
