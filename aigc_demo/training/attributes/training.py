"""Training a reader of attributes: what stands where, in which colour and size?

The loss is in `nets/attribute_reader`.
"""

# Shapes: B pictures of a batch (this process's share of it), P places, C channels, H rows, W columns.

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.pixels import as_numbers
from aigc_demo.data.tiny_world.group_images import GroupCorpus, prepare_groups
from aigc_demo.nets.attribute_reader import (
    AttributeReader,
    AttributeReaderConfig,
    Reading,
    objects_right,
    reading_loss,
)
from aigc_demo.training.attributes.recipe import AttributeSettings
from aigc_demo.training.family import Family, ForwardPasses, empty_images
from aigc_demo.training.image_training import ImageTraining, with_noise
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

MEASURED_TOGETHER = 128


class AttributeTraining(ImageTraining):
    """One training of a reader of attributes.

    Args:
        reader: untrained.
        corpus: what it is trained and measured on.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and noise.
    """

    def __init__(
        self,
        reader: AttributeReader,
        corpus: GroupCorpus,
        settings: AttributeSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(reader, corpus, settings, budget, run, seed=seed)
        self.settings, self.groups = settings, corpus

    def batch_loss(self, rng: torch.Generator) -> Tensor:
        """As ImageTraining."""
        picture_BCHW, index_B = self.batches.rows(rng)
        picture_BCHW = with_noise(picture_BCHW, self.settings.noise, rng)
        truth_BP4, weather_B = self.groups.train_truth[index_B], self.groups.train_weather[index_B]
        return attribute_loss(self._read(self.mine(picture_BCHW)), self.mine(truth_BP4), self.mine(weather_B))

    @torch.no_grad()
    def held_out(self, pictures: list[int]) -> dict[str, float]:
        """Loss, and the shares of things of which everything is read rightly, and of pictures."""
        self.network.eval()
        loss, right, things, whole = 0.0, 0, 0, 0
        for index_B in torch.tensor(pictures).split(MEASURED_TOGETHER):
            self.ask_to_go_on()
            device = self.accelerator.device
            truth_BP4 = self.groups.validation_truth[index_B].to(device)
            weather_B = self.groups.validation_weather[index_B].to(device)
            reading = self._read(as_numbers(self.groups.validation[index_B]).to(device))
            loss += attribute_loss(reading, truth_BP4, weather_B).item() * len(index_B)
            right_BP = correct_objects(reading, truth_BP4)
            there_BP = truth_BP4[..., 0] == 1
            right += int((right_BP & there_BP).sum())
            things += int(there_BP.sum())
            whole += int((right_BP.all(1) & (reading.weather_BA.argmax(1) == weather_B)).sum())
        return {
            "loss": loss / len(pictures),
            "accuracy": right / max(1, things),
            "picture_accuracy": whole / len(pictures),
        }

    def facts(self) -> dict[str, Any]:
        """As ImageTraining."""
        facts = super().facts()
        del facts["num_modes"]
        return facts

    def _read(self, x_BCHW: Tensor) -> AttributeLogits:
        with self.accelerator.autocast():
            reading: AttributeLogits = self.network(x_BCHW)
        return reading


def prepare(
    order: Order, settings: AttributeSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> AttributeTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source is not the tiny world, or `--init` is given, which this recipe does not take.
    """
    refuse_init(order, "a checker")
    corpus = prepare_groups(order.source, settings)
    torch.manual_seed(order.seed)
    (reader,) = networks(order.recipe, settings)
    return AttributeTraining(reader, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: AttributeSettings) -> list[AttributeReader]:
    """The attribute reader."""
    return [AttributeReader(AttributeReaderConfig(image_size=settings.image_size, width=settings.width))]


def _forward_passes(parts: list[nn.Module], settings: AttributeSettings) -> ForwardPasses:
    return [(1, lambda: parts[0](empty_images(settings)))]


FAMILY = Family(prepare, lambda recipe, settings: [*networks(recipe, settings)], _forward_passes)
