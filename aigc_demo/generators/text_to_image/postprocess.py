"""Postprocessing: denoise, colorize, inpaint, enlarge.

Denoising and enlarging are Pillow's; colours and repairs come from networks of ours
(`generators/text_to_image/restoration`).
"""

# Shapes: N images, C channels, H rows, W columns.

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError
from aigc_demo.nets.options import COLORIZE

if TYPE_CHECKING:
    from aigc_demo.generators.text_to_image.restoration import ImageRestoration

MEDIAN = 3  # rows and columns of which a pixel becomes the median
SHARPER = ImageFilter.UnsharpMask(radius=1.5, percent=60, threshold=2)


@dataclass(frozen=True)
class PostProcessing(Settings):
    """The steps of postprocessing, applied in this order."""

    denoise: bool = setting(False, "take single odd pixels out: each becomes the median of its neighbours")
    colorize: bool = setting(False, "forget the colours and let a network guess them from the brightness")
    enlarge: int = setting(1, "how many times as wide and high, Lanczos", choices=(1, 2, 4))


def post_processed(
    images_NCHW: Tensor, settings: PostProcessing, restoration: "Callable[[str], ImageRestoration]"
) -> Iterator[tuple[str, Tensor]]:
    """The images after each step that is taken.

    Args:
        images_NCHW: uint8.
        settings: which steps.
        restoration model: gives the network of a recipe by the recipe's name.

    Yields:
        The step's name as in `PostProcessing`, and uint8 images; the last ones may be larger.
    """
    if settings.denoise:
        images_NCHW = denoised(images_NCHW)
        yield "denoise", images_NCHW
    if settings.colorize:
        images_NCHW = restoration(COLORIZE).restored(images_NCHW)
        yield COLORIZE, images_NCHW
    if settings.enlarge > 1:
        images_NCHW = enlarged(images_NCHW, settings.enlarge)
        yield "enlarge", images_NCHW


def denoised(images_NCHW: Tensor) -> Tensor:
    """A 3 x 3 median filter by channel, which removes outliers.

    Source:
        Pillow's `ImageFilter.MedianFilter`.
    """
    return _each(images_NCHW, lambda image: image.filter(ImageFilter.MedianFilter(MEDIAN)))


def enlarged(images_NCHW: Tensor, factor: int) -> Tensor:
    """Upscale by Lanczos resampling, then sharpen a little.

    Source:
        Pillow's `Image.resize` with `Resampling.LANCZOS` and `ImageFilter.UnsharpMask`.
    """

    def larger(image: Image.Image) -> Image.Image:
        size = (factor * image.width, factor * image.height)
        return image.resize(size, Image.Resampling.LANCZOS).filter(SHARPER)

    return _each(images_NCHW, larger)


def repaired(image_CHW: Tensor, hole_HW: Tensor, restoration: "ImageRestoration") -> Tensor:
    """An image with the masked region inpainted.

    Args:
        image_CHW: uint8.
        hole_HW: true where it was painted over.
        restoration model: of the recipe `inpaint`.

    Raises:
        InputError: nothing was painted over, or everything, so that there is nothing to go by.
    """
    painted = int(hole_HW.sum())
    if not 0 < painted < hole_HW.numel():
        raise InputError("nothing_painted" if not painted else "all_painted")
    return restoration.restored(image_CHW[None], hole_HW[None, None].to(torch.uint8))[0]


def _each(images_NCHW: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    images = [Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0))) for image in images_NCHW]
    return torch.stack([torch.from_numpy(np.array(change(image))).permute(2, 0, 1) for image in images])
