"""Decodes pictures in a process of its own: started as a script by `picture_files`, never imported by it.

Decoders of picture formats have had faults that a crafted file can use. So this process can do little: its
memory is limited, it opens no files, it writes none, and when it dies the picture it died on is skipped.
It imports nothing of this project, so that it is up at once.

A request is the length of a file (8 bytes, most significant first) and its content. The answer is one line of
JSON, and after {"format": ...} the pixels, side * side * 3 bytes; {"skipped": reason} stands alone.
"""

import contextlib
import io
import json
import sys
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

MIN_SIDE = 8
MAX_PIXELS = 16_000_000
MEMORY_BYTES = 2**30
CROP_FILTER = Image.Resampling.LANCZOS
DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "I;16N")


class UnusableError(Exception):
    """Why a picture is skipped; its argument is the reason."""


def decoded(content: bytes, side: int, formats: tuple[str, ...]) -> tuple[dict[str, Any], bytes]:
    """The middle square of a picture in the size asked for.

    Args:
        content: of a picture file.
        side: of the result, in pixels.
        formats: those that may be read, in Pillow's names.

    Returns:
        What is to be known of it (format; animated, transparent, rotated, mode), and side * side * 3 bytes.

    Raises:
        UnusableError: no_picture, too_small, too_large, unusual or broken.
    """
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            _check_size(image)
            # A phone's JPEG with a preview beside it is a JPEG to everybody but Pillow.
            form = "JPEG" if image.format == "MPO" else image.format
            about: dict[str, Any] = {"format": form, "mode": image.mode}
            about["animated"] = form != "JPEG" and getattr(image, "n_frames", 1) > 1
            if about["animated"]:
                image.seek(0)
            if form == "JPEG":  # decodes a large one at a half, a quarter or an eighth
                image.draft("RGB" if image.mode == "RGB" else None, (4 * side, 4 * side))
            image.load()
            about["transparent"] = image.has_transparency_data
            about["rotated"] = image.getexif().get(0x0112, 1) in range(2, 9)
            upright = ImageOps.exif_transpose(image)
            return about, _square(_in_colours(upright), side).tobytes()
    except UnusableError:
        raise
    except MemoryError as error:
        raise UnusableError("too_large") from error
    except UnidentifiedImageError as error:
        raise UnusableError("no_picture") from error
    except Exception as error:  # whatever the decoders make of a stranger's file
        raise UnusableError("broken") from error


def _check_size(image: Image.Image) -> None:
    """By the header alone: nothing has been decoded yet."""
    if min(image.size) < MIN_SIDE:
        raise UnusableError("too_small")
    if image.width * image.height > MAX_PIXELS:
        raise UnusableError("too_large")


def _in_colours(image: Image.Image) -> Image.Image:
    """RGB; transparency on white, 16 bits of grey scaled to 8."""
    if image.mode in DEEP_GREY:
        whole = image.convert("I")
        low, high = whole.getextrema()
        if low < 0 or high > 65535:  # type: ignore[operator]
            raise UnusableError("unusual")
        # Pillow cuts off what is above 255 when it goes from 32 bits to 8, so it is scaled before.
        image = whole.convert("F").point(lambda value: value * (1 / 257)).convert("L")
    elif image.mode == "F":
        raise UnusableError("unusual")  # nobody says which number is white
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert(
            "RGB"
        )
    return image.convert("RGB")


def _square(image: Image.Image, side: int) -> Image.Image:
    """The largest square about the middle, resized."""
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    square = image.crop((left, top, left + short, top + short))
    return square.resize((side, side), CROP_FILTER, reducing_gap=3)


def limit_this_process() -> None:
    """Little memory, no files written and no core dump, where the system knows such limits."""
    with contextlib.suppress(ImportError):
        import resource

        for what, limit in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):  # macOS has no limit of addresses
                resource.setrlimit(what, (limit, limit))


def serve(side: int, formats: tuple[str, ...]) -> None:
    """Answer requests until there are no more."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(8):
        content = source.read(int.from_bytes(header, "big"))
        try:
            about, pixels = decoded(content, side, formats)
        except UnusableError as reason:
            about, pixels = {"skipped": str(reason)}, b""
        target.write(json.dumps(about).encode() + b"\n" + pixels)
        target.flush()


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = None  # our own limit is checked, and lower
    Image.preinit()
    Image.init()  # every decoder is loaded before the limits are set
    limit_this_process()
    serve(int(sys.argv[1]), tuple(sys.argv[2:]))
