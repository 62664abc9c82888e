"""PNG images of every kind, built by hand, against the colours that the format's text says they have."""

import itertools
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from aigc_demo.data.images import decoder
from aigc_demo.data.images.decoder import UnusableError, decoded
from aigc_demo.data.images.image_files import ENDINGS, FORMATS, read_folder
from tests.data.images.test_image_files import packed, plain_image

SIDE = 16
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KINDS = [(colour, depth) for colour, depths in DEPTHS.items() for depth in depths]
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_row(samples: list[int], depth: int) -> bytes:
    if depth == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    if depth == 8:
        return bytes(samples)
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def filtered(row: bytes, above: bytes, back: int, kind: int) -> bytes:
    """A row by one of the format's five filters (section 9.2 of its text)."""
    out = bytearray([kind])
    for at, value in enumerate(row):
        a = row[at - back] if at >= back else 0
        b = above[at]
        c = above[at - back] if at >= back else 0
        p = a + b - c
        paeth = min((a, b, c), key=lambda near: abs(p - near))  # the first of equals: a, then b
        out.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) % 256)
    return bytes(out)


def png(colour: int, depth: int, pixels: list[list[tuple[int, ...]]], *, interlaced=False, more=()) -> bytes:
    """A PNG file of samples; its rows go through all five filters in turn.

    Args:
        colour: the format's number for it.
        depth: bits of a sample.
        pixels: rows of pixels of samples.
        more: chunks between the header and the data.
    """
    back = max(1, CHANNELS[colour] * depth // 8)
    data, kinds = bytearray(), itertools.cycle(range(5))
    for x, y, dx, dy in PASSES if interlaced else ((0, 0, 1, 1),):
        rows = [packed_row([s for pixel in row[x::dx] for s in pixel], depth) for row in pixels[y::dy]]
        above = bytes(len(rows[0]))
        for row in rows:
            data += filtered(row, above, back, next(kinds))
            above = row
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), depth, colour, 0, 0, interlaced)
    body = b"".join([chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(bytes(data)))])
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def samples_of(colour: int, depth: int) -> list[list[tuple[int, ...]]]:
    """Few values, so that many pixels are equal, and some that differ in one byte of 16 bits alone."""
    rng = random.Random(f"{colour} {depth}")
    top = 2**depth - 1
    values = sorted({0, top, 1, top // 3, top // 2} | ({0x7F00, 0x7F01, 0x7E01} if depth == 16 else set()))
    count = CHANNELS[colour]
    return [[tuple(rng.choice(values) for _ in range(count)) for _ in range(SIDE)] for _ in range(SIDE)]


PALETTE = [(3 * n % 256, 255 - n, 7 * n % 256) for n in range(256)]
ALPHAS = [255, 0, 128, 7]  # of the first entries; those behind have none


def expected(colour: int, depth: int, pixel: tuple[int, ...], key: tuple[int, ...] | None) -> np.ndarray:
    """Red, green and blue of a pixel on white, 0 to 255."""
    top = 2**depth - 1
    alpha = 1.0
    if colour == 3:
        parts = PALETTE[pixel[0]]
        alpha = ALPHAS[pixel[0]] / 255 if key and pixel[0] < len(ALPHAS) else 1.0
    else:
        parts = tuple(255 * sample / top for sample in pixel)
        if colour in (4, 6):
            *parts, alpha = (*parts[:-1], parts[-1] / 255)
        elif pixel == key:
            alpha = 0.0
    three = np.array(parts if len(parts) == 3 else [parts[0]] * 3, float)
    return three * alpha + 255 * (1 - alpha)


def red_green_blue(content: bytes) -> np.ndarray:
    return np.frombuffer(decoded(content, SIDE, FORMATS)[1], np.uint8).reshape(SIDE, SIDE, 3).astype(int)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_every_kind_has_the_colours_of_the_formats_text(colour, depth, transparent, interlaced):
    pixels = samples_of(colour, depth)
    middle = [pixel for row in pixels for pixel in row if 0 < pixel[0] < 2**depth - 1] or [(1,)]
    key = middle[5 % len(middle)] if transparent else None
    more = []
    if colour == 3:
        more.append(chunk(b"PLTE", bytes(itertools.chain(*PALETTE[: 2**depth]))))
    if key and colour == 3:
        more.append(chunk(b"tRNS", bytes(ALPHAS[: 2**depth])))
    elif key and colour in (0, 2):
        more.append(chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)))
    content = png(colour, depth, pixels, interlaced=interlaced, more=more)
    want = np.array([[expected(colour, depth, pixel, key) for pixel in row] for row in pixels])
    got = red_green_blue(content)
    assert abs(got - want).max() <= 1.5
    if key and colour in (0, 2):
        here = [[pixel == key for pixel in row] for row in pixels]
        assert (got[np.array(here)] == 255).all()
        assert np.array(here).any() and not np.array(here).all()
        assert decoded(content, SIDE, FORMATS)[0]["transparent"] is True


