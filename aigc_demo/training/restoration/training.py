"""Training image restoration: colours of grey images, or what was masked out.

The corruption and the loss are in `nets/images/restoration`.
"""

# Shapes: B images of a batch (this process's share of it), C channels, H rows, W columns.

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import ImageCorpus, prepare_images
from aigc_demo.data.images.pixels import to_float
from aigc_demo.nets.images.restoration import (
    RestorationConfig,
    RestorationNetwork,
    random_masks,
    restoration_loss,
)
from aigc_demo.training.family import Family, ForwardPasses, empty_images
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.loops.image_training import ImageTraining
from aigc_demo.training.order import Order
from aigc_demo.training.restoration.recipe import RestorationSettings
from aigc_demo.training.settings import Budget

HOLE_SEED = 0
MEASURED_TOGETHER = 64


class RestorationTraining(ImageTraining):
    """One training of a restoration network.

    Args:
        network: untrained.
        corpus: uncorrupted images.
        seed: of batches and holes.
    """

    def __init__(
        self,
        network: RestorationNetwork,
        corpus: ImageCorpus,
        settings: RestorationSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(network, corpus, settings, budget, run, seed=seed)
        self.task = network.config.task

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """As ImageTraining."""
        image_BCHW, _ = self.batches.rows(rng)
        hole_B1HW = random_masks(len(image_BCHW), image_BCHW.shape[-1], rng)
        return self._loss_of(self.local_rows(image_BCHW), self.local_rows(hole_B1HW))

    @torch.no_grad()
    def evaluate(self, indices: list[int]) -> dict[str, float]:
        """The loss, with the same holes each time; `grey_levels` is the same in grey levels of 255."""
        self.network.eval()
        rng, total = seeded(HOLE_SEED), 0.0
        for index_B in torch.tensor(indices).split(MEASURED_TOGETHER):
            self.check_stop()
            image_BCHW = to_float(self.images.validation[index_B])
            hole_B1HW = random_masks(len(index_B), image_BCHW.shape[-1], rng)
            device = self.accelerator.device
            total += self._loss_of(image_BCHW.to(device), hole_B1HW.to(device)).item() * len(index_B)
        loss = total / len(indices)
        return {"loss": loss, "grey_levels": loss * 127.5}

    def facts(self) -> dict[str, Any]:
        """As ImageTraining."""
        facts = super().facts()
        del facts["num_modes"]
        return facts

    def _loss_of(self, image_BCHW: Tensor, hole_B1HW: Tensor) -> Tensor:
        predicted_BCHW = self._forward(self.task.corrupt(image_BCHW, hole_B1HW))
        return restoration_loss(predicted_BCHW, image_BCHW, hole_B1HW if self.task.masked else None)

    def _forward(self, x_BCHW: Tensor) -> Tensor:
        with self.accelerator.autocast():
            output_BCHW: Tensor = self.network(x_BCHW)
        return output_BCHW


def prepare(
    order: Order, settings: RestorationSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> RestorationTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no images, or `--init` is given, which these recipes do not take.
    """
    refuse_init(order, "a restoration network")
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    network = RestorationNetwork(_network_config(settings, order.recipe))
    return RestorationTraining(network, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: RestorationSettings) -> list[nn.Module]:
    """The U-Net."""
    return [RestorationNetwork(_network_config(settings, recipe))]


def _network_config(settings: RestorationSettings, recipe: str) -> RestorationConfig:
    return RestorationConfig(image_size=settings.image_size, width=settings.width, recipe=recipe)


def _forward_passes(parts: list[nn.Module], settings: RestorationSettings) -> ForwardPasses:
    network: Any = parts[0]
    return [(1, lambda: network(empty_images(settings, channels=network.config.num_inputs)))]


FAMILY = Family(prepare, networks, _forward_passes)
