"""The networks of the text-to-image GAN, made from its settings."""

# Shapes: B images of a batch, T tokens of a caption, C features of a token or channels, E size of an
# embedding, Z latent features, H rows, W columns.

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.data.captions.pairs import LONGEST
from aigc_demo.nets.text_to_image.conditional_gan import (
    ConditionalConfig,
    ConditionalDiscriminator,
    ConditionalGenerator,
)
from aigc_demo.training.family import ForwardPasses, empty_images
from aigc_demo.training.text_to_image.captions import EncodedCaptions
from aigc_demo.training.text_to_image.recipe import TextToImageSettings

COUNTED_SIZE = 128  # of a token and of a caption, where no guide is loaded yet


def networks(recipe: str, settings: TextToImageSettings) -> list[nn.Module]:
    """The generator and the discriminator, for a guide of the usual size."""
    return list(generator_and_discriminator(settings, COUNTED_SIZE, COUNTED_SIZE))


def generator_and_discriminator(
    settings: TextToImageSettings, token_size: int, text_size: int
) -> tuple[ConditionalGenerator, ConditionalDiscriminator]:
    """Both, untrained.

    Args:
        token_size: features of a token, as the guide's text encoder gives them.
        text_size: size of the guide's embeddings.
    """
    shape = ConditionalConfig(
        image_size=settings.image_size,
        latent_size=settings.latent_size,
        token_size=token_size,
        text_size=text_size,
        hidden_size=settings.hidden_size,
        num_layers=settings.num_layers,
        reading_layers=settings.reading_layers,
        context_length=LONGEST,
        num_heads=settings.num_heads,
        num_features=settings.num_features,
        norm=settings.discriminator_norm,
    )
    return ConditionalGenerator(shape), ConditionalDiscriminator(replace(shape, part="discriminator"))


@dataclass(frozen=True, eq=False)
class ConditionedNoise:
    """Noise vectors [B, Z], and a caption for each."""

    noise_BZ: Tensor
    texts: EncodedCaptions


def conditioned_images(network: nn.Module, noise_BZ: Tensor, texts: EncodedCaptions) -> Tensor:
    """Images [B, C, H, W] in -1 to 1 of noise and captions."""
    images_BCHW: Tensor = network(noise_BZ, texts.tokens_BTC, texts.mask_BT, texts.text_BE)
    return images_BCHW


class ConditionedGenerator(nn.Module):
    """A generator that takes noise and captions as one argument, as torch's update_bn passes it on."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, batch: ConditionedNoise) -> Tensor:
        """Images [B, C, H, W] in -1 to 1."""
        return conditioned_images(self.network, batch.noise_BZ, batch.texts)


def forward_passes(parts: list[nn.Module], settings: TextToImageSettings) -> ForwardPasses:
    """The generator for each noise vector that is drawn; the discriminator on three kinds of pairs.

    They are generated images, real ones, and real ones with another image's caption. The R1 penalty is a
    gradient of a gradient, which keeps what both of its passes keep.
    """
    generator: Any
    generator, discriminator = parts
    B = settings.batch_size
    tokens_BTC = torch.empty(B, LONGEST, generator.config.token_size)
    text_BE, mask_BT = torch.empty(B, generator.config.text_size), torch.ones(B, LONGEST, dtype=torch.bool)
    num_judged = 3 + (2 if settings.r1_gamma else 0)
    return [
        (
            max(1, settings.choices),
            lambda: generator(torch.empty(B, settings.latent_size), tokens_BTC, mask_BT, text_BE),
        ),
        (num_judged, lambda: discriminator(empty_images(settings).requires_grad_(), text_BE)),
    ]
