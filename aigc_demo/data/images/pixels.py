"""Pictures between their three forms: bytes, the numbers that networks compute with, and files."""

# Shapes: N pictures, C channels, H rows, W columns.

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor


def as_numbers(picture_NCHW: "Tensor") -> "Tensor":  # noqa: N803
    """Bytes as numbers from -1 to 1."""
    return picture_NCHW.float().div_(127.5).sub_(1)


def as_bytes(x_NCHW: "Tensor") -> "Tensor":  # noqa: N803
    """Numbers from -1 to 1 as bytes; what lies outside is cut off."""
    return x_NCHW.float().add(1).mul(127.5).round().clamp(0, 255).byte()


def grid(picture_NCHW: "Tensor | np.ndarray", columns: int, *, gap: int = 2) -> Image.Image:  # noqa: N803
    """Pictures side by side in rows, on white.

    Args:
        picture_NCHW: uint8, three channels.
        columns: in a row.
        gap: pixels between two.

    Returns:
        One picture; the last row may not be full.
    """
    pictures = np.asarray(picture_NCHW)
    num, _, height, width = pictures.shape
    columns = max(1, min(columns, num))
    rows = -(-num // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        sheet[top : top + height, left : left + width] = picture.transpose(1, 2, 0)
    return Image.fromarray(sheet)