@pytest.mark.parametrize("colour", [0, 2])
def test_sixteen_bits_differ_where_their_lower_or_their_upper_byte_does(colour):
    count = CHANNELS[colour]
    key, near, far, other = ((0x8001,) * count, (0x8002,) * count, (0x7F01,) * count, (0x0180,) * count)
    columns = [key, near, far, other]
    pixels = [[columns[x // 4] for x in range(SIDE)] for _ in range(SIDE)]
    content = png(colour, 16, pixels, more=[chunk(b"tRNS", struct.pack(f">{count}H", *key))])
    got = red_green_blue(content)[0, ::4, 0]
    assert got[0] == 255
    assert abs(got[1:] - [0x80, 0x7F, 0x01]).max() <= 1


@pytest.mark.parametrize("colour", [0, 2])
def test_a_key_has_no_more_bits_than_a_sample(colour):
    count = CHANNELS[colour]
    pixels = [[(5,) * count if x < 8 else (9,) * count for x in range(SIDE)] for _ in range(SIDE)]
    key = chunk(b"tRNS", struct.pack(f">{count}H", *[0xAB05] * count))
    assert red_green_blue(png(colour, 8, pixels, more=[key]))[0, ::8, 0].tolist() == [255, 9]


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1\0\1", bytes(7)])
def test_a_key_of_another_length_is_none(data):
    pixels = [[(7,)] * SIDE] * SIDE
    assert (red_green_blue(png(0, 8, pixels, more=[chunk(b"tRNS", data)])) == 7).all()


def text_chunks(size: int) -> dict[str, list[bytes]]:
    words = b"x" * size
    return {
        "tEXt": [chunk(b"tEXt", b"Comment\0" + words)],
        "zTXt": [chunk(b"zTXt", b"parameters\0\0" + zlib.compress(words))],
        "iTXt": [chunk(b"iTXt", b"prompt\0\1\0en\0\0" + zlib.compress(words))],
        "plain iTXt": [chunk(b"iTXt", b"workflow\0\0\0en\0\0" + words)],
        "iCCP": [chunk(b"iCCP", b"profile\0\0" + zlib.compress(words))],
        "many": [chunk(b"zTXt", b"note\0\0" + zlib.compress(words[: 2**20 - 1]))] * 70,
        "profile": [chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(words))],
        "xmp": [chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(words))],
        "exif": [chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + words[:2000])],
        "hex": [chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 9\nnothex")],
        "without end": [chunk(b"tEXt", words[:70])],
        "broken": [chunk(b"zTXt", b"Comment\0\0not packed")],
        "false sum": [chunk(b"eXIf", b"MM")[:-1] + b"?"],
        "false sum of a text": [chunk(b"tEXt", b"a\0b")[:-1] + b"?"],
    }


@pytest.mark.parametrize("kind", text_chunks(1))
def test_texts_and_notes_are_no_reason_to_drop_a_image(kind):
    pixels = [[(10, 20, 30)] * SIDE] * SIDE
    whole = png(2, 8, pixels, more=text_chunks(3 * 2**20)[kind])
    assert (red_green_blue(whole) == (10, 20, 30)).all()
    end = chunk(b"IEND", b"")
    behind = png(2, 8, pixels).removesuffix(end) + b"".join(text_chunks(3 * 2**20)[kind]) + end
    assert (red_green_blue(behind) == (10, 20, 30)).all()


def test_a_text_that_unpacks_to_a_gigabyte_is_not_unpacked(tmp_path):
    """In the process that decodes, whose memory is limited."""
    packer = zlib.compressobj(9)
    bomb = b"".join([packer.compress(bytes(2 * 2**20)) for _ in range(512)]) + packer.flush()
    pixels = [[(10, 20, 30)] * SIDE] * SIDE
    for number, keyword in enumerate((b"Comment", b"Raw profile type exif")):
        content = png(2, 8, pixels, more=[chunk(b"zTXt", keyword + b"\0\0" + bomb)])
        (tmp_path / f"{number}.png").write_bytes(content)
    read = read_folder(tmp_path, SIDE)
    assert (len(read.pixels), dict(read.skipped)) == (2, {})


@pytest.mark.parametrize("turned", range(1, 9))
def test_what_says_which_side_is_up_is_still_read(turned):
    """An exif chunk, a text that holds one, and the words of XMP: the same image from all three."""
    corner = [[(9, 9, 9)] * SIDE for _ in range(SIDE)]
    corner[0][1] = corner[0][2] = (200, 0, 0)  # at the top, near the left
    exif = Image.Exif()
    exif[0x0112] = turned
    raw = exif.tobytes().removeprefix(b"Exif\0\0")
    hexed = (b"Exif\0\0" + raw).hex().encode()
    xmp = f'<x tiff:Orientation="{turned}"/>'.encode()
    notes = [
        chunk(b"eXIf", raw),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n%8d\n" % len(hexed) + hexed)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
    ]
    # Where row 0 and column 0 of what is stored are to be seen (EXIF 2.3, table for tag 274).
    rows, columns = np.array([0, 0]), np.array([1, 2])
    last = SIDE - 1
    seen = {
        1: (rows, columns),
        2: (rows, last - columns),
        3: (last - rows, last - columns),
        4: (last - rows, columns),
        5: (columns, rows),
        6: (columns, last - rows),
        7: (last - columns, last - rows),
        8: (last - columns, rows),
    }[turned]
    want = np.full((SIDE, SIDE, 3), 9)
    want[seen] = (200, 0, 0)
    for note in notes:
        content = png(2, 8, corner, more=[note])
        assert (red_green_blue(content) == want).all()
        assert decoded(content, SIDE, FORMATS)[0]["rotated"] is (turned != 1)


def test_a_transparent_colour_turns_along(monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 3
    pixels = [[(5,) if x < 8 else (9,) for x in range(SIDE)] for _ in range(SIDE)]
    more = [chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")), chunk(b"tRNS", b"\0\5")]
    assert red_green_blue(png(0, 8, pixels, more=more))[0, ::8, 0].tolist() == [9, 255]


def test_damaged_pixels_are_still_broken():
    whole = png(2, 16, samples_of(2, 16), more=[chunk(b"tRNS", bytes(6)), chunk(b"tEXt", b"a\0b")])
    for content in (whole[:-30], whole[:60], whole[:-40] + b"?" + whole[-39:]):
        with pytest.raises(UnusableError, match=r"broken|no_picture"):
            decoded(content, SIDE, FORMATS)


@pytest.mark.parametrize("colour", [0, 2])
@pytest.mark.parametrize("cut", [0, 5])
def test_pixels_of_16_bits_that_end_early_are_broken_with_a_transparent_colour_too(colour, cut):
    """Every part of the file is whole, but rows are missing: Pillow leaves them black."""
    count = 1 if colour == 0 else 3
    row = b"\0" + bytes([1, 2] * (SIDE * count))
    data = zlib.compress(row * (SIDE - 4))
    data = data[: len(data) - cut]
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 16, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"tRNS", bytes(2 * count))]
    content = b"".join([decoder.PNG_SIGNATURE, *parts, chunk(b"IDAT", data), chunk(b"IEND", b"")])
    with pytest.raises(UnusableError, match="broken"):
        decoded(content, SIDE, FORMATS)


def test_a_large_image_of_16_bits_with_a_key_is_decoded_in_the_process_with_little_memory(tmp_path):
    """16 million pixels: 96 MB of samples and their halves, below the limit of addresses."""
    row = b"\0" + struct.pack(">3H", 0x8001, 0x8001, 0x8001) * 2000 + struct.pack(">3H", 0x8002, 1, 1) * 2000
    header = struct.pack(">IIBBBBB", 4000, 4000, 16, 2, 0, 0, 0)
    key = chunk(b"tRNS", struct.pack(">3H", 0x8001, 0x8001, 0x8001))
    data = zlib.compress(row * 4000, 1)
    parts = [chunk(b"IHDR", header), key, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(decoder.PNG_SIGNATURE + b"".join(parts))
    read = read_folder(tmp_path, SIDE)
    assert not read.skipped
    assert read.pixels[0, :, 8, [2, 13]].tolist() == [[255] * 3, [0x80, 0, 0]]


@pytest.mark.parametrize("ending", [ending for endings in ENDINGS.values() for ending in endings])
def test_endings_that_people_have_are_read(tmp_path, ending):
    form = next(form for form, endings in ENDINGS.items() if ending in endings)
    (tmp_path / f"a{ending.upper()}").write_bytes(packed(plain_image((0, 0, 255)), form))
    read = read_folder(tmp_path, SIDE)
    assert (len(read.pixels), dict(read.skipped), read.properties["misnamed"]) == (1, {}, 0)
    assert abs(read.pixels[0, :, 8, 8].astype(int) - (0, 0, 255)).max() <= 6


def test_endings_that_are_not_read_are_counted_and_named(tmp_path):
    for name in ("a.HEIC", "b.heic", "c.svg", "d.psd", "e.ppm", "notes.txt", "f", ".g.heic"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))  # HEIC by another name
    (tmp_path / "good.png").write_bytes(packed(plain_image()))
    read = read_folder(tmp_path, SIDE)
    assert (len(read.pixels), dict(read.skipped)) == (1, {"other_format": 6})
    assert read.metadata == {"other_endings": ".heic 2, .svg 1, .psd 1, .ppm 1"}


def test_an_animated_avif_is_its_first_image(tmp_path):
    frames = [plain_image(colour) for colour in ((255, 0, 0), (0, 255, 0))]
    (tmp_path / "a.avif").write_bytes(packed(frames[0], "AVIF", save_all=True, append_images=frames[1:]))
    read = read_folder(tmp_path, SIDE)
    assert dict(read.properties) == {"animated": 1}
    assert abs(read.pixels[0, :, 8, 8].astype(int) - (255, 0, 0)).max() <= 6
