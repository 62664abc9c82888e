"""Training a language model to predict the next token: a generator of events.

The same loop trains ours and the library baseline. It says what happens and decides nothing about how
that is shown; accelerate brings devices, mixed precision, accumulation and several processes.
"""

# Shapes: B rows of a batch, T tokens of a row, V vocabulary.

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    TrainEvent,
    ValidationDone,
)
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.text import TextCorpus
from aigc_demo.measure.text import surprise, windows
from aigc_demo.nets.transformer import next_token_loss
from aigc_demo.training.batches import Batches
from aigc_demo.training.checkpoint import last_state, load_state, save_checkpoint
from aigc_demo.training.optimizers import optimizers_for, rate_factor


@dataclass(frozen=True)
class LanguageModelSettings(Settings):
    """What `--set` changes in the recipes that train a language model."""

    context_length: int = setting(256, "tokens the model can look at", low=8, high=8192)
    num_layers: int = setting(6, "blocks on top of each other", low=1, high=64)
    num_heads: int = setting(4, "attentions side by side", low=1, high=64)
    hidden_size: int = setting(256, "features per token", low=8, high=8192)
    mlp_size: int | None = setting(None, "features inside the feed-forward part; 4 hidden_size", low=8)
    dropout: float = setting(0.1, "share of features dropped in training", low=0, high=0.9)
    tie_embeddings: bool = setting(False, "one matrix both reads and predicts tokens")
    tokenizer: str = setting("characters", "how text is cut", choices=("characters", "words", "bpe"))
    vocab_size: int | None = setting(None, "most tokens in the vocabulary; none for all", low=4, high=200_000)
    batch_size: int = setting(12, "rows in one step, all processes together", low=1, high=65_536)
    gradient_accumulation_steps: int = setting(1, "parts in which a step is worked off", low=1, high=1024)
    optimizer: str = setting("muon", "for the matrices inside", choices=("muon", "adamw"))
    learning_rate: float = setting(3e-3, "AdamW's largest", low=0, high=10)
    muon_learning_rate: float = setting(0.02, "Muon's largest", low=0, high=10)
    weight_decay: float = setting(0.1, "how strongly matrices shrink", low=0, high=10)
    max_grad_norm: float = setting(1.0, "longer gradients are cut to this length", low=0)
    schedule: str = setting("linear", "of the learning rate", choices=("linear", "cosine", "constant"))
    mixed_precision: str = setting("auto", "of the products", choices=("auto", "no", "bf16", "fp16"))
    validate_every: int = setting(100, "steps between validations", low=1)
    validation_windows: int = setting(64, "windows measured each time; the last time all", low=1)
    checkpoint_every: int = setting(500, "steps between checkpoints", low=1)
    sample_tokens: int = setting(200, "tokens of the sample at each checkpoint", low=0, high=4096)
    sample_prompt: str = setting("", "what the sample starts with")


