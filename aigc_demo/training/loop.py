"""What every training has in common: steps until the budget is spent, and on the way measurements,
checkpoints, samples and a stop that is obeyed at once.

A loop says what happens and decides nothing about how that is shown; accelerate brings devices, mixed
precision and several processes.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.core.device import set_threads
from aigc_demo.core.errors import InputError
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
from aigc_demo.core.machine import machine_facts
from aigc_demo.core.process.worker import workers_beside, write_heartbeat
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.optimizers import spare_the_compiler
from aigc_demo.training.settings import Budget, LoopSettings
from aigc_demo.training.validation import Validation

# Scaling of float16 starts at 2^16 and is halved at every overflow: when it is down at 1, the gradients
# themselves are at fault.
MOST_OVERFLOWS = 16
# Up to this share of tokens that a model does not know, a text is nearly as good to it as one that it knows.
MOST_UNKNOWN = 0.01
STOP_ASKED = "told to stop"
SECONDS_BETWEEN_COUNTS = 2.0


class InterruptedValidationError(Exception):
    """Somebody wants the run to stop while it measures."""


class Corpus(Protocol):
    """What a run remembers of its data."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def sha256(self) -> str:
        """Of its content."""


class TrainingLoop(ABC):
    """One training: a generator of events.

    Args:
        corpus: what it is trained on.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        accelerator: devices, precision, processes.
    """

    def __init__(
        self,
        corpus: Corpus,
        settings: LoopSettings,
        budget: Budget,
        run: RunDirectory,
        accelerator: Accelerator,
    ):
        spare_the_compiler()
        if accelerator.mixed_precision == "fp16" and accelerator.scaler is None:
            # Here accelerate would compute in float32 and not say so.
            expected = "no, bf16 or auto without a GPU"
            raise InputError("setting_range", name="mixed_precision", expected=expected, got="fp16")
        self.corpus, self.loop_settings, self.budget, self.run = corpus, settings, budget, run
        self.accelerator = accelerator
        self.step, self.seconds, self.seconds_before = 0, 0.0, 0.0
        self.should_stop: Callable[[], bool] = lambda: False
        self.validation, self.validation_pending = Validation(), False
        self.overflows = 0
        self.workers, self.next_count = 1, 0.0
        # Of a run that goes on from another model: which, and the share of tokens that it does not know.
        self.init_name, self.unknown_share = "", 0.0

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the run's start tells: parameters, sizes of the data, the preparation's report."""

    def notices(self) -> list[tuple[str, dict[str, Any]]]:
        """What whoever starts the run should know of its data: keys of sentences and their values."""
        return []

    @abstractmethod
    def train_step(self) -> StepDone:
        """One step; counts it with `count_step`."""

    @abstractmethod
    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Measure on what is held out; nothing where the recipe has no such measure.

        Args:
            full: on all of it, as where a run pauses or ends.

        Raises:
            InterruptedValidationError: `check_stop` says so.
        """

    @abstractmethod
    def write_checkpoint(self, progress: dict[str, Any]) -> Path:
        """Write a whole checkpoint with these numbers in it; returns its folder."""

    @abstractmethod
    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """Put everything back as it was there; returns what `write_checkpoint` got, and `step`."""

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """What the model of a checkpoint makes, always from the same prompt or noise."""
        return iter(())

    def events(
        self, should_stop: Callable[[], bool] = lambda: False, *, resume_from: Path | None = None
    ) -> Iterator[TrainEvent]:
        """Train, and say what happens. Checkpoints are written before their event is given out.

        Args:
            should_stop: asked after each step, and while the model is measured or makes samples; True ends
                the run with a checkpoint and nothing else: who asks for it may not wait long. A measurement
                that was cut short is done when the run goes on.
            resume_from: the run's checkpoint to go on from.
        """
        self.should_stop = should_stop
        if resume_from is None:
            warnings = [Warned(self.step, key, values) for key, values in self.notices()]
        else:
            warnings = self._resume(resume_from)
        yield RunStarted(step=self.step, facts={**self.facts(), **self._beginning(), **self._surroundings()})
        yield from warnings + self._unknown_tokens()
        if resume_from is None or self.validation_pending:
            yield from self._validated(full=False)
        last_saved = None if resume_from is None else self.step
        reason = self._reason_to_end()
        while not reason:
            self._share_cores()
            done = self.train_step()
            yield done
            if not math.isfinite(done.loss) or self._gradients_overflowed(done.measures["gradient_norm"]):
                reason = "non-finite"
                break
            reason = self._reason_to_end()
            measures_now = self.step % self.loop_settings.validate_every == 0
            if reason == STOP_ASKED:
                self.validation_pending = measures_now
                break
            if reason or measures_now:
                yield from self._validated(full=bool(reason))
            if reason or self._checkpoint_due():
                saved = self._save()
                last_saved = self.step
                yield saved
                if self.accelerator.is_main_process:
                    yield from self.samples(saved)
        if reason != "non-finite" and last_saved != self.step:
            yield self._save()
        yield self._finished("stopped" if reason == STOP_ASKED else reason)

    def check_shares(self, batch_size: int, parts: int = 1) -> None:
        """Refuse a batch that the processes cannot work off in equal parts.

        Raises:
            InputError: it is one.
        """
        shares = self.accelerator.num_processes * parts
        if batch_size % shares:
            raise InputError("batch_not_shared", batch_size=batch_size, shares=shares)

    def local_rows(self, rows_B: Tensor) -> Tensor:
        """This process's rows of a batch, on its device."""
        parts = rows_B.chunk(self.accelerator.num_processes)
        return parts[self.accelerator.process_index].to(self.accelerator.device)

    def share_done(self) -> float:
        """How much of the run is done in the middle of the next step: no step is done at a rate of zero."""
        return self.budget.share_done(self.step + 0.5, self.seconds)

    def count_step(self, seconds: float) -> float:
        """Count a step that took so long; returns how long it took by the clock of all processes."""
        self.step += 1
        seconds = self._mean_seconds(seconds)
        self.seconds_before, self.seconds = self.seconds, self.seconds + seconds
        return seconds

    def step_optimizers(self, optimizers: list[Optimizer], *, finite: bool) -> None:
        """Go along the gradients, then drop them; never along one that is not finite: it spoils the weights.

        In float16 the scaler steps all optimisers first and is updated once: accelerate's own step updates it
        after each of them, and then divides the gradients of the next one by the scale a second time.
        """
        scaler = self.accelerator.scaler
        for optimizer in optimizers:
            if finite and scaler is None:
                optimizer.step()
            elif finite:
                scaler.step(optimizer.optimizer)  # type: ignore[attr-defined]
        if scaler is not None:
            scaler.update()
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def average_over_processes(self, network: nn.Module) -> None:
        """Equal gradients and equal batch norm statistics everywhere, so that all replicas stay identical.

        For networks that accelerate was not asked to wrap.
        """
        if self.accelerator.num_processes == 1:
            return
        held = (*(weight.grad for weight in network.parameters()), *network.buffers())
        tensors = [tensor for tensor in held if tensor is not None and tensor.is_floating_point()]
        # In one piece: a message costs more than what is in it.
        together = torch.cat([tensor.flatten().float() for tensor in tensors])
        together = self.accelerator.reduce(together, reduction="mean")
        for tensor, part in zip(tensors, together.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def _share_cores(self) -> None:
        """With every run that begins or ends beside this one, take this one's part of the threads."""
        if self.accelerator.num_processes > 1 or time.monotonic() < self.next_count:
            return
        self.next_count = time.monotonic() + SECONDS_BETWEEN_COUNTS
        workers = max(1, workers_beside(self.run.path))
        if workers != self.workers:
            self.workers = workers
            set_threads(workers)

    def heartbeat(self) -> None:
        """Tell whoever watches the run that it is at work."""
        if self.accelerator.is_main_process:
            write_heartbeat(self.run.path)

    def asked_to_stop(self) -> bool:
        """Whether to stop, asked in the midst of something long by the process that speaks."""
        self.heartbeat()
        return self.should_stop()

    def check_stop(self) -> None:
        """Between the parts of a measurement, in all processes.

        Raises:
            InterruptedValidationError: one of them was told to stop.
        """
        self.heartbeat()
        if self._any_process(self.should_stop()):
            raise InterruptedValidationError

    def _validated(self, *, full: bool) -> list[ValidationDone]:
        """Nothing where a stop cuts it short: then it is owed to whoever resumes."""
        try:
            found = self.validate(full=full)
        except InterruptedValidationError:
            self.validation_pending = True
            return []
        self.validation_pending = False
        for done in found:
            self.validation = self.validation.then(
                done.step, done.loss, done.measures.get("full_loss", math.nan)
            )
        return found

    def _checkpoint_due(self) -> bool:
        every = self.loop_settings.checkpoint_every
        if every is not None:
            return self.step % every == 0
        return self.budget.checkpoint_due(self.step, self.seconds, self.seconds_before)

    def _gradients_overflowed(self, gradient_norm: float) -> bool:
        """Whether gradients that are not finite end the run: in float16 not before a few in a row."""
        self.overflows = 0 if math.isfinite(gradient_norm) else self.overflows + 1
        return self.overflows > (MOST_OVERFLOWS if self.accelerator.scaler is not None else 0)

    def _save(self) -> CheckpointSaved:
        progress = {
            "seconds": self.seconds,
            "num_processes": self.accelerator.num_processes,
            "validation": asdict(self.validation),
            "validation_owed": self.validation_pending,
        }
        folder = self.write_checkpoint(progress)
        return CheckpointSaved(step=self.step, path=folder.relative_to(self.run.path).as_posix())

    def _resume(self, checkpoint: Path) -> list[Warned]:
        """Put everything back as it was; what will not be as it was is told."""
        progress = self.read_state(checkpoint)
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.validation = Validation(**progress["validation"])
        self.validation_pending = progress.get("validation_owed", False)
        if self.accelerator.is_main_process:
            self.run.rewind_events(self.step)
        old, new = progress["num_processes"], self.accelerator.num_processes
        return [] if old == new else [Warned(self.step, "other_processes", {"old": old, "new": new})]

    def _reason_to_end(self) -> str:
        """Why no further step is to be done, or "" to go on."""
        if self.budget.steps is not None and self.step >= self.budget.steps:
            return "finished"
        if self.budget.minutes is not None and self.seconds >= 60 * self.budget.minutes:
            return "time"
        if self.budget.stop_after is not None and self.step >= self.budget.stop_after:
            return "stopped"
        return STOP_ASKED if self._any_process(self.should_stop()) else ""

    def _mean_seconds(self, seconds: float) -> float:
        """One clock for all processes: rate and end of a run by minutes hang on it."""
        if self.accelerator.num_processes == 1:
            return seconds
        mine = torch.tensor(seconds, device=self.accelerator.device)
        return float(self.accelerator.reduce(mine, reduction="mean").item())

    def _any_process(self, stop: bool) -> bool:
        """Whether any process was told to stop: all must leave the loop at the same step."""
        if self.accelerator.num_processes == 1:
            return stop
        told: Tensor = torch.tensor(float(stop), device=self.accelerator.device)
        return bool(self.accelerator.reduce(told, reduction="sum").item())

    def _finished(self, reason: str) -> RunFinished:
        def known(loss: float) -> float | None:
            return loss if math.isfinite(loss) else None

        return RunFinished(
            step=self.step,
            reason=reason,
            validation_loss=known(self.validation.last),
            best_validation_loss=known(self.validation.best),
            best_step=self.validation.best_step,
            full_validation_loss=known(self.validation.full),
        )

    def _beginning(self) -> dict[str, Any]:
        return {"unknown_token_share": round(self.unknown_share, 6)} if self.init_name else {}

    def _unknown_tokens(self) -> list[Warned]:
        """What whoever goes on from a model should know before it trains."""
        if self.unknown_share < MOST_UNKNOWN:
            return []
        about = {"share": f"{100 * self.unknown_share:.1f}", "source": self.corpus.name}
        return [Warned(self.step, "unknown_tokens", {"model": Path(self.init_name).name, **about})]

    def _surroundings(self) -> dict[str, Any]:
        """What the run is trained on: machine, processes, precision, budget."""
        return {
            "device": str(self.accelerator.device),
            "machine": machine_facts(self.accelerator.device),
            "num_processes": self.accelerator.num_processes,
            "distributed_type": self.accelerator.distributed_type.value,
            "mixed_precision": self.accelerator.mixed_precision,
            "steps": self.budget.steps,
            "minutes": self.budget.minutes,
        }
