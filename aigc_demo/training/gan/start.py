"""How a training of a generator and a discriminator is put together from an order."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import prepare_images
from aigc_demo.generators.images.gan import load_networks
from aigc_demo.nets.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.style_generator import StyleGenerator
from aigc_demo.training.gan.training import GanTraining
from aigc_demo.training.image_settings import GanSettings, StyleGanSettings
from aigc_demo.training.initial_weights import take_over
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget

FEWEST_PICTURES = 2


def prepare(
    order: Order, settings: GanSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> GanTraining:
    """Data, networks and loop, nothing trained yet.

    Raises:
        InputError: the source has no pictures, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_images(order.source, settings)
    torch.manual_seed(order.seed)
    generator, discriminator = networks(order.recipe, settings)
    if order.init is not None and checkpoint is None:
        take_over(order, (generator, discriminator), load_networks)
    return GanTraining(generator, discriminator, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: GanSettings) -> list[nn.Module]:
    """The generator and the discriminator of a recipe, with random weights."""
    shape = DcganConfig(
        image_size=settings.image_size,
        latent_size=settings.latent_size,
        num_features=settings.num_features,
        recipe=recipe,
    )
    discriminator = Discriminator(replace(shape, part="discriminator", norm=settings.discriminator_norm))
    if isinstance(settings, StyleGanSettings):
        return [StyleGenerator(settings.style_config()), discriminator]
    return [Generator(shape), discriminator]
