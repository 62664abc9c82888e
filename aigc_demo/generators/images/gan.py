"""A GAN as an image model: generator and discriminator, loaded from its folder."""

# Shapes: N images, C channels, H rows, W columns, Z latent features, L layers that take a style, S features
# of a style.

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.config import Settings
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.data.images.pixels import to_float, to_uint8
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.images.latents import arithmetic, as_long_as_usual, latents
from aigc_demo.generators.images.model import ImageSampling, Progress
from aigc_demo.generators.network_folder import checked, loaded
from aigc_demo.generators.trained_folder import DISCRIMINATOR, GENERATOR
from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator
from aigc_demo.nets.images.style_generator import StyleConfig, StyleGenerator

MOST_AT_ONCE = 64
# The generator of each recipe, and the settings of its config.json.
GENERATORS: dict[str, tuple[type[nn.Module], type[Settings]]] = {
    "dcgan": (Generator, DcganConfig),
    "stylegan": (StyleGenerator, StyleConfig),
}


class GanImages:
    """Images of a generator, and the scores of its discriminator.

    Args:
        name: to show.
        generator: from noise to images in -1 to 1.
        discriminator: from images to scores.
        family: whose it is.
    """

    def __init__(self, name: str, generator: nn.Module, discriminator: nn.Module, family: Family = "ours"):
        self.name, self.family = name, family
        self.generator, self.discriminator = generator.eval(), discriminator.eval()
        config: Any = generator.config
        self.image_size: int = config.image_size
        self.latent_size: int = config.latent_size
        networks = (generator, discriminator)
        self.num_parameters = sum(weight.numel() for part in networks for weight in part.parameters())

    @property
    def has_styles(self) -> bool:
        """Whether styles of two images can be mixed."""
        return isinstance(self.generator, StyleGenerator)

    def make(self, seeds: Sequence[int], sampling: ImageSampling, progress: Progress | None = None) -> Tensor:
        """As ImageModel; a GAN makes an image in one step."""
        return self.of_latents(latents(seeds, self.latent_size), sampling.truncation)

    @torch.inference_mode()
    def of_latents(self, z_NZ: Tensor, truncation: float = 1.0) -> Tensor:
        """Images of latents.

        Args:
            z_NZ: the noise.
            truncation: what styles, or latents where there are none, are multiplied with, seen from their
                mean: less variety, fewer failures.

        Returns:
            uint8 [N, C, H, W].
        """
        images = [self._generate(part_NZ, truncation) for part_NZ in z_NZ.split(MOST_AT_ONCE)]
        return to_uint8(torch.cat(images))

    def _generate(self, z_NZ: Tensor, truncation: float) -> Tensor:
        if isinstance(self.generator, StyleGenerator):
            return self.generator(z_NZ, truncation=truncation)
        return self.generator(z_NZ * truncation)

    @torch.inference_mode()
    def of_sum(self, groups: Sequence[Tensor], truncation: float = 1.0) -> Tensor:
        """Images of three means, A, B and C, and of A - B + C.

        A style-based generator calculates with its styles, w: the mapping network turns a latent into
        a style that describes the image, so that means and differences of w are those of what is shown.

        Args:
            groups: the latents of A, of B and of C, each [N, Z].
            truncation: as `of_latents`, of all four.

        Returns:
            uint8 [4, C, H, W].

        Source:
            Radford et al. 2015, arXiv:1511.06434, section 6.3.2; styles: Karras et al. 2018,
            arXiv:1812.04948, section 4.
        """
        if not isinstance(self.generator, StyleGenerator):
            means = [as_long_as_usual(group_NZ.mean(0)) for group_NZ in groups]
            return self.of_latents(torch.stack([*means, arithmetic(*groups)]), truncation)
        a, b, c = (self.generator.styles(group_NZ)[:, 0].mean(0) for group_NZ in groups)
        w_4S = torch.lerp(
            self.generator.mean_style.to(a.dtype), torch.stack([a, b, c, a - b + c]), truncation
        )
        num_layers = self.generator.config.num_styles
        return to_uint8(self.generator.synthesize(w_4S[:, None].expand(-1, num_layers, -1)))

    @torch.inference_mode()
    def mixed(self, coarse_Z: Tensor, fine_Z: Tensor, sampling: ImageSampling) -> Tensor:
        """Style mixing: one image for each crossover layer.

        Args:
            coarse_Z: gives the first layers their style: what is where.
            fine_Z: gives the others theirs: colours and details.
            sampling: for its truncation.

        Returns:
            uint8 [L + 1, C, H, W], from all fine to all coarse.

        Raises:
            InputError: this generator has no styles.
        """
        if not isinstance(self.generator, StyleGenerator):
            raise InputError("no_styles", model=self.name)
        styles_2LS = self.generator.styles(torch.stack([coarse_Z, fine_Z]), sampling.truncation)
        num_layers = styles_2LS.shape[1]
        taken_KL = torch.arange(num_layers) < torch.arange(num_layers + 1)[:, None]
        mixed_KLS = torch.where(taken_KL[:, :, None], styles_2LS[0], styles_2LS[1])
        return to_uint8(self.generator.synthesize(mixed_KLS))

    @torch.inference_mode()
    def discriminate(self, image_NCHW: Tensor) -> Tensor:
        """How sure the discriminator is that images are real, [N] in 0 to 1.

        Args:
            image_NCHW: uint8, of the size that it was trained on.
        """
        parts = [self.discriminator(to_float(part)) for part in image_NCHW.split(MOST_AT_ONCE)]
        return torch.cat(parts).sigmoid()


def load_gan(entry: CatalogEntry) -> GanImages:
    """A GAN by its entry in the catalog.

    Raises:
        InputError: a network is missing, damaged, or of another kind.
    """
    return GanImages(entry.name, *load_networks(Path(entry.location)), family=entry.family)


def load_networks(folder: Path) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator in a GAN's folder, in evaluation mode, float32.

    Raises:
        InputError: one of them is missing, damaged, or of another kind.
    """
    return load_generator(folder), load_discriminator(folder)


def load_generator(folder: Path) -> nn.Module:
    """The generator in a GAN's folder.

    Raises:
        InputError: it is missing, damaged, or of another kind.
    """
    generator: nn.Module = loaded(*GENERATORS[_recipe_of(folder)], folder / GENERATOR)
    return generator


def load_discriminator(folder: Path) -> nn.Module:
    """The discriminator in a GAN's folder.

    Raises:
        InputError: it is missing, damaged, or of another kind.
    """
    return loaded(Discriminator, DcganConfig, folder / DISCRIMINATOR)


def check_networks(folder: Path) -> str:
    """Look at both networks of a GAN's folder without loading them.

    Returns:
        The name of the recipe that trained it.

    Raises:
        InputError: one of them is missing, damaged, or of another kind.
    """
    recipe = _recipe_of(folder)
    checked(*GENERATORS[recipe], folder / GENERATOR)
    checked(Discriminator, DcganConfig, folder / DISCRIMINATOR)
    return recipe


def _recipe_of(folder: Path) -> str:
    """The recipe that a GAN's folder names; the first one where it names none of them."""
    recipe = read_json(folder / GENERATOR / "config.json").get("recipe")
    return recipe if isinstance(recipe, str) and recipe in GENERATORS else next(iter(GENERATORS))
