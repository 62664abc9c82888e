"""Training on images: batches, what all loops on images share, and the loop of one network with one loss."""

# Shapes: B images of a batch (this process's share of it), C channels, H rows, W columns.

import math
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.core.device import precision, seeded
from aigc_demo.core.events import StepDone, ValidationDone
from aigc_demo.core.files.manifest import STATE
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.metadata import notices
from aigc_demo.data.images.corpus import ImageCorpus, ImageSettings, augment
from aigc_demo.data.images.pixels import to_float
from aigc_demo.training.checkpoint import checkpoint_folder, read_progress, writable_copy, write_progress
from aigc_demo.training.image_settings import ImageLoopSettings, ImageNetworkSettings
from aigc_demo.training.loops.loop import InterruptedValidationError, TrainingLoop
from aigc_demo.training.optimizers import muon_dtype, optimizers_of_network, set_rates
from aigc_demo.training.settings import Budget


def noise(shape: torch.Size, largest_std: float, rng: torch.Generator) -> Tensor:
    """Gaussian noise; the standard deviation of each image is drawn between 0 and `largest_std`.

    Args:
        shape: [B, C, H, W].
        largest_std: in units of pixels from -1 to 1.
        rng: on the CPU.
    """
    std_B111 = largest_std * torch.rand(shape[0], 1, 1, 1, generator=rng)
    return std_B111 * torch.randn(shape, generator=rng)


def with_noise(x_BCHW: Tensor, largest_std: float, rng: torch.Generator) -> Tensor:
    """Images plus `noise`."""
    return x_BCHW + noise(x_BCHW.shape, largest_std, rng)


