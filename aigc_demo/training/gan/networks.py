"""The networks of a GAN recipe, made from its settings."""

# Shapes: B images of a batch, Z latent features, L layers that take a style, W features of a style.

from dataclasses import replace

import torch
from torch import Tensor, nn

from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.images.style_generator import StyleConfig, StyleGenerator
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


def with_style_mixing(
    generator: StyleGenerator, noise_BZ: Tensor, mixing_prob: float, rng: torch.Generator
) -> Tensor:
    """Images in -1 to 1 of which some have another one's styles from a layer on (style mixing).

    Args:
        generator: style-based.
        noise_BZ: latents; the other one of each image is that before it in the batch.
        mixing_prob: of each image.
        rng: of the mixing and of the generator's noise.

    Source:
        Karras et al. 2018, arXiv:1812.04948, section 3.1.
    """
    w_BLW = generator.styles(noise_BZ)
    other_BLW = generator.styles(noise_BZ.roll(1, dims=0))
    num_styles = w_BLW.shape[1]
    mixed_B = torch.rand(len(noise_BZ), generator=rng) < mixing_prob
    from_B = torch.randint(1, num_styles, (len(noise_BZ),), generator=rng)
    swapped_BL = (torch.arange(num_styles) >= from_B[:, None]) & mixed_B[:, None]
    w_BLW = torch.where(swapped_BL[:, :, None].to(w_BLW.device), other_BLW, w_BLW)
    return generator.synthesize(w_BLW, rng)


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
