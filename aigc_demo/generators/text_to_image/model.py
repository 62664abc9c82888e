"""The protocol of text-to-image models and their sampling settings."""

# Shapes: N images, C channels, H rows, W columns.

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aigc_demo.core.config import Settings, setting
from aigc_demo.generators.catalog_entry import Family

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.generators.images.model import Progress

SCHEDULERS = ("ddim", "ddpm", "dpm", "euler")


@dataclass(frozen=True)
class TextSampling(Settings):
    """Settings of text-to-image sampling; a model ignores those that it does not use."""

    truncation: float = setting(
        1.0, "how far from the mean image a GAN may go; 1 as far as in training", low=0, high=1.5
    )
    guidance_scale: float = setting(
        2.0,
        "how much more a diffusion model heeds the caption than without it; 1 for no more",
        low=0,
        high=30,
    )
    num_inference_steps: int = setting(20, "steps in which diffusion takes the noise away", low=1, high=1000)
    scheduler: str = setting("ddim", "how diffusion goes from step to step", choices=SCHEDULERS)


class TextToImageModel(Protocol):
    """A text-to-image model."""

    name: str
    family: Family
    image_size: int
    num_parameters: int

    def make(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        sampling: TextSampling,
        progress: "Progress | None" = None,
    ) -> "Tensor":
        """One image for each caption and seed, independent of the others in the batch.

        Args:
            texts: captions, one for each image.
            seeds: of the noise, likewise.
            sampling: how.
            progress: called on the way by a model that works in steps.

        Returns:
            uint8 [N, C, H, W].
        """
