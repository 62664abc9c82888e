"""How a training of a picture encoder is put together from an order."""

from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import prepare_images
from aigc_demo.nets.image_encoder import ImageEncoder
from aigc_demo.training.classifier.training import ClassifierTraining
from aigc_demo.training.image_settings import ClassifierSettings
from aigc_demo.training.initial_weights import refuse_init
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget


def prepare(
    order: Order, settings: ClassifierSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> ClassifierTraining:
    """Data, network and loop, nothing trained yet.

    Raises:
        InputError: the source has no pictures, or `--init` is given: a minute is all that this takes.
    """
    refuse_init(order, "a classifier")
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    encoder = ImageEncoder(settings.encoder_config(corpus.num_modes))
    return ClassifierTraining(encoder, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: ClassifierSettings) -> list[nn.Module]:
    """The network, as it is without labels; a class adds one row to its last matrix."""
    return [ImageEncoder(settings.encoder_config(0))]
