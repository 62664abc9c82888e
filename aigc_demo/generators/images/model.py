"""The protocol of image models: ours, the library's and pretrained ones."""

# Shapes: N images, C channels, H rows, W columns.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from aigc_demo.core.config import Settings, setting
from aigc_demo.generators.catalog_entry import Family

# Called with the step, the number of steps and the current images, uint8 [N, C, H, W]; true cancels.
Progress = Callable[[int, int, Tensor], bool]


@dataclass(frozen=True)
class ImageSampling(Settings):
    """Settings of image sampling; a model ignores those that it does not use."""

    truncation: float = setting(
        1.0, "how far from the mean image a GAN may go; 1 as far as in training", low=0, high=1.5
    )
    num_inference_steps: int = setting(20, "steps in which diffusion takes the noise away", low=1, high=1000)


class ImageModel(Protocol):
    """A model that generates images from seeds."""

    name: str
    family: Family
    image_size: int

    def make(self, seeds: Sequence[int], sampling: ImageSampling, progress: Progress | None = None) -> Tensor:
        """One image for each seed, independent of the other seeds in the batch.

        Args:
            seeds: of the noise.
            sampling: how.
            progress: called on the way by a model that works in steps.

        Returns:
            uint8 [N, C, H, W].
        """
