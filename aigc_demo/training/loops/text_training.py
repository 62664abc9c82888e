"""What all trainings on text share: one network, its optimizers, steps whose batches are split into parts."""

# Shapes: B rows of a batch.

import math
import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from aigc_demo.core.device import precision
from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.training.checkpoint import Trained, load_state, save_checkpoint, unwrapped, writable_copy
from aigc_demo.training.loops.loop import Corpus, TrainingLoop
from aigc_demo.training.optimizers import muon_dtype, optimizers_for, set_rates
from aigc_demo.training.settings import Budget
from aigc_demo.training.sharding import sharding_plugin
from aigc_demo.training.text_settings import TextTrainingSettings


class TextTraining(TrainingLoop):
    """One training of one network on text.

    Args:
        model: the network.
        tokenizer: of its tokens; goes with the weights.
        corpus: for training and validation.
        seed: of batches and dropout.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        corpus: Corpus,
        settings: TextTrainingSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int,
    ):
        plugin = sharding_plugin()
        accelerator = Accelerator(mixed_precision=precision(settings.mixed_precision), fsdp_plugin=plugin)
        super().__init__(corpus, settings, budget, run, accelerator)
        self.text_settings = settings
        self.check_shares(settings.batch_size, settings.gradient_accumulation_steps)
        optimizers = optimizers_for(
            model,
            kind=settings.optimizer,
            learning_rate=settings.learning_rate,
            muon_learning_rate=settings.muon_learning_rate,
            weight_decay=settings.weight_decay,
            muon_dtype=muon_dtype(self.accelerator.mixed_precision),
        )
        torch.manual_seed(seed + self.accelerator.process_index)  # dropout draws from the global stream
        writable = writable_copy(model) if self.accelerator.is_main_process else None
        # Said here where the weights go, since to find out accelerate imports half a second of torch.
        here = None if plugin is not None else True
        self.model, *self.optimizers = self.accelerator.prepare(
            model, *optimizers, device_placement=[here, *(None for _ in optimizers)]
        )
        self.trained = Trained(self.accelerator, self.model, self.optimizers, writable, tokenizer, settings)

    @abstractmethod
    def backward(self) -> tuple[float, int, dict[str, Any]]:
        """Accumulate the gradients of the next step's batch.

        Returns:
            The batch's mean loss in nats, the number of its tokens, and further metrics, all of them of all
            processes together.
        """

    def train_step(self) -> StepDone:
        """One optimizer step on this process's rows of the batch."""
        started = time.perf_counter()
        settings = self.text_settings
        factor = set_rates(self.optimizers, self.share_done(), schedule=settings.schedule)
        self.model.train()
        loss, num_tokens, measured = self.backward()
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), settings.max_grad_norm)
        gradient_norm = float(norm)
        finite = math.isfinite(loss) and math.isfinite(gradient_norm)
        self.step_optimizers(self.optimizers, finite=finite)
        seconds = self.count_step(time.perf_counter() - started)
        metrics = {
            **measured,
            "learning_rate": settings.learning_rate * factor,
            "gradient_norm": round(gradient_norm, 5),
            "tokens_per_second": round(num_tokens / seconds, 1),
            "seconds": round(self.seconds, 3),
        }
        return StepDone(step=self.step, loss=loss, metrics=metrics)

    def accumulate(self, loss_of: Callable[..., Tensor], *rows: Tensor) -> Tensor:
        """Accumulate the gradients of a batch, part by part.

        Args:
            loss_of: from one part of each of `rows`, on the device, to that part's share of the loss: the
                shares of one process's parts add up, those of several processes are averaged.
            rows: tensors [B, ...] of all processes' rows.

        Returns:
            The loss of the whole batch, without gradient.
        """
        accelerator, parts = self.accelerator, self.text_settings.gradient_accumulation_steps
        mine = slice(accelerator.process_index * parts, (accelerator.process_index + 1) * parts)
        shares = accelerator.num_processes * parts
        chunks = list(zip(*(tensor.chunk(shares) for tensor in rows), strict=True))[mine]
        total = torch.zeros((), device=accelerator.device)
        for number, chunk in enumerate(chunks):
            last = number == parts - 1
            # Gradients are exchanged once a step, with its last part.
            with nullcontext() if last else accelerator.no_sync(self.model):
                loss = loss_of(*(tensor.to(accelerator.device) for tensor in chunk))
                accelerator.backward(loss)
            total += loss.detach()
        return accelerator.reduce(total, reduction="mean")

    def predict(self, *inputs: Any, **named: Any) -> Any:
        """The network's output, in the training's precision."""
        self.heartbeat()
        with self.accelerator.autocast():
            return self.model(*inputs, **named)

    def write_checkpoint(self, progress: dict[str, Any]) -> Path:
        """As TrainingLoop."""
        return save_checkpoint(self.run, self.step, self.trained, progress)

    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """As TrainingLoop."""
        return load_state(checkpoint, self.trained)

    def num_parameters(self) -> int:
        """Of the network."""
        return sum(weight.numel() for weight in unwrapped(self.model).parameters())
