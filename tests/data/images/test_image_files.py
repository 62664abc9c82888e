"""Folders of strangers: every file is used, or skipped with a reason, and none can hurt."""

import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.data.images import decoder_process, image_files
from aigc_demo.data.images.decoder import UnusableError, decoded
from aigc_demo.data.images.decoder_process import DECODER
from aigc_demo.data.images.image_files import FORMATS, ImageFile, read_folder, read_images

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
EXIF_ORIENTATION = 0x0112


def packed(image: Image.Image, form: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def plain_image(colour=RED, size=(40, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def halves(first, second, size=(40, 40), mode="RGB") -> Image.Image:
    """The left half of one colour, the right of another."""
    image = Image.new(mode, size, second)
    image.paste(first, (0, 0, size[0] // 2, size[1]))
    return image


def refused(call, *arguments) -> InputError:
    with pytest.raises(InputError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return caught.value


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


def bilevel(width: int, height: int) -> bytes:
    return packed(Image.new("1", (width, height)), optimize=True)


UNUSABLE = [
    ("huge.png", bilevel(13_000, 13_000), "too_large"),
    ("over.png", bilevel(4_000, 4_001), "too_large"),
    ("tiny.png", packed(plain_image(size=(40, 7))), "too_small"),
    ("truncated.png", packed(Image.effect_noise((64, 64), 90))[:-900], "broken"),
    ("truncated.jpg", packed(Image.effect_noise((64, 64), 90), "JPEG")[:-900], "broken"),
    ("text.png", b"this is a text\n", "no_picture"),
    ("empty.png", b"", "no_picture"),
    ("head.png", packed(plain_image())[:20], "broken"),
    ("script.gif", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no_picture"),
    ("post.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "no_picture"),
    ("float.tif", packed(Image.new("F", (20, 20), 0.5), "TIFF"), "unusual"),
    ("damaged.png", damaged(packed(Image.effect_noise((64, 64), 90))), "broken"),
]


@pytest.mark.parametrize(("name", "content", "reason"), UNUSABLE, ids=[name for name, _, _ in UNUSABLE])
def test_what_cannot_be_used_has_a_reason(monkeypatch, name, content, reason):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as in the decoder, whose own limit is lower
    assert len(content) < 100_000
    with pytest.raises(UnusableError, match=reason):
        decoded(content, 16, FORMATS)


def test_what_cannot_be_used_is_skipped_and_counted(tmp_path):
    for name, content, _ in UNUSABLE:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "good.png").write_bytes(packed(plain_image(BLUE)))
    read = read_folder(tmp_path, 16)
    assert read.skipped == Counter(reason for _, _, reason in UNUSABLE)
    assert read.pixels[:, :, 3, 3].tolist() == [list(BLUE)]


def test_the_largest_and_the_smallest_image_are_taken():
    for content in (bilevel(4_000, 4_000), packed(plain_image(size=(8, 8)))):
        assert len(decoded(content, 16, FORMATS)[1]) == 16 * 16 * 3


def animation() -> bytes:
    frames = [plain_image(colour) for colour in (RED, GREEN, BLUE)]
    return packed(frames[0], "GIF", save_all=True, append_images=frames[1:])


def grey_16(left: int, right: int) -> Image.Image:
    values = np.full((40, 40), left, np.uint16)
    values[:, 20:] = right
    return Image.fromarray(values)


def upside() -> bytes:
    """Stored with red on the left, to be shown turned by 180 degrees."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 3
    return packed(halves(RED, BLUE), "PNG", exif=exif)


HALF_CLEAR = halves((0, 0, 255, 255), (0, 255, 0, 0), mode="RGBA")


def phone() -> bytes:
    return packed(halves(BLACK, WHITE), "MPO", save_all=True, append_images=[plain_image()], quality=95)


KINDS = [
    ("a.jpg", phone(), set(), BLACK, WHITE),
    ("a.png", packed(halves(RED, GREEN)), set(), RED, GREEN),
    ("a.webp", packed(halves(RED, GREEN), "WEBP", lossless=True), set(), RED, GREEN),
    ("a.bmp", packed(halves(RED, GREEN), "BMP"), set(), RED, GREEN),
    ("a.gif", animation(), {"animated", "palette"}, RED, RED),
    ("a.jpg", packed(halves(RED, GREEN)), {"misnamed"}, RED, GREEN),
    ("a.JPEG", packed(halves(BLACK, WHITE), "JPEG", quality=95), set(), BLACK, WHITE),
    (
        "a.jpg",
        packed(halves((0, 0, 0, 0), (0, 0, 0, 255), mode="CMYK"), "JPEG", quality=95),
        {"cmyk"},
        WHITE,
        BLACK,
    ),
    ("a.png", packed(grey_16(0, 65535)), {"grey_16_bit"}, BLACK, WHITE),
    ("a.png", packed(grey_16(257 * 50, 257 * 200)), {"grey_16_bit"}, (50,) * 3, (200,) * 3),
    ("a.tif", packed(grey_16(257 * 50, 65535), "TIFF"), {"grey_16_bit"}, (50,) * 3, WHITE),
    ("a.png", packed(halves(RED, GREEN).quantize(2)), {"palette"}, RED, GREEN),
    ("a.png", packed(HALF_CLEAR), {"transparent"}, BLUE, WHITE),
    ("a.png", packed(HALF_CLEAR.convert("LA")), {"transparent"}, (29,) * 3, WHITE),
    ("a.png", packed(plain_image(), transparency=RED), {"transparent"}, WHITE, WHITE),
    ("a.png", packed(halves(0, 255, mode="1")), set(), BLACK, WHITE),
    ("a.png", packed(halves(30, 60, mode="L")), set(), (30,) * 3, (60,) * 3),
    ("a.png", upside(), {"rotated"}, BLUE, RED),
]


@pytest.mark.parametrize(("name", "content", "noticed", "left", "right"), KINDS)
def test_every_kind_of_image_becomes_rgb(name, content, noticed, left, right):
    about, raw = decoded(content, 16, FORMATS)
    assert set(image_files._properties(about, name)) == noticed
    image = np.frombuffer(raw, np.uint8).reshape(16, 16, 3).astype(int)
    assert abs(image[8, 2] - left).max() <= 2
    assert abs(image[8, 13] - right).max() <= 2


def test_every_kind_is_read_from_a_folder_and_counted(tmp_path):
    for place, (name, content, _, _, _) in enumerate(KINDS):
        (tmp_path / f"{place:02}{name}").write_bytes(content)
    read = read_folder(tmp_path, 16)
    assert not read.skipped
    assert read.properties == Counter(word for _, _, noticed, _, _ in KINDS for word in noticed)
    for image, (_, _, _, left, right) in zip(read.pixels.astype(int), KINDS, strict=True):
        assert abs(image[:, 8, 2] - left).max() <= 2
        assert abs(image[:, 8, 13] - right).max() <= 2


def test_the_middle_square_is_cut_out_and_averaged():
    wide = Image.new("RGB", (64, 32), RED)
    wide.paste(GREEN, (16, 0, 48, 32))
    raw = np.frombuffer(decoded(packed(wide), 16, FORMATS)[1], np.uint8).reshape(16, 16, 3)
    assert (raw == GREEN).all()
    stripes = Image.fromarray(np.tile(np.array([[0, 255]], np.uint8), (64, 32)))
    raw = np.frombuffer(decoded(packed(stripes), 16, FORMATS)[1], np.uint8)
    assert abs(raw.astype(int) - 127).max() <= 12, "stripes finer than a pixel become grey, not bars"


def test_a_large_jpeg_is_decoded_reduced_and_still_right():
    large = halves(RED, BLUE, (3000, 2000))
    about, raw = decoded(packed(large, "JPEG"), 32, FORMATS)
    image = np.frombuffer(raw, np.uint8).reshape(32, 32, 3).astype(int)
    assert about["format"] == "JPEG"
    assert abs(image[16, 4] - RED).max() < 6
    assert abs(image[16, 28] - BLUE).max() < 6


def test_links_out_of_the_folder_and_special_files_are_not_followed(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(packed(plain_image(GREEN)))
    folder = tmp_path / "pictures"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "a.png").write_bytes(packed(plain_image(BLUE)))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.png").write_bytes(packed(plain_image(GREEN)))
    (folder / "link.png").symlink_to(secret)
    (folder / "dangling.png").symlink_to(tmp_path / "nothing.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "own.png").symlink_to(Path("inside") / "a.png")
    (folder / "folder").symlink_to(tmp_path / "outside", target_is_directory=True)
    (folder / "up").symlink_to("..", target_is_directory=True)
    os.mkfifo(folder / "pipe.png")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "folder.png").mkdir()
    (folder / ".hidden.png").write_bytes(packed(plain_image(GREEN)))
    read = read_folder(folder, 16)  # the pipe and the device have no end: who reads them never returns
    assert dict(read.skipped) == {"link": 2, "unreadable": 2, "special": 1}
    assert len(read.pixels) == 2
    assert {tuple(image[:, 0, 0]) for image in read.pixels} == {BLUE}


def test_a_folder_that_is_a_link_itself_is_read(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(packed(plain_image()))
    (tmp_path / "link").symlink_to("real")
    assert len(read_folder(tmp_path / "link", 16).pixels) == 1


def test_a_file_without_permission_is_skipped(tmp_path, monkeypatch):
    def forbid(*_):
        raise PermissionError(13, "Permission denied")

    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(packed(plain_image()))
    monkeypatch.setattr(image_files.os, "open", forbid)
    assert image_files.read_regular_file(folder / "a.png", folder) == (None, "unreadable")


def test_captions_and_classes(tmp_path):
    for name in ("b/one.png", "a/two.png", "a/three.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(packed(plain_image()))
    (tmp_path / "metadata.csv").write_text(
        "\ufefftext,file_name\n\"a,  'red'\nsquare\",a/two.png\nno file,a/four.png\n", "utf-8"
    )
    lines = [{"file_name": "one.png", "caption": "春"}, {"file_name": "../a/three.png", "text": 3}]
    (tmp_path / "b" / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    read = read_folder(tmp_path, 16)
    assert read.labels == ["a", "a", "b"]
    assert read.texts == [None, "a, 'red' square", "春"]


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("metadata.csv", b"file_name,text\na.png,\x00\xff\n", "not_text"),
        ("metadata.csv", b'file_name,text\na.png,"' + b"x" * 200_000 + b'"\n', "table_long_cell"),
        ("metadata.jsonl", b'{"file_name": "a.png"\n', "table_no_object"),
        ("metadata.jsonl", b"[" * 100_000, "table_no_object"),
        ("metadata.jsonl", b"[1]\n", "table_no_object"),
        ("metadata.jsonl", b'{"file_name": 1}\n', "table_no_names"),
        ("metadata.csv", b'file_name,text\na.png,"b\nc.png,d\n', "table_open_quote"),
    ],
)
def test_metadata_that_are_none_are_refused(tmp_path, name, content, key):
    (tmp_path / "a.png").write_bytes(packed(plain_image()))
    (tmp_path / name).write_bytes(content)
    error = refused(read_folder, tmp_path, 16)
    assert (error.key, error.values["name"]) == (key, name)


def test_folders_without_a_usable_image_are_refused(tmp_path):
    assert refused(read_folder, tmp_path / "missing", 16).key == "no_picture_folder"
    (tmp_path / "notes.txt").write_text("text")
    assert refused(read_folder, tmp_path / "notes.txt", 16).key == "no_picture_folder"
    error = refused(read_folder, tmp_path, 16)
    assert (error.key, error.values["detail"]) == ("no_pictures", "there are none")
    (tmp_path / "a.png").write_bytes(b"text")
    (tmp_path / "b.png").write_bytes(packed(plain_image(size=(4, 4))))
    error = refused(read_folder, tmp_path, 16)
    assert "holds no picture that can be used (no_picture 1, too_small 1); give a folder" in str(error)
    assert str(tmp_path) not in str(error)


def test_too_many_files_and_too_many_bytes_are_refused(monkeypatch):
    content = packed(plain_image())
    files = [ImageFile("a.png", content)] * 3
    monkeypatch.setattr(image_files, "MAX_FILES", 3)
    assert len(read_images(files, 16, "some").pixels) == 3
    error = refused(read_images, [*files, files[0]], 16, "some")
    assert str(error) == "some holds more than the 3 pictures that are taken; give a part of it."
    monkeypatch.setattr(image_files, "MAX_BYTES", 3 * len(content) - 1)
    assert refused(read_images, files, 16, "some").key == "too_large"


def test_a_file_larger_than_is_taken_is_skipped(tmp_path, monkeypatch):
    content = packed(plain_image())
    (tmp_path / "a.png").write_bytes(content)
    monkeypatch.setattr(image_files, "MAX_FILE_BYTES", len(content))
    assert image_files.read_regular_file(tmp_path / "a.png", tmp_path) == (content, "")
    monkeypatch.setattr(image_files, "MAX_FILE_BYTES", len(content) - 1)
    assert image_files.read_regular_file(tmp_path / "a.png", tmp_path) == (None, "too_large")


# A decoder that does to some contents what a fault in a real one would.
FAULTY = """
import json, os, sys, time
side = int(sys.argv[1])
while header := sys.stdin.buffer.read(8):
    content = sys.stdin.buffer.read(int.from_bytes(header, "big"))
    if content == b"die":
        os._exit(1)
    if content == b"hang":
        time.sleep(60)
    about = {"format": "PNG", "mode": "RGB", "animated": False, "transparent": False, "rotated": False}
    pixels = bytes(side * side * 3)
    if content == b"half":
        pixels = pixels[:-1]
    if content == b"nonsense":
        about = [1]
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\\n" + pixels)
    sys.stdout.flush()
    if content == b"half":
        os._exit(0)
"""


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    path = tmp_path / "faulty.py"
    path.write_text(FAULTY)
    monkeypatch.setattr(decoder_process, "DECODER", path)
    monkeypatch.setattr(decoder_process, "DECODING_SECONDS", 1.0)


@pytest.mark.usefixtures("faulty")
def test_a_decoder_that_dies_or_hangs_costs_one_file():
    contents = [b"good", b"die", b"good", b"hang", b"half", b"good", b"nonsense", b"good", b"die"]
    files = [ImageFile("a.png", content, text=str(place)) for place, content in enumerate(contents)]
    read = read_images(files, 16, "some")
    assert read.texts == ["0", "2", "5", "7"]
    assert dict(read.skipped) == {"crashed": 4, "hung": 1}


@pytest.mark.usefixtures("faulty")
def test_a_folder_on_which_every_decoder_dies_is_given_up(monkeypatch):
    monkeypatch.setattr(image_files, "MAX_CRASHES", 2)
    files = [ImageFile("a.png", b"die")] * 10
    error = refused(read_images, files, 16, "some")
    assert (error.key, error.values["count"]) == ("pictures_crash", 3)


def test_no_decoder_stays_behind(monkeypatch):
    started = []
    popen = subprocess.Popen

    def remember(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(decoder_process.subprocess, "Popen", remember)

    def files():
        yield ImageFile("a.png", packed(plain_image()))
        raise ValueError("the reader gave up")

    with pytest.raises(ValueError, match="gave up"):
        read_images(files(), 16, "some")
    assert [process.returncode is not None for process in started] == [True]


def test_a_python_that_cannot_be_started_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr(decoder_process.sys, "executable", "/nowhere/python")
    with pytest.raises(DemoError) as caught:
        read_images([ImageFile("a.png", b"x")], 16, "some")
    assert caught.value.key == "no_decoder"


def test_the_decoder_can_neither_write_files_nor_take_much_memory(tmp_path):
    code = f"""
import runpy, signal, sys
module = runpy.run_path({str(DECODER)!r}, run_name="decoder")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
module["limit_this_process"]()
try:
    bytearray(2**31)
except MemoryError:
    print("no memory")
try:
    with open({str(tmp_path / "file")!r}, "wb", buffering=0) as file:
        file.write(b"x")
except OSError:
    print("no file")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n") == ["no memory", "no file", ""], done.stderr


def test_nothing_is_decoded_in_this_process(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError

    (tmp_path / "a.png").write_bytes(packed(plain_image(GREEN)))
    monkeypatch.setattr(Image, "open", never)
    read = read_folder(tmp_path, 48)
    assert (read.pixels.dtype, read.pixels.shape) == (np.uint8, (1, 3, 48, 48))
    assert tuple(read.pixels[0, :, 0, 0]) == GREEN


def test_formats_that_are_not_asked_for_are_not_read():
    files = [ImageFile("a.png", packed(plain_image(), form)) for form in ("PNG", "GIF", "JPEG", "TIFF")]
    read = read_images(files, 16, "some", ("PNG",))
    assert (len(read.pixels), dict(read.skipped)) == (1, {"no_picture": 3})
