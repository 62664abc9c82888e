"""Our text-to-image GAN, and the loader of all text-to-image models.

It is three networks in one folder: a dual encoder that reads the caption, the generator, and the
discriminator that it was trained against.
"""

# Shapes: N images, C channels, H rows, W columns, T tokens, P places of the generator's grid.

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from aigc_demo.data.images.pixels import to_float, to_uint8
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.images.latents import latents
from aigc_demo.generators.images.model import Progress
from aigc_demo.generators.kinds import TEXT_TO_IMAGE, check_kind
from aigc_demo.generators.network_folder import loaded
from aigc_demo.generators.text_to_image.matching import Matcher, matcher_in
from aigc_demo.generators.text_to_image.model import TextSampling, TextToImageModel
from aigc_demo.generators.trained_folder import DISCRIMINATOR, GENERATOR, MATCHER, trained_loader
from aigc_demo.nets.text_to_image.conditional_gan import (
    ConditionalConfig,
    ConditionalDiscriminator,
    ConditionalGenerator,
)
from aigc_demo.nets.text_to_image.contrastive import token_mask

MOST_AT_ONCE = 64


class GanTextToImage:
    """Our text-to-image GAN: from a caption and a seed to an image.

    Args:
        name: to show.
        generator: from noise and what the matcher read to images.
        discriminator: from images and captions to scores.
        matcher: reads captions.
    """

    family: Family = "ours"

    def __init__(
        self,
        name: str,
        generator: ConditionalGenerator,
        discriminator: ConditionalDiscriminator,
        matcher: Matcher,
    ):
        self.name, self.matcher = name, matcher
        self.generator, self.discriminator = generator.eval(), discriminator.eval()
        self.image_size = generator.config.image_size
        self.latent_size = generator.config.latent_size
        parts: list[nn.Module] = [generator, matcher.encoder.text_encoder]
        self.num_parameters = sum(weight.numel() for part in parts for weight in part.parameters())

    @torch.inference_mode()
    def make(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        sampling: TextSampling,
        progress: Progress | None = None,
    ) -> Tensor:
        """As TextToImageModel; a GAN makes an image in one step."""
        batches = []
        for start in range(0, len(texts), MOST_AT_ONCE):
            part = slice(start, start + MOST_AT_ONCE)
            z_NZ = latents(seeds[part], self.latent_size) * sampling.truncation
            batches.append(self._drawn(texts[part], z_NZ))
        return to_uint8(torch.cat(batches))

    def knows(self, text: str) -> bool:
        """Whether any word of a caption is in its vocabulary."""
        return bool(self.matcher.ids([text]).any())

    @torch.inference_mode()
    def looks(self, text: str, seed: int, truncation: float = 1.0) -> Tensor:
        """Cross-attention weights of each position and word, [blocks, P, 1 + T], averaged over heads.

        The first column is the caption as a whole.
        """
        taken: list[Tensor] = []
        self._drawn([text], latents([seed], self.latent_size) * truncation, taken)
        return torch.stack([weights_1HPT[0].mean(dim=0) for weights_1HPT in taken])

    @torch.inference_mode()
    def discriminate(self, images_NCHW: Tensor, texts: Sequence[str]) -> Tensor:
        """How sure the discriminator is that images are real ones of these captions, [N] in 0 to 1.

        Args:
            images_NCHW: uint8, of its size.
            texts: one for each image.
        """
        return self.discriminator(to_float(images_NCHW), self.matcher.of_texts(texts)).sigmoid()

    def _drawn(self, texts: Sequence[str], z_NZ: Tensor, attention_out: list[Tensor] | None = None) -> Tensor:
        ids_NT = self.matcher.ids(texts)
        encoder = self.matcher.encoder
        tokens_NTC = encoder.encode_text(ids_NT)
        text_NE = encoder.pool_text(tokens_NTC, ids_NT)
        return self.generator(z_NZ, tokens_NTC, token_mask(ids_NT), text_NE, attention_out)


def load_text_gan(entry: CatalogEntry) -> GanTextToImage:
    """Our text-to-image model by its entry in the catalog.

    Raises:
        InputError: a network is missing, damaged, or of another kind.
    """
    folder = Path(entry.location)
    return GanTextToImage(entry.name, *load_networks(folder), matcher_in(folder / MATCHER))


def load_networks(folder: Path) -> tuple[ConditionalGenerator, ConditionalDiscriminator]:
    """The generator and the discriminator in a model's folder, in evaluation mode, float32.

    Raises:
        InputError: one of them is missing, damaged, or of another kind.
    """
    return (
        loaded(ConditionalGenerator, ConditionalConfig, folder / GENERATOR),
        loaded(ConditionalDiscriminator, ConditionalConfig, folder / DISCRIMINATOR),
    )


def load_text_to_image(
    name_or_entry: str | CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> TextToImageModel:
    """A text-to-image model by name.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: there is no such model, or its folder is broken or holds another kind.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    entry = find(name_or_entry) if isinstance(name_or_entry, str) else name_or_entry
    check_kind(entry.name, entry.kind, TEXT_TO_IMAGE)
    if load := trained_loader(entry):
        trained: TextToImageModel = load(entry)
        return trained
    # diffusers and transformers take seconds to import, and our own models need nothing of them.
    from aigc_demo.generators.text_to_image.stable_diffusion import load_stable_diffusion

    return load_stable_diffusion(entry, progress)
