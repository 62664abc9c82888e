"""Training a language model to predict the next token: a generator of events.

The same loop trains ours and the library baseline. It says what happens and decides nothing about how
that is shown; accelerate brings devices, mixed precision, accumulation and several processes.
"""

# Shapes: B rows of a batch, T tokens of a row, V vocabulary.

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from aigc_demo.core.device import precision
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
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.core.worker import beat
from aigc_demo.data.text import TextCorpus
from aigc_demo.nets.transformer import next_token_loss
from aigc_demo.training.batches import Batches
from aigc_demo.training.checkpoint import Trained, load_state, save_checkpoint, writable_copy
from aigc_demo.training.optimizers import optimizers_for, rate_factor
from aigc_demo.training.settings import Budget, LanguageModelSettings
from aigc_demo.training.sharding import sharding_plugin
from aigc_demo.training.validation import Validation, validation_loss

# Scaling of float16 starts at 2^16 and is halved at every overflow: when it is down at 1, the gradients
# themselves are at fault.
MOST_OVERFLOWS = 16
TOLD = "told to stop"


class _CutShortError(Exception):
    """Somebody wants the run to stop while it measures."""


class LanguageModelTraining:
    """One training of one language model.

    Args:
        model: from token ids [B, T] to logits [B, T, V], or to an output that has `.logits`.
        corpus: what it is trained and measured on.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and dropout.
        sample: what the model in a checkpoint's folder writes; asked on the way whether to stop. None for
            no samples.
    """

    def __init__(
        self,
        model: nn.Module,
        corpus: TextCorpus,
        settings: LanguageModelSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
        sample: Callable[[Path, Callable[[], bool]], str] | None = None,
    ):
        self.corpus, self.settings, self.budget, self.run = corpus, settings, budget, run
        self.sample = sample
        self.accelerator = Accelerator(
            mixed_precision=precision(settings.mixed_precision), fsdp_plugin=sharding_plugin()
        )
        if self.accelerator.mixed_precision == "fp16" and self.accelerator.scaler is None:
            # Here accelerate would compute in float32 and not say so.
            expected = "no, bf16 or auto without a GPU"
            raise InputError("setting_range", name="mixed_precision", expected=expected, got="fp16")
        self.batches = Batches(
            corpus, settings.context_length, settings.batch_size, seed, settings.paragraph_start_prob
        )
        self._check_shares()
        optimizers = optimizers_for(
            model,
            kind=settings.optimizer,
            learning_rate=settings.learning_rate,
            muon_learning_rate=settings.muon_learning_rate,
            weight_decay=settings.weight_decay,
            muon_dtype=torch.bfloat16 if self.accelerator.mixed_precision == "bf16" else torch.float32,
        )
        torch.manual_seed(seed + self.accelerator.process_index)  # dropout draws from the global stream
        writable = writable_copy(model) if self.accelerator.is_main_process else None
        self.model, *self.optimizers = self.accelerator.prepare(model, *optimizers)
        self.trained = Trained(
            self.accelerator, self.model, self.optimizers, writable, corpus.tokenizer, settings
        )
        self.step, self.seconds, self.seconds_before = 0, 0.0, 0.0
        self.told_to_stop: Callable[[], bool] = lambda: False
        self.validation, self.validation_owed = Validation(), False
        self.overflows = 0

    def events(
        self, should_stop: Callable[[], bool] = lambda: False, *, resume_from: Path | None = None
    ) -> Iterator[TrainEvent]:
        """Train, and say what happens. Checkpoints are written before their event is given out.

        Args:
            should_stop: asked after each step, and while the model is measured or writes; True ends the run
                with a checkpoint and nothing else: who asks for it may not wait long. A measurement that was
                cut short is done when the run goes on.
            resume_from: the run's checkpoint to go on from.
        """
        self.told_to_stop = should_stop
        warnings = [] if resume_from is None else self._resume(resume_from)
        yield RunStarted(step=self.step, facts=self._facts())
        yield from warnings
        if resume_from is None or self.validation_owed:
            yield from self._validate()
        last_saved = None if resume_from is None else self.step
        reason = self._reason_to_end()
        while not reason:
            done = self._train_step()
            yield done
            if not math.isfinite(done.loss) or self._gradients_spoilt(done.measures["gradient_norm"]):
                reason = "non-finite"
                break
            reason = self._reason_to_end()
            if reason == TOLD:
                self.validation_owed = self.step % self.settings.validate_every == 0
                break
            if reason or self.step % self.settings.validate_every == 0:
                yield from self._validate(full=bool(reason))
            if reason or self._checkpoint_due():
                saved = self._save()
                last_saved = self.step
                yield saved
                yield from self._samples(saved)
        if reason != "non-finite" and last_saved != self.step:
            yield self._save()
        yield self._finished("stopped" if reason == TOLD else reason)

    def _checkpoint_due(self) -> bool:
        every = self.settings.checkpoint_every
        if every is not None:
            return self.step % every == 0
        return self.budget.checkpoint_due(self.step, self.seconds, self.seconds_before)

    def _train_step(self) -> StepDone:
        """One optimiser step on this process's rows of the batch."""
        started = time.perf_counter()
        # The middle of the step: neither the first nor the last one is done at a rate of zero.
        share = self.budget.share_done(self.step + 0.5, self.seconds)
        factor = rate_factor(share, schedule=self.settings.schedule)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * factor
        self.model.train()
        loss = self._backward(*self.batches.rows(self.step))
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        gradient_norm = float(norm)
        self._step_optimizers(finite=math.isfinite(loss) and math.isfinite(gradient_norm))
        self.step += 1
        seconds = self._agreed(time.perf_counter() - started)
        self.seconds_before, self.seconds = self.seconds, self.seconds + seconds
        measures = {
            "learning_rate": self.settings.learning_rate * factor,
            "gradient_norm": round(gradient_norm, 5),
            "tokens_per_second": round(self.settings.batch_size * self.settings.context_length / seconds, 1),
            "seconds": round(self.seconds, 3),
        }
        return StepDone(step=self.step, loss=loss, measures=measures)

    def _step_optimizers(self, *, finite: bool) -> None:
        """Go along the gradients, then drop them; never along one that is not finite: it spoils the weights.

        In float16 the scaler steps all optimisers first and is updated once: accelerate's own step updates it
        after each of them, and then divides the gradients of the next one by the scale a second time.
        """
        scaler = self.accelerator.scaler
        for optimizer in self.optimizers:
            if finite and scaler is None:
                optimizer.step()
            elif finite:
                scaler.step(optimizer.optimizer)
        if scaler is not None:
            scaler.update()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def _gradients_spoilt(self, gradient_norm: float) -> bool:
        """Whether gradients that are not finite end the run: in float16 not before a few in a row."""
        self.overflows = 0 if math.isfinite(gradient_norm) else self.overflows + 1
        return self.overflows > (MOST_OVERFLOWS if self.accelerator.scaler is not None else 0)

    def _backward(self, read_BT: Tensor, target_BT: Tensor) -> float:
        """Add up the gradients of the batch, part by part; the loss over all processes, in nats."""
        accelerator, parts = self.accelerator, self.settings.gradient_accumulation_steps
        mine = slice(accelerator.process_index * parts, (accelerator.process_index + 1) * parts)
        shares = accelerator.num_processes * parts
        chunks = list(zip(read_BT.chunk(shares), target_BT.chunk(shares), strict=True))[mine]
        total = torch.zeros((), device=accelerator.device)
        for number, (read, target) in enumerate(chunks):
            last = number == parts - 1
            # Gradients are exchanged once a step, with its last part.
            with nullcontext() if last else accelerator.no_sync(self.model):
                loss = next_token_loss(self._predict(read), target.to(accelerator.device)) / parts
                accelerator.backward(loss)
            total += loss.detach()
        return accelerator.reduce(total, reduction="mean").item()

    def _predict(self, ids_BT: Tensor) -> Tensor:
        if self.accelerator.is_main_process:
            beat(self.run.path)
        with self.accelerator.autocast():
            output = self.model(ids_BT.to(self.accelerator.device))
        return output if isinstance(output, Tensor) else output.logits.float()

    def _validate(self, *, full: bool = False) -> list[ValidationDone]:
        """Measure over the same windows as every time, and if asked over all of them too.

        Nothing where a stop cuts it short: then it is owed to whoever resumes.
        """
        self.model.eval()
        most = self._num_windows()
        loss = self._measured_loss(most)
        self.validation_owed = loss is None
        if loss is None:
            return []
        measures: dict[str, int | float] = {"num_windows": most}
        if full:
            all_are_measured = most == self._num_windows(every=True)
            of_all = loss if all_are_measured else self._measured_loss(None)
            measures["full_loss"] = math.nan if of_all is None else of_all
        self.validation = self.validation.then(self.step, loss, measures.get("full_loss", math.nan))
        return [ValidationDone(step=self.step, loss=loss, measures=measures)]

    def _measured_loss(self, most: int | None) -> float | None:
        """The loss over so many windows, which may take a while; None where a stop cuts it short."""

        def predict(ids_BT: Tensor) -> Tensor:
            if self._anyone(self.told_to_stop()):
                raise _CutShortError
            # FSDP gathers weights into memory that the next step uses: no inference tensors there.
            with torch.inference_mode(False), torch.no_grad():
                return self._predict(ids_BT)

        try:
            return validation_loss(predict, self.corpus, self.settings.context_length, most)
        except _CutShortError:
            return None

    def _num_windows(self, *, every: bool = False) -> int:
        """Windows of the held-out part that a validation measures, or all there are."""
        total = -(-len(self.corpus.validation) // self.settings.context_length)
        return total if every else min(total, self.settings.validation_windows)

    def _save(self) -> CheckpointSaved:
        progress = {
            "seconds": self.seconds,
            "num_processes": self.accelerator.num_processes,
            "validation": asdict(self.validation),
            "validation_owed": self.validation_owed,
        }
        folder = save_checkpoint(self.run, self.step, self.trained, progress)
        return CheckpointSaved(step=self.step, path=folder.relative_to(self.run.path).as_posix())

    def _samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        if self.sample is not None and self.settings.sample_tokens and self.accelerator.is_main_process:
            text = self.sample(self.run.path / saved.path, self._told_meanwhile)
            if self.told_to_stop():  # half a sample would not compare with the others
                return
            yield SampleReady(step=self.step, text=text, file=self.run.write_sample(self.step, text))

    def _told_meanwhile(self) -> bool:
        """Whether to stop, asked in the midst of something long, which shows life with it."""
        beat(self.run.path)
        return self.told_to_stop()

    def _resume(self, checkpoint: Path) -> list[Warned]:
        """Put everything back as it was; what will not be as it was is told."""
        progress = load_state(checkpoint, self.trained)
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.validation = Validation(**progress["validation"])
        self.validation_owed = progress.get("validation_owed", False)
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
        return TOLD if self._anyone(self.told_to_stop()) else ""

    def _agreed(self, seconds: float) -> float:
        """One clock for all processes: rate and end of a run by minutes hang on it."""
        if self.accelerator.num_processes == 1:
            return seconds
        mine = torch.tensor(seconds, device=self.accelerator.device)
        return float(self.accelerator.reduce(mine, reduction="mean").item())

    def _anyone(self, stop: bool) -> bool:
        """Whether any process was told to stop: all must leave the loop at the same step."""
        if self.accelerator.num_processes == 1:
            return stop
        told = torch.tensor(float(stop), device=self.accelerator.device)
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

    def _facts(self) -> dict[str, Any]:
        model = self.accelerator.unwrap_model(self.model)
        return {
            "num_parameters": sum(weight.numel() for weight in model.parameters()),
            "train_tokens": len(self.corpus.train),
            "validation_tokens": len(self.corpus.validation),
            "validation_windows": self._num_windows(),
            "all_validation_windows": self._num_windows(every=True),
            "vocab_size": self.corpus.tokenizer.vocab_size,
            "device": str(self.accelerator.device),
            "machine": machine_facts(self.accelerator.device),
            "num_processes": self.accelerator.num_processes,
            "distributed_type": self.accelerator.distributed_type.value,
            "mixed_precision": self.accelerator.mixed_precision,
            "steps": self.budget.steps,
            "minutes": self.budget.minutes,
            "preparation": [step.to_dict() for step in self.corpus.report],
        }

    def _check_shares(self) -> None:
        shares = self.accelerator.num_processes * self.settings.gradient_accumulation_steps
        if self.settings.batch_size % shares:
            raise InputError("batch_not_shared", batch_size=self.settings.batch_size, shares=shares)
