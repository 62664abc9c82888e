"""A visitor's zip file: what is refused leaves nothing on the disk."""

import io
import stat
import struct
import zipfile

import pytest
from PIL import Image

from aigc_demo.core.errors import InputError
from aigc_demo.data import picture_zip
from aigc_demo.data.picture_files import read_folder
from aigc_demo.data.picture_zip import unpack_pictures


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
        unpack_pictures(source, tmp_path / "out" / "pictures")
    assert sorted(tmp_path.rglob("*")) == before
    assert caught.value.key == "not_pictures"
    assert "\n" not in str(caught.value)
    return caught.value.values["detail"]


@pytest.fixture(autouse=True)
def out(tmp_path):
    (tmp_path / "out").mkdir()


def test_pictures_metadata_and_folders_come_out_as_they_went_in(tmp_path):
    files = {
        "metadata.csv": b"file_name,text\ncats/a b (1).png,a cat\n",
        "cats/a b (1).png": png("red"),
        "dogs/\u72d7.PNG": png("blue"),
    }
    desktop = {"__MACOSX/cats/._a.png": b"x", ".DS_Store": b"x", "cats/Thumbs.db": b"x", "cats/.a.png": b"x"}
    entries = [*files.items(), *desktop.items(), ("dogs/", b"")]
    target = tmp_path / "out" / "pictures"
    assert unpack_pictures(packed(tmp_path / "a.zip", entries), target) == 2
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
    assert "is not one that is taken" in refused(tmp_path, packed(tmp_path / "a.zip", [(info, png())]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_special_files_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("a.png")
    info.external_attr = (kind | 0o777) << 16
    assert "is a link or another special" in refused(tmp_path, packed(tmp_path / "a.zip", [(info, b"/etc")]))


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ([], "it holds no PNG picture"),
        ([("metadata.csv", b"file_name\n")], "it holds no PNG picture"),
        ([("a.png", png()), ("a.jpg", png())], "a.jpg is no PNG picture"),
        ([("a.png", png()), ("run.sh", b"")], "run.sh is no PNG picture"),
        ([("a.png", png()), ("b.png", b"GIF89a" + bytes(100))], "b.png is no PNG picture"),
        ([("a.png", png()), ("b.png", b"")], "b.png is no PNG picture"),
        ([("a.png", png()), ("A.PNG", png())], "a name stands in it twice"),
        ([("a.png/b.png", png()), ("a.png", png())], "a name stands in it twice"),
    ],
)
def test_what_else_it_may_not_hold(tmp_path, files, detail):
    assert refused(tmp_path, packed(tmp_path / "a.zip", files)) == detail


def test_bombs_are_refused_before_they_go_off(tmp_path, monkeypatch):
    bomb = packed(tmp_path / "a.zip", [("a.png", png()[:8] + bytes(2 * 2**20))])
    assert bomb.stat().st_size < 4000
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # the list of contents is enough
    assert refused(tmp_path, bomb) == "a.png is packed more tightly than pictures are"


def test_limits_on_sizes_and_numbers(tmp_path, monkeypatch):
    source = packed(tmp_path / "a.zip", [(f"{place}.png", png()) for place in range(3)])
    size = len(png())
    for name, least, detail in (
        ("MAX_FILES", 3, "files"),
        ("MAX_UNPACKED_BYTES", 3 * size, "unpack to more than"),
        ("MAX_PICTURE_BYTES", size, "has more than"),
        ("MAX_ZIP_BYTES", source.stat().st_size, "it has more than"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(picture_zip, name, least - 1)
            assert detail in refused(tmp_path, source)
            patch.setattr(picture_zip, name, least)
            assert unpack_pictures(source, tmp_path / "out" / name) == 3


def test_methods_of_packing_that_can_take_much_memory_are_refused(tmp_path):
    source = packed(tmp_path / "a.zip", [("a.png", png())], zipfile.ZIP_LZMA)
    assert refused(tmp_path, source) == "a.png is packed in a way that is not taken"


@pytest.mark.parametrize("said", [20, 4000])
def test_a_list_of_contents_that_lies_about_a_size_is_found(tmp_path, said):
    content = bytearray(packed(tmp_path / "a.zip", [("a.png", png())], zipfile.ZIP_STORED).read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24  # the unpacked size in the central directory
    assert struct.unpack_from("<I", content, at) == (len(png()),)
    struct.pack_into("<I", content, at, said)
    (tmp_path / "a.zip").write_bytes(content)
    assert refused(tmp_path, tmp_path / "a.zip") in (
        "its list of contents is false",
        "it is no zip file, or it is damaged or has a password",
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
        unpack_pictures(source, tmp_path / "out")
    assert caught.value.key == "folder_exists"
    assert list((tmp_path / "out").iterdir()) == []
