"""Image files: a sheet, single images, a looping animation."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

GAP = 1
SHEET_COLUMNS = 8
FRAME_MILLISECONDS = 80
LOOP_SIDE = 256


def sheet_png(images: "Tensor", columns: int = SHEET_COLUMNS) -> bytes:
    """Images uint8 [N, C, H, W] beside each other in rows, as they are, as a PNG."""
    from aigc_demo.data.images.pixels import grid

    return _png(grid(images, columns, gap=GAP))


def single_pngs(images: "Tensor") -> list[bytes]:
    """Each of the images uint8 [N, C, H, W] as a PNG."""
    return [_png(image) for image in _images(images)]


def loop_webp(images: "Tensor") -> bytes:
    """A lossless animated WebP that loops forth and back through images uint8 [N, C, H, W].

    Each pixel becomes a square, so that nothing is smoothed away.
    """
    from PIL import Image

    side = images.shape[-1]
    factor = max(1, LOOP_SIDE // side)
    frames = [
        image.resize((factor * side, factor * side), Image.Resampling.NEAREST) for image in _images(images)
    ]
    there_and_back = [*frames, *frames[-2:0:-1]]
    file = io.BytesIO()
    there_and_back[0].save(
        file,
        format="WEBP",
        save_all=True,
        append_images=there_and_back[1:],
        lossless=True,
        duration=FRAME_MILLISECONDS,
        loop=0,
    )
    return file.getvalue()


def _images(images: "Tensor") -> "list[Image]":
    from PIL import Image

    return [Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()) for image in images]


def _png(image: "Image") -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()
