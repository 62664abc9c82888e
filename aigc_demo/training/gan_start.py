"""How a training of a generator and a discriminator is put together from an order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images import prepare_pictures
from aigc_demo.generators.gan_pictures import load_networks
from aigc_demo.nets.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.style_generator import StyleGenerator
from aigc_demo.training.gan import GanTraining
from aigc_demo.training.order import Order, model_to_go_on_from
from aigc_demo.training.picture_settings import GanSettings, StyleGanSettings
from aigc_demo.training.settings import Budget

FEWEST_PICTURES = 2


def prepare(
    order: Order, settings: GanSettings, budget: Budget, run: RunDirectory, checkpoint: Path | None
) -> GanTraining:
    """Data, networks and loop, nothing trained yet.

    Raises:
        InputError: the source has no pictures, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pictures(order.source, settings)
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


def take_over(order: Order, new: Sequence[nn.Module], load: Callable[[Path], Sequence[nn.Module]]) -> None:
    """Put the weights of the model that `--init` names into new networks.

    Args:
        order: which.
        new: networks of the recipe's.
        load: that model's, in the same order, from its folder.

    Raises:
        InputError: there is none, or it has another shape.
    """
    entry = model_to_go_on_from(order)
    for network, old in zip(new, load(Path(entry.location)), strict=True):
        shape = _shape(network)
        for name, was in _shape(old).items():
            if was != (now := shape.get(name)):
                raise InputError("init_differs", path=str(order.init), name=name, old=was, new=now)
        network.load_state_dict(old.state_dict())


def _shape(network: nn.Module) -> dict[str, Any]:
    return network.config.to_dict()  # type: ignore[operator, union-attr]