class ImageBatches:
    """Batches of training images: a pure function of the seed and the step.

    So a resumed run gets the batches that it would have had, and several processes share one batch by each
    taking its rows.

    Args:
        corpus: images for training.
        settings: how they are augmented.
        batch_size: B of all processes together.
        seed: of the random indices and augmentations.
    """

    def __init__(self, corpus: ImageCorpus, settings: ImageSettings, batch_size: int, seed: int):
        self.corpus, self.settings, self.batch_size, self.seed = corpus, settings, batch_size, seed

    def stream(self, step: int, part: int = 0) -> torch.Generator:
        """The random generator of one step; `part` numbers several in one step."""
        return seeded(((self.seed * 1_000_003 + step) * 31 + part) % 2**63)

    def rows(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augmented images [B, C, H, W] in -1 to 1, and their indices in the corpus [B]."""
        index_B = torch.randint(len(self.corpus.train), (self.batch_size,), generator=rng)
        image_BCHW = augment(self.corpus.train[index_B], self.settings, rng)
        return to_float(image_BCHW), index_B


class ImageLoop(TrainingLoop):
    """A training on images, of one network or several.

    Args:
        corpus: images for training and validation.
        seed: of all random numbers of the steps.
    """

    def __init__(
        self,
        corpus: ImageCorpus,
        settings: ImageLoopSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        accelerator = Accelerator(mixed_precision=precision(settings.mixed_precision))
        # Each family's settings have a schedule, with its own default.
        super().__init__(corpus, settings, budget, run, accelerator)  # type: ignore[arg-type]
        self.check_shares(settings.batch_size)
        self.images: ImageCorpus = corpus
        self.batches = ImageBatches(corpus, settings, settings.batch_size, seed)

    @abstractmethod
    def write_model(self, folder: Path) -> None:
        """The model in the Hub's layout."""

    def metrics_of_step(self, started: float, learning_rate: float, gradient_norm: float) -> dict[str, Any]:
        """Count a step that started then; returns the metrics that every step has."""
        seconds = self.count_step(time.perf_counter() - started)
        return {
            "gradient_norm": round(gradient_norm, 6),
            "learning_rate": learning_rate,
            "pictures_per_second": round(self.batches.batch_size / seconds, 1),
            "seconds": round(self.seconds, 3),
        }

    def write_checkpoint(self, progress: dict[str, Any]) -> Path:
        """The model, and the training state."""
        with checkpoint_folder(self.run, self.step, self.accelerator) as folder:
            self.accelerator.save_state(str(folder / STATE))
            if self.accelerator.is_main_process:
                self.write_model(folder)
                write_progress(folder, progress)
        return folder.with_name(f"step-{self.step:06d}")

    def read_state(self, checkpoint: Path) -> dict[str, Any]:
        """As TrainingLoop."""
        progress = read_progress(checkpoint)
        self.accelerator.load_state(str(checkpoint / STATE))
        return progress

    def data_facts(self) -> dict[str, Any]:
        """Sizes of the data, and the report of their preparation."""
        return {
            "train_pictures": len(self.images.train),
            "validation_pictures": len(self.images.validation),
            "num_modes": self.images.num_modes,
            "preparation": [step.to_dict() for step in self.images.report],
        }

    def notices(self) -> list[tuple[str, dict[str, Any]]]:
        """Captions without images and images without captions in a folder."""
        return notices(self.images.report[0].facts)


class ImageTraining(ImageLoop):
    """One training of one network with one loss.

    Args:
        network: untrained.
        corpus: images for training and validation.
        seed: of all random numbers of the steps.
    """

    def __init__(
        self,
        network: nn.Module,
        corpus: ImageCorpus,
        settings: ImageNetworkSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(corpus, settings, budget, run, seed=seed)
        self.network_settings = settings
        self.writable = writable_copy(network)
        # Not wrapped for several processes, as the networks of a GAN: its gradients are averaged by hand.
        self.network = network.to(self.accelerator.device)
        optimizers = self.optimizers_of(self.network)
        self.optimizers = [self.accelerator.prepare(optimizer) for optimizer in optimizers]
        self.accelerator.register_for_checkpointing(self.network)

    @abstractmethod
    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """The loss of this process's share of a batch.

        Args:
            rng: for all random numbers of the step, the same in all processes.
        """

    @abstractmethod
    def evaluate(self, indices: list[int]) -> dict[str, float]:
        """`loss` and other metrics, means over these held-out images.

        Raises:
            InterruptedValidationError: the run is to stop.
        """

    def optimizers_of(self, network: nn.Module) -> list[Optimizer]:
        """The optimizers of a network."""
        settings = self.network_settings
        return optimizers_of_network(
            network,
            kind=settings.optimizer,
            learning_rate=settings.learning_rate,
            muon_learning_rate=settings.muon_learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
            muon_momentum=settings.muon_momentum,
            muon_dtype=muon_dtype(self.accelerator.mixed_precision),
        )

    def write_model(self, folder: Path) -> None:
        """The model in the Hub's layout, weights and batch norm statistics in half precision."""
        self.writable.load_state_dict(self.network.state_dict())
        self.writable.save_pretrained(folder)  # type: ignore[operator]

    def train_step(self) -> StepDone:
        """One optimizer step on this process's rows of the batch."""
        started = time.perf_counter()
        self.heartbeat()
        settings, accelerator = self.network_settings, self.accelerator
        factor = set_rates(self.optimizers, self.share_done(), schedule=settings.schedule)
        self.network.train()
        loss = self.batch_loss(self.batches.stream(self.step))
        accelerator.backward(loss)
        self.average_over_processes(self.network)
        norm = accelerator.clip_grad_norm_(self.network.parameters(), settings.max_grad_norm)
        mean_loss, gradient_norm = accelerator.reduce(loss.detach(), reduction="mean").item(), float(norm)
        finite = math.isfinite(mean_loss) and math.isfinite(gradient_norm)
        self.step_optimizers(self.optimizers, finite=finite)
        if finite:
            self.after_step()
        metrics = self.metrics_of_step(started, settings.learning_rate * factor, gradient_norm)
        return StepDone(step=self.step, loss=mean_loss, metrics=metrics)

    def after_step(self) -> None:
        """Called after each optimizer step whose gradients were finite."""

    def validate(self, *, full: bool) -> list[ValidationDone]:
        """Evaluate the same images as every time, spread evenly; if `full`, all of them too."""
        total = len(self.images.validation)
        most = min(total, self.network_settings.validation_pictures)
        if not most:
            return []
        found = self.evaluate([place * total // most for place in range(most)])
        loss, metrics = found.pop("loss"), {**found, "num_pictures": most}
        if full:
            try:
                every = self.evaluate(list(range(total))) if most < total else {"loss": loss, **found}
            except InterruptedValidationError:  # the shorter evaluation is valid all the same
                every = dict.fromkeys(("loss", *found), math.nan)
            metrics |= {f"full_{name}": value for name, value in every.items()}
        return [ValidationDone(step=self.step, loss=loss, metrics=metrics)]

    def facts(self) -> dict[str, Any]:
        """Sizes of network and data."""
        num_parameters = sum(weight.numel() for weight in self.network.parameters())
        return {"num_parameters": num_parameters, **self.data_facts()}
