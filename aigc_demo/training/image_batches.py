"""Batches of pictures, and of the noise that pictures are made from."""

# Shapes: B pictures of a batch, C channels, H rows, W columns, Z latent features, N pictures in all.

import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.data.images.corpus import ImageCorpus, ImageSettings, augment
from aigc_demo.data.images.pixels import as_numbers


def noise(shape: torch.Size, most: float, rng: torch.Generator) -> Tensor:
    """Noise for pictures, of a strength that each draws for itself, from none to `most`.

    Args:
        shape: [B, C, H, W].
        most: its largest standard deviation.
        rng: on the CPU.
    """
    strength_B = most * torch.rand(shape[0], 1, 1, 1, generator=rng)
    return strength_B * torch.randn(shape, generator=rng)


def with_noise(x_BCHW: Tensor, most: float, rng: torch.Generator) -> Tensor:
    """Pictures with noise on them, as `noise` draws it."""
    return x_BCHW + noise(x_BCHW.shape, most, rng)


class PictureBatches:
    """Pictures drawn anew for every step: a pure function of the seed and the step.

    So a resumed run sees what it would have seen, and two processes share one batch by each taking its rows.

    Args:
        corpus: pictures.
        settings: how they are varied.
        batch_size: B of all processes together.
        seed: of the draw.
    """

    def __init__(self, corpus: ImageCorpus, settings: ImageSettings, batch_size: int, seed: int):
        self.corpus, self.settings, self.batch_size, self.seed = corpus, settings, batch_size, seed

    def stream(self, step: int, part: int = 0) -> torch.Generator:
        """All random numbers of one step; `part` where a step draws several times."""
        return seeded(((self.seed * 1_000_003 + step) * 31 + part) % 2**63)

    def rows(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures [B, C, H, W] in -1 to 1, and which of the corpus they are [B]."""
        index_B = torch.randint(len(self.corpus.train), (self.batch_size,), generator=rng)
        picture_BCHW = augment(self.corpus.train[index_B], self.settings, rng)
        return as_numbers(picture_BCHW), index_B
