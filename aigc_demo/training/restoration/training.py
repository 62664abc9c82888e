"""Training a mender: give pictures back their colours, or what was painted over.

What is lost and the loss are in `nets/restoration`.
"""

# Shapes: B pictures of a batch (this process's share of it), C channels, H rows, W columns.

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.device import seeded
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import ImageCorpus, prepare_images
from aigc_demo.data.images.pixels import as_numbers
from aigc_demo.nets.restoration import Mender, MenderConfig, grey, mending_loss, random_holes, with_hole
from aigc_demo.training.family import Family, ForwardPasses, empty_images
from aigc_demo.training.image_training import ImageTraining
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.order import Order
from aigc_demo.training.restoration.recipe import RestorationSettings
from aigc_demo.training.settings import Budget

HOLE_SEED = 0
MEASURED_TOGETHER = 64


class RestorationTraining(ImageTraining):
    """One training of a mender.

    Args:
        mender: untrained.
        corpus: whole pictures.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and holes.
    """

    def __init__(
        self,
        mender: Mender,
        corpus: PictureCorpus,
        settings: RestorationSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(mender, corpus, settings, budget, run, seed=seed)
        self.recipe = mender.config.recipe

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """As ImageTraining."""
        picture_BCHW, _ = self.batches.rows(rng)
        hole_B1HW = random_masks(len(picture_BCHW), picture_BCHW.shape[-1], rng)
        return self._mended(self.mine(picture_BCHW), self.mine(hole_B1HW))

    @torch.no_grad()
    def held_out(self, pictures: list[int]) -> dict[str, float]:
        """The loss, with the same holes each time; `grey_levels` is the same in levels of 255."""
        self.network.eval()
        rng, total = seeded(HOLE_SEED), 0.0
        for index_B in torch.tensor(pictures).split(MEASURED_TOGETHER):
            self.ask_to_go_on()
            picture_BCHW = as_numbers(self.pictures.validation[index_B])
            hole_B1HW = random_masks(len(index_B), picture_BCHW.shape[-1], rng)
            device = self.accelerator.device
            total += self._mended(picture_BCHW.to(device), hole_B1HW.to(device)).item() * len(index_B)
        loss = total / len(pictures)
        return {"loss": loss, "grey_levels": loss * 127.5}

    def facts(self) -> dict[str, Any]:
        """As ImageTraining."""
        facts = super().facts()
        del facts["num_modes"]
        return facts

    def _mended(self, picture_BCHW: Tensor, hole_B1HW: Tensor) -> Tensor:
        if self.recipe == "colorize":
            return restoration_loss(self._drawn(grey(picture_BCHW)), picture_BCHW)
        return restoration_loss(self._drawn(masked_input(picture_BCHW, hole_B1HW)), picture_BCHW, hole_B1HW)

    def _drawn(self, x_BCHW: Tensor) -> Tensor:
        with self.accelerator.autocast():
            drawn_BCHW: Tensor = self.network(x_BCHW)
        return drawn_BCHW


def prepare(
    order: Order, settings: RestorationSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> RestorationTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no pictures, or `--init` is given, which these recipes do not take.
    """
    refuse_init(order, "a mender")
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    mender = Mender(_network_config(settings, order.recipe))
    return RestorationTraining(mender, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: RestorationSettings) -> list[nn.Module]:
    """The U-Net."""
    return [Mender(_network_config(settings, recipe))]


def _network_config(settings: RestorationSettings, recipe: str) -> MenderConfig:
    return MenderConfig(image_size=settings.image_size, width=settings.width, recipe=recipe)


def _forward_passes(parts: list[nn.Module], settings: RestorationSettings) -> ForwardPasses:
    network: Any = parts[0]
    return [(1, lambda: network(empty_images(settings, channels=network.config.num_inputs)))]


FAMILY = Family(prepare, networks, _forward_passes)
