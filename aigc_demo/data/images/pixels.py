"""Conversions of images: uint8, float from -1 to 1, and a grid in one image."""

# Shapes: N images, C channels, H rows, W columns.

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor


def to_float(image_NCHW: "Tensor") -> "Tensor":  # noqa: N803
    """uint8 to float32 from -1 to 1."""
    return image_NCHW.float().div_(127.5).sub_(1)


def to_uint8(x_NCHW: "Tensor") -> "Tensor":  # noqa: N803
    """Float from -1 to 1 to uint8; values outside are clipped."""
    return x_NCHW.float().add(1).mul(127.5).round().clamp(0, 255).byte()


def grid(image_NCHW: "Tensor | np.ndarray", columns: int, *, gap: int = 2) -> Image.Image:  # noqa: N803
    """Images in a grid, on white.

    Args:
        image_NCHW: uint8, three channels.
        columns: images per row; the last row may not be full.
        gap: in pixels.
    """
    images = np.asarray(image_NCHW)
    num, _, height, width = images.shape
    columns = max(1, min(columns, num))
    rows = -(-num // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return Image.fromarray(sheet)
