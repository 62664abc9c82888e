"""A visitor's zip file: what is refused leaves nothing on the disk."""

import io
import shutil
import stat
import struct
import zipfile

import pytest
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.data.captions.metadata import notices
from aigc_demo.data.images import zip_files
from aigc_demo.data.images.image_files import ZIP_NOTE, read_folder
from aigc_demo.data.images.zip_files import unpack_images


def png(colour: str = "red", size: int = 10) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(file, "PNG")
    return file.getvalue()


def packed(path, files, method=zipfile.ZIP_DEFLATED):
    """A zip file of names, or of entries, and their contents."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in files:
            file.writestr(name, content)
    return path


def refused(tmp_path, source) -> str:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        unpack_images(source, tmp_path / "out" / "pictures")
    assert sorted(tmp_path.rglob("*")) == before
    assert caught.value.key == "not_pictures"
    assert "\n" not in str(caught.value)
    return caught.value.values["detail"]


@pytest.fixture(autouse=True)
def out(tmp_path):
    (tmp_path / "out").mkdir()


def test_images_metadata_and_folders_come_out_as_they_went_in(tmp_path):
    files = {
        "metadata.csv": b"file_name,text\ncats/a b (1).png,a cat\n",
        "cats/a b (1).png": png("red"),
        "dogs/\u72d7.PNG": png("blue"),
    }
    desktop = {"__MACOSX/cats/._a.png": b"x", ".DS_Store": b"x", "cats/Thumbs.db": b"x", "cats/.a.png": b"x"}
    entries = [*files.items(), *desktop.items(), ("dogs/", b"")]
    target = tmp_path / "out" / "pictures"
    assert unpack_images(packed(tmp_path / "a.zip", entries), target) == 2
    found = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*.*")}
    assert found == files
    read = read_folder(target, 16)
    assert (read.labels, read.texts) == (["cats", "dogs"], ["a cat", None])


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "a/../../b.png",
        "/etc/a.png",
        "a//b.png",
        "./a.png",
        "c:/a.png",
        "a\\b.png",
        "a\tb.png",
        "a/b/c/d/e.png",
        "a" * 150 + ".png",
        " a.png",
        "a./b.png",
        "~root$/a.png",
        "<b>.png",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = name  # as it is: the constructor would repair some
    assert "is not allowed" in refused(tmp_path, packed(tmp_path / "a.zip", [(info, png())]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_special_files_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("a.png")
    info.external_attr = (kind | 0o777) << 16
    assert "is a link or another special" in refused(tmp_path, packed(tmp_path / "a.zip", [(info, b"/etc")]))


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ([], "it contains no PNG image"),
        ([("metadata.csv", b"file_name\n")], "it contains no PNG image"),
        ([("a.png", png()), ("a.jpg", png())], "a.jpg is not a PNG image"),
        ([("a.png", png()), ("run.sh", b"")], "run.sh is not a PNG image"),
        ([("a.png", png()), ("b.png", b"GIF89a" + bytes(100))], "b.png is not a PNG image"),
        ([("a.png", png()), ("b.png", b"")], "b.png is not a PNG image"),
        ([("a.png", png()), ("A.PNG", png())], "it contains a name twice"),
        ([("a.png/b.png", png()), ("a.png", png())], "it contains a name twice"),
        ([("A.PNG/b.png", png()), ("a.png", png())], "it contains a name twice"),
    ],
)
def test_what_else_it_may_not_hold(tmp_path, files, detail):
    assert refused(tmp_path, packed(tmp_path / "a.zip", files)) == detail


def test_bombs_are_refused_before_they_go_off(tmp_path, monkeypatch):
    bomb = packed(tmp_path / "a.zip", [("a.png", png()[:8] + bytes(2 * 2**20))])
    assert bomb.stat().st_size < 4000
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # the list of contents is enough
    assert refused(tmp_path, bomb) == "a.png has a compression ratio that images do not have"


def test_limits_on_sizes_and_numbers(tmp_path, monkeypatch):
    source = packed(tmp_path / "a.zip", [(f"{place}.png", png()) for place in range(3)])
    size = len(png())
    for name, least, detail in (
        ("MAX_FILES", 3, "files"),
        ("MAX_UNPACKED_BYTES", 3 * size, "unpack to more than"),
        ("MAX_IMAGE_BYTES", size, "has more than"),
        ("MAX_ZIP_BYTES", source.stat().st_size, "it has more than"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(zip_files, name, least - 1)
            assert detail in refused(tmp_path, source)
            patch.setattr(zip_files, name, least)
            assert unpack_images(source, tmp_path / "out" / name) == 3


def test_methods_of_packing_that_can_take_much_memory_are_refused(tmp_path):
    source = packed(tmp_path / "a.zip", [("a.png", png())], zipfile.ZIP_LZMA)
    assert refused(tmp_path, source) == "a.png has an unsupported compression method"


@pytest.mark.parametrize("size", [20, 4000])
def test_a_list_of_contents_that_lies_about_a_size_is_found(tmp_path, size):
    content = bytearray(packed(tmp_path / "a.zip", [("a.png", png())], zipfile.ZIP_STORED).read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24  # the unpacked size in the central directory
    assert struct.unpack_from("<I", content, at) == (len(png()),)
    struct.pack_into("<I", content, at, size)
    (tmp_path / "a.zip").write_bytes(content)
    assert refused(tmp_path, tmp_path / "a.zip") in (
        "its central directory is wrong",
        "it is not a zip file, or it is damaged or encrypted",
    )


def test_files_that_are_no_zip_damaged_or_encrypted_are_refused(tmp_path):
    good = packed(tmp_path / "a.zip", [("a.png", png(size=100))], zipfile.ZIP_STORED).read_bytes()
    flipped = bytearray(good)
    flipped[80] ^= 255
    encrypted = bytearray(good)
    encrypted[6] |= 1
    encrypted[good.rindex(b"PK\x01\x02") + 8] |= 1
    for content in (b"", b"text", png(), good[:-30], good[100:], bytes(flipped), bytes(encrypted)):
        (tmp_path / "a.zip").write_bytes(content)
        refused(tmp_path, tmp_path / "a.zip")


def test_a_folder_that_is_there_stays_as_it_is(tmp_path):
    source = packed(tmp_path / "a.zip", [("a.png", png())])
    with pytest.raises(InputError) as caught:
        unpack_images(source, tmp_path / "out")
    assert caught.value.key == "folder_exists"
    assert list((tmp_path / "out").iterdir()) == []


def packed_as(path, names, encoding, **more):
    """A zip file whose names are in some encoding and not marked as UTF-8."""
    raw = [name.encode(encoding) for name in names]
    stand_ins = [chr(ord("A") + place) * len(name) for place, name in enumerate(raw)]
    files = [(name, png(size=9 + place)) for place, name in enumerate(stand_ins)]
    files += [(name.replace("_", "."), content) for name, content in more.items()]
    content = packed(path, files).read_bytes()
    for stand_in, name in zip(stand_ins, raw, strict=True):
        assert content.count(stand_in.encode()) == 2
        content = content.replace(stand_in.encode(), name)
    path.write_bytes(content)
    return path


ZH = ["\u7ea2\u7403/\u82b1\u732b\u72d7.png", "\u96ea.png"]


@pytest.mark.parametrize(
    ("names", "encoding", "read_as"),
    [
        (ZH, "gb18030", "GB18030"),
        (ZH, "utf-8", ""),
        (["plain/name.png", "b.png"], "ascii", ""),
        (["caf\u00e9.png", "\u00fc.png"], "cp437", "CP437"),
        (["na\u00efve.png", "\u7403.png"], "utf-8", ""),
    ],
)
def test_names_that_are_not_marked_are_tried_and_the_guess_is_said(tmp_path, names, encoding, read_as):
    target = tmp_path / "out" / "pictures"
    assert unpack_images(packed_as(tmp_path / "a.zip", names, encoding), target) == 2
    found = {path.relative_to(target).as_posix() for path in target.rglob("*.png")}
    assert found == set(names)
    metadata = read_folder(target, 16).metadata
    assert metadata == ({"zip_names_read_as": read_as, "first_of_zip_names": names[0]} if read_as else {})
    assert [key for key, _ in notices(metadata)] == (["zip_names"] if read_as else [])


@pytest.mark.parametrize(
    ("names", "encoding", "read_as"),
    [
        (["\u96ea.png", "\u2605.png"], "gb18030", "GB18030"),
        (["caf\u00e9.png", "\u2592.png"], "cp437", "CP437"),
    ],
)
def test_a_guessed_name_that_is_not_taken_says_that_it_was_guessed(tmp_path, names, encoding, read_as):
    with pytest.raises(InputError) as caught:
        unpack_images(packed_as(tmp_path / "a.zip", names, encoding), tmp_path / "out" / "pictures")
    assert (caught.value.key, caught.value.values) == (
        "zip_name_guessed",
        {"name": names[1], "encoding": read_as},
    )
    assert "pack the pictures again with names in UTF-8" in str(caught.value)


def test_a_name_that_is_marked_as_utf_8_and_not_taken_was_not_guessed(tmp_path):
    source = packed(tmp_path / "a.zip", [("\u2605.png", png())])
    assert "is not allowed" in refused(tmp_path, source)


@pytest.mark.parametrize(
    "name",
    [
        "Icon\r",
        "cats/Icon\r",
        "desktop.ini",
        "cats/Desktop.INI",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "THUMBS.DB",
        ".localized",
        "cats/.directory",
        ".Spotlight-V100/store.db",
        "$RECYCLE.BIN/a.png",
        "System Volume Information/IndexerVolumeGuid",
    ],
)
def test_what_desktops_add_is_left_out(tmp_path, name):
    source = packed(tmp_path / "a.zip", [("a.png", png()), (name, b"x")])
    assert unpack_images(source, tmp_path / "out" / "pictures") == 1
    assert [path.name for path in (tmp_path / "out" / "pictures").rglob("*")] == ["a.png"]


@pytest.mark.parametrize("name", ["Icon", "Icon.jpg", "my desktop.ini.txt", "README.txt", "LICENSE"])
def test_other_files_beside_the_images_are_refused_by_name(tmp_path, name):
    assert refused(tmp_path, packed(tmp_path / "a.zip", [("a.png", png()), (name, b"x")])) == (
        f"{name} is not a PNG image"
    )


def test_what_was_read_under_those_names_is_found_by_its_metadata(tmp_path):
    table = f"file_name,text\n{ZH[0]},one\n{ZH[1].upper()},two\n{ZH[1]},snow\n".encode()
    source = packed_as(tmp_path / "a.zip", ZH, "gb18030", metadata_csv=table)
    target = tmp_path / "out" / "pictures"
    unpack_images(source, target)
    read = read_folder(target, 16)
    assert sorted(read.texts) == ["one", "snow"]
    assert read.metadata["first_of_rows_without_picture"] == ZH[1].upper()


def test_no_zip_can_bring_such_a_note_along(tmp_path):
    note = b'{"encoding": "X", "first": "Y"}'
    source = packed(tmp_path / "a.zip", [(ZIP_NOTE, note), ("a.png", png())])
    unpack_images(source, tmp_path / "out" / "pictures")
    assert [path.name for path in (tmp_path / "out" / "pictures").iterdir()] == ["a.png"]


def test_names_are_composed_and_may_have_marks(tmp_path):
    apart = "cafe\u0301.png"
    hindi = "\u0939\u093f\u0928\u094d\u0926\u0940.png"
    target = tmp_path / "out" / "pictures"
    unpack_images(packed(tmp_path / "a.zip", [(apart, png()), (hindi, png(size=11))]), target)
    assert {path.name for path in target.iterdir()} == {"caf\u00e9.png", hindi}
    shutil.rmtree(target)
    twice = packed(tmp_path / "b.zip", [(apart, png()), ("caf\u00e9.png", png())])
    assert refused(tmp_path, twice) == "it contains a name twice"


def test_other_images_are_counted(tmp_path):
    files = [("a.png", png()), ("b.JPG", b"x"), ("c.jpg", b"x"), ("d", b"x"), ("metadata.csv", b"x")]
    assert refused(tmp_path, packed(tmp_path / "a.zip", files)) == (
        "3 of its 4 files are not PNG images: 2 .jpg, 1 without ending; the first: b.JPG"
    )