@dataclass(frozen=True)
class Budget:
    """How long to train: by steps or by minutes, and where to pause.

    Raises:
        InputError: both or neither of steps and minutes, or a number that is not positive.
    """

    steps: int | None = None
    minutes: float | None = None
    stop_after: int | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise InputError("steps_or_minutes")
        for name in ("steps", "minutes", "stop_after"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InputError("setting_range", name=name, expected="more than 0", got=str(value))

    def share_done(self, step: float, seconds: float) -> float:
        """How much of the run is done, 0 to 1."""
        share = step / self.steps if self.steps else seconds / (60 * (self.minutes or 1))
        return min(1.0, share)


def validation_loss(
    predict: Callable[[Tensor], Tensor], corpus: TextCorpus, context_length: int, most: int | None
) -> float:
    """Mean surprise on the held-out part, in nats a token.

    Args:
        predict: token ids [B, T] to logits [B, T, V].
        corpus: with its held-out part.
        context_length: T.
        most: windows looked at, spread evenly; None for all.
    """
    cut = windows(corpus.validation, context_length, corpus.tokenizer.start_id)
    if most is not None and most < len(cut):
        cut = [cut[i * len(cut) // most] for i in range(most)]
    bits_N = surprise(predict, cut, corpus.tokenizer.vocab_size)
    return bits_N.mean().item() * math.log(2)


class LanguageModelTraining:
    """One training of one language model.

    Args:
        model: from token ids [B, T] to logits [B, T, V], or to an output that has `.logits`.
        corpus: what it is trained and measured on.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and dropout.
        sample: what the model in a checkpoint's folder writes; None for no samples.
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
        sample: Callable[[Path], str] | None = None,
    ):
        self.corpus, self.settings, self.budget, self.run = corpus, settings, budget, run
        self.sample = sample
        self.accelerator = Accelerator(mixed_precision=precision(settings.mixed_precision))
        self.batches = Batches(corpus, settings.context_length, settings.batch_size, seed)
        self._check_shares()
        optimizers = optimizers_for(
            model,
            kind=settings.optimizer,
            learning_rate=settings.learning_rate,
            muon_learning_rate=settings.muon_learning_rate,
            weight_decay=settings.weight_decay,
            muon_dtype=torch.float32 if self.accelerator.mixed_precision == "no" else torch.bfloat16,
        )
        torch.manual_seed(seed + self.accelerator.process_index)  # dropout draws from the global stream
        self.model, *self.optimizers = self.accelerator.prepare(model, *optimizers)
        self.step, self.seconds = 0, 0.0
        self.validation, self.best, self.best_step = math.nan, math.inf, 0

    def events(
        self, should_stop: Callable[[], bool] = lambda: False, *, resume: bool = False
    ) -> Iterator[TrainEvent]:
        """Train, and say what happens. Checkpoints are written before their event is given out.

        Args:
            should_stop: asked before each step; True ends the run with a checkpoint.
            resume: go on from the run's last whole checkpoint.
        """
        if resume:
            self._resume()
        yield RunStarted(step=self.step, facts=self._facts())
        if not resume:
            yield self._validate()
        last_saved = self.step
        reason = self._reason_to_end(should_stop)
        while not reason:
            done = self._train_step()
            yield done
            if not math.isfinite(done.loss) or not math.isfinite(done.measures["gradient_norm"]):
                reason = "non-finite"
                break
            reason = self._reason_to_end(should_stop)
            if reason or self.step % self.settings.validate_every == 0:
                yield self._validate(everything=bool(reason))
            if reason or self.step % self.settings.checkpoint_every == 0:
                saved = self._save()
                last_saved = self.step
                yield saved
                yield from self._samples(saved)
        if reason != "non-finite" and last_saved != self.step:
            yield self._save()
        yield self._finished(reason)

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
        if math.isfinite(loss) and math.isfinite(gradient_norm):
            # A step along a gradient that is not finite would spoil the weights for good.
            for optimizer in self.optimizers:
                optimizer.step()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        seconds = self._agreed(time.perf_counter() - started)
        self.seconds += seconds
        measures = {
            "learning_rate": self.settings.learning_rate * factor,
            "gradient_norm": round(gradient_norm, 5),
            "tokens_per_second": round(self.settings.batch_size * self.settings.context_length / seconds, 1),
            "seconds": round(self.seconds, 3),
        }
        return StepDone(step=self.step, loss=loss, measures=measures)

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
        with self.accelerator.autocast():
            output = self.model(ids_BT.to(self.accelerator.device))
        return output if isinstance(output, Tensor) else output.logits.float()

    def _validate(self, *, everything: bool = False) -> ValidationDone:
        self.model.eval()
        most = None if everything else self.settings.validation_windows
        self.validation = validation_loss(self._predict, self.corpus, self.settings.context_length, most)
        if self.validation < self.best:
            self.best, self.best_step = self.validation, self.step
        return ValidationDone(step=self.step, loss=self.validation)

    def _save(self) -> CheckpointSaved:
        unwrapped = self.accelerator.unwrap_model(self.model)
        progress = {
            "seconds": self.seconds,
            "validation": self.validation,
            "best": self.best,
            "best_step": self.best_step,
        }
        folder = save_checkpoint(
            self.run, self.step, self.accelerator, unwrapped, self.corpus.tokenizer, progress
        )
        return CheckpointSaved(step=self.step, path=folder.relative_to(self.run.path).as_posix())

    def _samples(self, saved: CheckpointSaved) -> Iterator[SampleReady]:
        if self.sample is not None and self.settings.sample_tokens and self.accelerator.is_main_process:
            yield SampleReady(step=self.step, text=self.sample(self.run.path / saved.path))

    def _resume(self) -> None:
        progress = load_state(last_state(self.run), self.accelerator)
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.validation, self.best = progress["validation"], progress["best"]
        self.best_step = progress["best_step"]
        if self.accelerator.is_main_process:
            self.run.rewind_events(self.step)

    def _reason_to_end(self, should_stop: Callable[[], bool]) -> str:
        """Why no further step is to be done, or "" to go on."""
        if self.budget.steps is not None and self.step >= self.budget.steps:
            return "finished"
        if self.budget.minutes is not None and self.seconds >= 60 * self.budget.minutes:
            return "time"
        if self.budget.stop_after is not None and self.step >= self.budget.stop_after:
            return "stopped"
        return "stopped" if self._anyone(should_stop()) else ""

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
        best = self.best if math.isfinite(self.best) else None
        last = self.validation if math.isfinite(self.validation) else None
        return RunFinished(
            step=self.step,
            reason=reason,
            validation_loss=last,
            best_validation_loss=best,
            best_step=self.best_step,
        )

    def _facts(self) -> dict:
        model = self.accelerator.unwrap_model(self.model)
        return {
            "num_parameters": sum(weight.numel() for weight in model.parameters()),
            "train_tokens": len(self.corpus.train),
            "validation_tokens": len(self.corpus.validation),
            "vocab_size": self.corpus.tokenizer.vocab_size,
            "device": str(self.accelerator.device),
            "num_processes": self.accelerator.num_processes,
            "mixed_precision": self.accelerator.mixed_precision,
            "steps": self.budget.steps,
            "minutes": self.budget.minutes,
        }

    def _check_shares(self) -> None:
        shares = self.accelerator.num_processes * self.settings.gradient_accumulation_steps
        if self.settings.batch_size % shares:
            raise InputError("batch_not_shared", batch_size=self.settings.batch_size, shares=shares)


def precision(wanted: str) -> str:
    """accelerate's word for the precision; "auto" is bfloat16 where this machine computes it natively."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return "bf16" if supported or getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)() else "no"
