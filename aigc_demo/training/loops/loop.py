"""What every training has in common: steps until the budget is spent, and on the way validations,
checkpoints, samples and a stop at once.

A loop yields events and decides nothing about how they are shown; accelerate provides devices, mixed
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
from aigc_demo.training.loops.validation import Validation
from aigc_demo.training.settings import Budget, LoopSettings

# Scaling of float16 starts at 2^16 and is halved at every overflow: when it is down at 1, the gradients
# themselves are at fault.
MAX_OVERFLOWS = 16
# Below this share of unknown tokens a text is nearly as good for a model as one of known tokens alone.
MAX_UNKNOWN_SHARE = 0.01
STOP_ASKED = "stop asked"
SECONDS_BETWEEN_COUNTS = 2.0


class InterruptedValidationError(Exception):
    """The run is to stop in the midst of a validation."""


class Corpus(Protocol):
    """What a run records of its data."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def sha256(self) -> str:
        """Hash of its content."""


class TrainingLoop(ABC):
    """One training: a generator of events.

    Args:
        corpus: data for training and validation.
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
        # With --init: the model's name, and the share of tokens outside its vocabulary.
        self.init_name, self.unknown_share = "", 0.0

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Facts of the run's start: number of parameters, sizes of the data, report of the preparation."""

    def notices(self) -> list[tuple[str, dict[str, Any]]]:
        """Warnings about the data: keys of sentences and their values."""
        return []

    @abstractmethod
    def train_step(self) -> StepDone:
        """One step; counts it with `count_step`."""

    @abstractmethod
    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Metrics on held-out data; nothing where the recipe has none.

        Args:
            full: on all held-out data too, as where a run pauses or ends.

        Raises:
            InterruptedValidationError: the run is to stop.
        """

    @abstractmethod
    def write_checkpoint(self, progress: dict[str, Any]) -> Path:
        """Write a checkpoint with these numbers in it; returns its folder."""

    @abstractmethod
    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """Restore the training state; returns the numbers that `write_checkpoint` got, and `step`."""

    def samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        """Samples of a checkpoint's model, always from the same prompt or noise."""
        return iter(())

    def events(
        self, should_stop: Callable[[], bool] = lambda: False, *, resume_from: Path | None = None
    ) -> Iterator[TrainEvent]:
        """Train, and yield events. Checkpoints are written before their event is yielded.

        Args:
            should_stop: asked after each step, and during validation and sampling; True ends the run with a
                checkpoint and nothing else, without delay. A validation that was interrupted is done when
                the run is resumed.
            resume_from: checkpoint of the run to resume from.
        """
        self.should_stop = should_stop
        if resume_from is None:
            warnings = [Warned(self.step, key, values) for key, values in self.notices()]
        else:
            warnings = self._resume(resume_from)
        yield RunStarted(step=self.step, facts={**self.facts(), **self._init_facts(), **self._surroundings()})
        yield from warnings + self._unknown_tokens()
        if resume_from is None or self.validation_pending:
            yield from self._validated(full=False)
        last_saved = None if resume_from is None else self.step
        reason = self._reason_to_end()
        while not reason:
            self._share_cores()
            done = self.train_step()
            yield done
            if not math.isfinite(done.loss) or self._gradients_overflowed(done.metrics["gradient_norm"]):
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
        """Refuse a batch that the processes cannot split into equal parts.

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
        """Share of the run at the middle of the next step, so that no learning rate is zero."""
        return self.budget.share_done(self.step + 0.5, self.seconds)

    def count_step(self, seconds: float) -> float:
        """Count a step; returns its seconds as a mean over all processes."""
        self.step += 1
        seconds = self._mean_seconds(seconds)
        self.seconds_before, self.seconds = self.seconds, self.seconds + seconds
        return seconds

    def step_optimizers(self, optimizers: list[Optimizer], *, finite: bool) -> None:
        """Step along the gradients, if they are finite, then free them.

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
        """Average gradients and batch norm statistics over processes, so that all replicas stay identical.

        For networks that accelerate was not asked to wrap.
        """
        if self.accelerator.num_processes == 1:
            return
        held = (*(weight.grad for weight in network.parameters()), *network.buffers())
        tensors = [tensor for tensor in held if tensor is not None and tensor.is_floating_point()]
        # In one tensor: a message costs more than its content.
        together = torch.cat([tensor.flatten().float() for tensor in tensors])
        together = self.accelerator.reduce(together, reduction="mean")
        for tensor, part in zip(tensors, together.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def _share_cores(self) -> None:
        """Adapt the number of threads to the runs that train at the same time."""
        if self.accelerator.num_processes > 1 or time.monotonic() < self.next_count:
            return
        self.next_count = time.monotonic() + SECONDS_BETWEEN_COUNTS
        workers = max(1, workers_beside(self.run.path))
        if workers != self.workers:
            self.workers = workers
            set_threads(workers)

    def heartbeat(self) -> None:
        """Record that the run is alive."""
        if self.accelerator.is_main_process:
            write_heartbeat(self.run.path)

    def asked_to_stop(self) -> bool:
        """Whether to stop, asked in the midst of something long by the main process."""
        self.heartbeat()
        return self.should_stop()

    def check_stop(self) -> None:
        """Called between the parts of a validation, in all processes.

        Raises:
            InterruptedValidationError: one of them is to stop.
        """
        self.heartbeat()
        if self._any_process(self.should_stop()):
            raise InterruptedValidationError

    def _validated(self, *, full: bool) -> list[ValidationDone]:
        """A validation; one that is interrupted is done when the run is resumed."""
        try:
            found = self.validate(full=full)
        except InterruptedValidationError:
            self.validation_pending = True
            return []
        self.validation_pending = False
        for done in found:
            self.validation = self.validation.then(
                done.step, done.loss, done.metrics.get("full_loss", math.nan)
            )
        return found

    def _checkpoint_due(self) -> bool:
        every = self.loop_settings.checkpoint_every
        if every is not None:
            return self.step % every == 0
        return self.budget.checkpoint_due(self.step, self.seconds, self.seconds_before)

    def _gradients_overflowed(self, gradient_norm: float) -> bool:
        """Whether non-finite gradients end the run: in float16 only a few in a row."""
        self.overflows = 0 if math.isfinite(gradient_norm) else self.overflows + 1
        return self.overflows > (MAX_OVERFLOWS if self.accelerator.scaler is not None else 0)

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
        """Restore the run's state; returns warnings of what differs now."""
        progress = self.read_state(checkpoint)
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.validation = Validation(**progress["validation"])
        self.validation_pending = progress.get("validation_owed", False)
        if self.accelerator.is_main_process:
            self.run.rewind_events(self.step)
        old, new = progress["num_processes"], self.accelerator.num_processes
        return [] if old == new else [Warned(self.step, "other_processes", {"old": old, "new": new})]

    def _reason_to_end(self) -> str:
        """Why the run ends, or "" to continue."""
        if self.budget.steps is not None and self.step >= self.budget.steps:
            return "finished"
        if self.budget.minutes is not None and self.seconds >= 60 * self.budget.minutes:
            return "time"
        if self.budget.stop_after is not None and self.step >= self.budget.stop_after:
            return "stopped"
        return STOP_ASKED if self._any_process(self.should_stop()) else ""

    def _mean_seconds(self, seconds: float) -> float:
        """Mean over processes: learning rate and end of a run by minutes depend on it."""
        if self.accelerator.num_processes == 1:
            return seconds
        local = torch.tensor(seconds, device=self.accelerator.device)
        return float(self.accelerator.reduce(local, reduction="mean").item())

    def _any_process(self, stop: bool) -> bool:
        """Whether any process is to stop: all must leave the loop at the same step."""
        if self.accelerator.num_processes == 1:
            return stop
        flag: Tensor = torch.tensor(float(stop), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, reduction="sum").item())

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

    def _init_facts(self) -> dict[str, Any]:
        return {"unknown_token_share": round(self.unknown_share, 6)} if self.init_name else {}

    def _unknown_tokens(self) -> list[Warned]:
        """A warning where the model of --init does not know the data's tokens."""
        if self.unknown_share < MAX_UNKNOWN_SHARE:
            return []
        about = {"share": f"{100 * self.unknown_share:.1f}", "source": self.corpus.name}
        return [Warned(self.step, "unknown_tokens", {"model": Path(self.init_name).name, **about})]

    def _surroundings(self) -> dict[str, Any]:
        """Machine, processes, precision, budget."""
        return {
            "device": str(self.accelerator.device),
            "machine": machine_facts(self.accelerator.device),
            "num_processes": self.accelerator.num_processes,
            "distributed_type": self.accelerator.distributed_type.value,
            "mixed_precision": self.accelerator.mixed_precision,
            "steps": self.budget.steps,
            "minutes": self.budget.minutes,
        }
