"""The networks of a GAN recipe, made from its settings."""

# Shapes: B images of a batch, Z latent features.

from dataclasses import replace

import torch
from torch import Tensor, nn

from aigc_demo.nets.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.style_generator import StyleConfig, StyleGenerator
from aigc_demo.training.family import ForwardPasses, empty_images
from aigc_demo.training.gan.recipe import GanSettings, StyleGanSettings


def networks(recipe: str, settings: GanSettings) -> list[nn.Module]:
    """The generator and the discriminator of a recipe, untrained."""
    shape = DcganConfig(
        image_size=settings.image_size,
        latent_size=settings.latent_size,
        num_features=settings.num_features,
        recipe=recipe,
    )
    discriminator = Discriminator(replace(shape, part="discriminator", norm=settings.discriminator_norm))
    if isinstance(settings, StyleGanSettings):
        return [StyleGenerator(_style_config(settings)), discriminator]
    return [Generator(shape), discriminator]


def _style_config(settings: StyleGanSettings) -> StyleConfig:
    return StyleConfig(
        image_size=settings.image_size,
        latent_size=settings.latent_size,
        style_size=settings.style_size,
        num_mapping_layers=settings.num_mapping_layers,
        width=settings.width,
    )


def forward_passes(parts: list[nn.Module], settings: GanSettings) -> ForwardPasses:
    """The generator once; the discriminator on real and on generated images.

    The R1 penalty is a gradient of a gradient, which keeps what both of its passes keep.
    """
    generator, discriminator = parts
    noise_BZ = torch.empty(settings.batch_size, settings.latent_size)

    def generate() -> Tensor:
        if isinstance(generator, StyleGenerator):
            return generator.synthesize(generator.styles(noise_BZ))
        return generator(noise_BZ)

    num_judged = 2 + (2 if settings.r1_gamma else 0)
    return [(1, generate), (num_judged, lambda: discriminator(empty_images(settings).requires_grad_()))]
