"""What all loops on images share: batches, checkpoints, and the facts of their data."""

# Shapes: B images of a batch, C channels, H rows, W columns.

import time
from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from aigc_demo.core.device import precision, seeded
from aigc_demo.core.files.manifest import STATE
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.metadata import notices
from aigc_demo.data.images.corpus import ImageCorpus, ImageSettings, augment
from aigc_demo.data.images.pixels import to_float
from aigc_demo.training.checkpoint import checkpoint_folder, read_progress, write_progress
from aigc_demo.training.image_settings import ImageLoopSettings
from aigc_demo.training.loop import TrainingLoop
from aigc_demo.training.settings import Budget


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
