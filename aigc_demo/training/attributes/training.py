"""Training the attribute reader: which thing is where in an image, in which colour and size?

The loss is in `nets/images/attribute_reader`.
"""

# Shapes: B images of a batch (this process's share of it), P places, C channels, H rows, W columns.

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.pixels import to_float
from aigc_demo.data.tiny_world.group_images import GroupCorpus, prepare_groups
from aigc_demo.nets.images.attribute_reader import (
    AttributeLogits,
    AttributeReader,
    AttributeReaderConfig,
    attribute_loss,
    correct_objects,
)
from aigc_demo.training.attributes.recipe import AttributeSettings
from aigc_demo.training.family import Family, ForwardPasses, empty_images
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.loops.image_training import ImageTraining, with_noise
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

MEASURED_TOGETHER = 128


class AttributeTraining(ImageTraining):
    """One training of the attribute reader.

    Args:
        reader: untrained.
        corpus: images with attributes.
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
        image_BCHW, index_B = self.batches.rows(rng)
        image_BCHW = with_noise(image_BCHW, self.settings.noise, rng)
        truth_BP4, weather_B = self.groups.train_truth[index_B], self.groups.train_weather[index_B]
        return attribute_loss(
            self._forward(self.local_rows(image_BCHW)), self.local_rows(truth_BP4), self.local_rows(weather_B)
        )

    @torch.no_grad()
    def evaluate(self, indices: list[int]) -> dict[str, float]:
        """Loss, and the shares of things and of images with all attributes right."""
        self.network.eval()
        loss, right, things, whole = 0.0, 0, 0, 0
        for index_B in torch.tensor(indices).split(MEASURED_TOGETHER):
            self.check_stop()
            device = self.accelerator.device
            truth_BP4 = self.groups.validation_truth[index_B].to(device)
            weather_B = self.groups.validation_weather[index_B].to(device)
            reading = self._forward(to_float(self.groups.validation[index_B]).to(device))
            loss += attribute_loss(reading, truth_BP4, weather_B).item() * len(index_B)
            right_BP = correct_objects(reading, truth_BP4)
            there_BP = truth_BP4[..., 0] == 1
            right += int((right_BP & there_BP).sum())
            things += int(there_BP.sum())
            whole += int((right_BP.all(1) & (reading.weather_BA.argmax(1) == weather_B)).sum())
        return {
            "loss": loss / len(indices),
            "accuracy": right / max(1, things),
            "picture_accuracy": whole / len(indices),
        }

    def facts(self) -> dict[str, Any]:
        """As ImageTraining."""
        facts = super().facts()
        del facts["num_modes"]
        return facts

    def _forward(self, x_BCHW: Tensor) -> AttributeLogits:
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
