"""Decodes images in a sandboxed subprocess: `image_files` starts this file as a script, and never imports it.

Image decoders have had vulnerabilities that a crafted file can exploit. So this process has few rights: its
memory is limited, it opens and writes no files, and if it crashes the current image is skipped. It imports
nothing of this project, so that it starts fast.

A request is the length of a file (8 bytes, big-endian) and its content. The response is one line of JSON,
either {"format": ..., ...} followed by the pixels, side * side * 3 bytes, or {"skipped": reason}.
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
COLOUR_TYPE_OFFSET, PALETTE = 25, b"\x03"  # of the colour type in a PNG header, and indexed colour
PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
# Animation and orientation; the latter may also be in a text chunk with one of these keywords.
NOTES = {b"acTL", b"fcTL", b"fdAT", b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp"}
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class UnusableError(Exception):
    """An image is skipped; the argument is the reason."""


def decoded(content: bytes, side: int, formats: tuple[str, ...]) -> tuple[dict[str, Any], bytes]:
    """Decode an image file, crop the central square and resize it.

    Args:
        content: of the file.
        side: of the result, in pixels.
        formats: allowed ones, in Pillow's names.

    Returns:
        Properties (format, mode, animated, transparent, rotated), and side * side * 3 bytes.

    Raises:
        UnusableError: no_picture, other_format, too_small, too_large, unusual or broken.
    """
    if not content.startswith(PNG_SIGNATURE):
        return _decoded(content, side, formats)
    key = _transparent_colour(content)
    colour_type = content[COLOUR_TYPE_OFFSET : COLOUR_TYPE_OFFSET + 1]
    kinds = PIXELS | {b"tRNS"} if colour_type == PALETTE else PIXELS
    try:
        return _decoded(_png_of(content, kinds | NOTES), side, formats, key)
    except UnusableError as error:
        if str(error) not in ("broken", "no_picture"):
            raise
        return _decoded(_png_of(content, kinds), side, formats, key)  # ignore broken metadata


def _decoded(
    content: bytes, side: int, formats: tuple[str, ...], key: "_Key | None" = None
) -> tuple[dict[str, Any], bytes]:
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            _check_size(image)
            # Pillow calls a JPEG with an embedded preview MPO; phones write such files.
            form = "JPEG" if image.format == "MPO" else image.format
            about: dict[str, Any] = {"format": form, "mode": image.mode}
            about["animated"] = form != "JPEG" and getattr(image, "n_frames", 1) > 1
            if about["animated"]:
                image.seek(0)
            if form == "JPEG":  # decode a large image at 1/2, 1/4 or 1/8 of its size
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
        # The container of HEIC, and of AVIF where Pillow was built without it.
        raise UnusableError("other_format" if content[4:8] == b"ftyp" else "no_picture") from error
    except Exception as error:  # decoders raise many classes on invalid files
        raise UnusableError("broken") from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """The transposition that the EXIF orientation asks for; None for upright or invalid EXIF data."""
    with contextlib.suppress(Exception):  # Pillow raises many classes on invalid EXIF data
        return UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    return None


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of each chunk of a PNG file; the last may be truncated."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND":
            return


def _png_of(content: bytes, kinds: set[bytes]) -> bytes:
    """A PNG file with only the chunks of these types.

    Pillow rejects files with large text chunks or colour profiles, which are not needed here.
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
    """The transparent colour of a PNG image without an alpha channel (chunk tRNS).

    Args:
        depth: bits per sample.
        colour: one sample (greyscale) or three (RGB).
    """

    depth: int
    colour: tuple[int, ...]

    def mask(self, image: Image.Image, content: bytes) -> Image.Image:
        """255 where an image has this colour, 0 elsewhere; Pillow's own mask is wrong for some depths.

        Args:
            image: decoded without the chunk tRNS.
            content: the PNG file.
        """
        if self.depth == 16:
            high, low = _halves(content)
            wanted = [sample >> 8 for sample in self.colour] + [sample & 255 for sample in self.colour]
            return _equal([*high.split(), *low.split()], wanted)
        scale = 255 // (2**self.depth - 1)
        bands = image.convert("L" if len(self.colour) == 1 else "RGB").split()
        return _equal(list(bands), [sample * scale for sample in self.colour])


def _transparent_colour(content: bytes) -> _Key | None:
    """The transparent colour of a greyscale or RGB image in PNG format, if it has one."""
    found = dict(_chunks(content))
    header, samples = found.get(b"IHDR", b""), found.get(b"tRNS")
    if len(header) != 13 or samples is None or header[9] not in (0, 2):
        return None
    depth, count = header[8], 1 if header[9] == 0 else 3
    if depth not in (1, 2, 4, 8, 16) or len(samples) != 2 * count:
        return None
    return _Key(depth, tuple(sample & (2**depth - 1) for sample in struct.unpack(f">{count}H", samples)))


def _equal(bands: list[Image.Image], wanted: list[int]) -> Image.Image:
    """255 where every band equals its value, 0 elsewhere."""
    masks = [
        band.point([255 * (value == one) for value in range(256)])
        for band, one in zip(bands, wanted, strict=True)
    ]
    whole = masks[0]
    for mask in masks[1:]:
        whole = ImageChops.darker(whole, mask)
    return whole


def _halves(content: bytes) -> tuple[Image.Image, Image.Image]:
    """The high and low bytes of a PNG image with 16 bits per sample, as two 8-bit images.

    Pillow returns only the high bytes of RGB samples. PNG filters act on each byte separately, with the
    bytes at the same position of neighbouring samples, so every second byte of the rows is a valid PNG.
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
    """A PNG file from filtered rows."""
    file = [PNG_SIGNATURE]
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")):
        file += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(file)


def _check_size(image: Image.Image) -> None:
    """Check the size in the header, before the image is decoded."""
    if min(image.size) < MIN_SIDE:
        raise UnusableError("too_small")
    if image.width * image.height > MAX_PIXELS:
        raise UnusableError("too_large")


def _in_colours(image: Image.Image) -> Image.Image:
    """Convert to RGB: transparency on white, 16-bit greyscale scaled to 8 bits."""
    if image.mode in DEEP_GREY:
        whole = image.convert("I")
        low, high = whole.getextrema()
        if low < 0 or high > 65535:  # type: ignore[operator]
            raise UnusableError("unusual")
        # Pillow clips at 255 in the conversion from 32 to 8 bits, so the values are scaled before.
        image = whole.convert("F").point(lambda value: value * (1 / 257)).convert("L")
    elif image.mode == "F":
        raise UnusableError("unusual")  # the value of white is not defined
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert(
            "RGB"
        )
    return image.convert("RGB")


def _square(image: Image.Image, side: int) -> Image.Image:
    """The largest central square, resized."""
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    square = image.crop((left, top, left + short, top + short))
    return square.resize((side, side), CROP_FILTER, reducing_gap=3)


def limit_this_process() -> None:
    """Limit memory, and forbid written files and core dumps, where the system supports it."""
    with contextlib.suppress(ImportError):
        import resource

        for what, limit in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):  # macOS has no RLIMIT_AS
                resource.setrlimit(what, (limit, limit))


def serve(side: int, formats: tuple[str, ...]) -> None:
    """Answer requests until standard input is closed."""
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
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is lower
    Image.preinit()
    Image.init()  # load all decoders before the limits are set
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread takes address space, which is limited
    limit_this_process()
    serve(int(sys.argv[1]), tuple(sys.argv[2:]))
