"""Decodes pictures in a process of its own: started as a script by `image_files`, never imported by it.

Decoders of picture formats have had faults that a crafted file can use. So this process can do little: its
memory is limited, it opens no files, it writes none, and when it dies the picture it died on is skipped.
It imports nothing of this project, so that it is up at once.

A request is the length of a file (8 bytes, most significant first) and its content. The answer is one line of
JSON, and after {"format": ...} the pixels, side * side * 3 bytes; {"skipped": reason} stands alone.
"""

import contextlib
import io
import json
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import AvifImagePlugin, Image, ImageChops, UnidentifiedImageError

MIN_SIDE = 8
MAX_PIXELS = 16_000_000
MEMORY_BYTES = 2**30
CROP_FILTER = Image.Resampling.LANCZOS
DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "I;16N")
WHITE = (255, 255, 255)
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_AT, PALETTE = 25, b"\x03"  # the kind of colours in the header, and those by their number
PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
# Whether it is animated, and which side is up; the latter may stand in a text of these names too.
NOTES = {b"acTL", b"fcTL", b"fdAT", b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp"}
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


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
    if not content.startswith(PNG_SIGNATURE):
        return _decoded(content, side, formats)
    key = _transparent_colour(content)
    kinds = PIXELS | {b"tRNS"} if content[COLOUR_AT : COLOUR_AT + 1] == PALETTE else PIXELS
    try:
        return _decoded(_png_of(content, kinds | NOTES), side, formats, key)
    except UnusableError as error:
        if str(error) not in ("broken", "no_picture"):
            raise
        return _decoded(_png_of(content, kinds), side, formats, key)  # a broken note breaks no picture


def _decoded(
    content: bytes, side: int, formats: tuple[str, ...], key: "_Key | None" = None
) -> tuple[dict[str, Any], bytes]:
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
            about["transparent"] = key is not None or image.has_transparency_data
            turn = _turn(image)
            about["rotated"] = turn is not None
            colours = _in_colours(image)
            if key is not None:
                colours.paste(WHITE, mask=key.mask(image, content))
            upright = colours if turn is None else colours.transpose(turn)
            return about, _square(upright, side).tobytes()
    except UnusableError:
        raise
    except MemoryError as error:
        raise UnusableError("too_large") from error
    except UnidentifiedImageError as error:
        # The container of HEIC, which phones write, and of AVIF where Pillow was built without it.
        raise UnusableError("other_format" if content[4:8] == b"ftyp" else "no_picture") from error
    except Exception as error:  # whatever the decoders make of a stranger's file
        raise UnusableError("broken") from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What puts a picture upright; where nobody can read what it says of that, nothing."""
    with contextlib.suppress(Exception):  # whatever Pillow makes of a damaged note
        return UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    return None


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a PNG file: the kind of each, and its data; one that is cut off is the last."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND":
            return


def _png_of(content: bytes, kinds: set[bytes]) -> bytes:
    """A PNG file without the parts that are not of these kinds: nobody here reads texts and profiles.

    Pillow refuses texts that are large, and profiles too, since they may unpack to anything.
    """
    kept, at = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    for kind, data in _chunks(content):
        end = at + 12 + len(data)
        name = data[:80].partition(b"\0")[0] if kind in TEXTS else kind
        if name in kinds:
            kept.append(content[at:end])
        at = end
    return b"".join(kept)


@dataclass(frozen=True)
class _Key:
    """The one colour of a PNG picture without alpha that is transparent.

    Args:
        depth: bits of a sample.
        colour: one sample of grey, or three.
    """

    depth: int
    colour: tuple[int, ...]

    def mask(self, image: Image.Image, content: bytes) -> Image.Image:
        """255 where a picture has this colour, 0 elsewhere; Pillow is right for some depths only.

        Args:
            image: without its transparent colour.
            content: the PNG file that it was decoded from.
        """
        if self.depth == 16:
            high, low = _halves(content)
            wanted = [sample >> 8 for sample in self.colour] + [sample & 255 for sample in self.colour]
            return _equal([*high.split(), *low.split()], wanted)
        scale = 255 // (2**self.depth - 1)
        bands = image.convert("L" if len(self.colour) == 1 else "RGB").split()
        return _equal(list(bands), [sample * scale for sample in self.colour])


def _transparent_colour(content: bytes) -> _Key | None:
    """The transparent colour of a PNG picture of grey or of red, green and blue, if it names one."""
    found = dict(_chunks(content))
    header, samples = found.get(b"IHDR", b""), found.get(b"tRNS")
    if len(header) != 13 or samples is None or header[9] not in (0, 2):
        return None
    depth, count = header[8], 1 if header[9] == 0 else 3
    if depth not in (1, 2, 4, 8, 16) or len(samples) != 2 * count:
        return None
    return _Key(depth, tuple(sample & (2**depth - 1) for sample in struct.unpack(f">{count}H", samples)))


def _equal(bands: list[Image.Image], wanted: list[int]) -> Image.Image:
    """255 where every band has its value, 0 elsewhere."""
    masks = [
        band.point([255 * (value == one) for value in range(256)])
        for band, one in zip(bands, wanted, strict=True)
    ]
    whole = masks[0]
    for mask in masks[1:]:
        whole = ImageChops.darker(whole, mask)
    return whole


def _halves(content: bytes) -> tuple[Image.Image, Image.Image]:
    """The upper and the lower bytes of a PNG picture with 16 bits a sample, as two pictures with 8 bits.

    Pillow gives the upper bytes of colours only. A PNG row is filtered byte by byte, each with the bytes of
    the same place in its neighbours' samples, so every other byte of its rows is a PNG of its own.
    """
    header = next(data for kind, data in _chunks(content) if kind == b"IHDR")
    width, height, _, colour = struct.unpack_from(">IIBB", header)
    steps = ADAM7 if header[12] else ((0, 0, 1, 1),)
    parts = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in steps]
    parts = [(across, down) for across, down in parts if across > 0 and down > 0]
    row_bytes = [1 + 2 * across * (3 if colour == 2 else 1) for across, _ in parts]
    size = sum(length * down for length, (_, down) in zip(row_bytes, parts, strict=True))
    packed = b"".join(data for kind, data in _chunks(content) if kind == b"IDAT")
    raw = zlib.decompressobj().decompress(packed, size)
    if len(raw) < size:
        raise UnusableError("broken")
    halves = []
    for half in (0, 1):
        rows, at = bytearray(), 0
        for length, (_, down) in zip(row_bytes, parts, strict=True):
            for _ in range(down):
                rows += raw[at : at + 1]
                rows += raw[at + 1 + half : at + length : 2]
                at += length
        halves.append(Image.open(io.BytesIO(_png(header[:8] + b"\x08" + header[9:], rows)), formats=("PNG",)))
    return halves[0], halves[1]


def _png(header: bytes, rows: bytes | bytearray) -> bytes:
    """A PNG file of filtered rows."""
    file = [PNG_SIGNATURE]
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")):
        file += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(file)


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
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each more takes addresses, which are limited
    limit_this_process()
    serve(int(sys.argv[1]), tuple(sys.argv[2:]))
