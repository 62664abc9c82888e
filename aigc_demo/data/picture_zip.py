"""A visitor's pictures: a zip file that is looked through before anything of it reaches the disk."""

import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import whole_or_nothing
from aigc_demo.data.picture_files import MAX_FILES, METADATA

MAX_ZIP_BYTES = 256 * 2**20
MAX_UNPACKED_BYTES = 512 * 2**20
MAX_PICTURE_BYTES = 32 * 2**20
# Pictures are packed already; what packs much better than a white page does is a bomb.
MAX_RATIO, RATIO_FROM_BYTES = 200, 2**20
MAX_NAME_LENGTH, MAX_DEPTH = 150, 4
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BLOCK_BYTES = 2**20
NO_ZIP = "it is no zip file, or it is damaged or has a password"
# What zipfile raises, besides its own error, at a file that is cut, crafted or encrypted.
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)
# Besides letters and digits of any language. No colon, backslash or control character, on no system.
NAME = re.compile(r"[\w .,()'&+#@=!~-]+")
LEFT_OUT = re.compile(r"(?:^|/)(?:__MACOSX|\.[^/.][^/]*)(?:/|$)|(?:^|/)Thumbs\.db$")  # what desktops add


def unpack_pictures(source: Path, target: Path) -> int:
    """Unpack a zip file of PNG pictures, with at most one metadata file in each folder.

    Its list of contents is checked first: names, kinds, sizes, their sum, how well they are packed. The
    pictures are not decoded here.

    Args:
        source: the file.
        target: a folder that is not there yet.

    Returns:
        How many pictures there are.

    Raises:
        InputError: it is no such file, or too large; nothing of it stays on the disk.
        DemoError: the folder cannot be written.
    """
    if target.exists():
        raise InputError("folder_exists", path=shown(target.name))
    if source.stat().st_size > MAX_ZIP_BYTES:
        raise _refused(f"it has more than {MAX_ZIP_BYTES // 2**20} MiB")
    try:
        with zipfile.ZipFile(source) as file:
            entries = _checked(file.infolist())
            with whole_or_nothing(target) as place:
                place.mkdir(parents=True)
                for info in entries:
                    path = place / info.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("xb") as unpacked:
                        unpacked.writelines(_blocks(file, info))
    except DAMAGED as error:
        raise _refused(NO_ZIP) from error
    return sum(not _is_metadata(info.filename) for info in entries)


def _checked(infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The files that are to be unpacked, after a look at all of them."""
    files = [info for info in infos if not info.is_dir() and not LEFT_OUT.search(info.filename)]
    if len(infos) > 2 * MAX_FILES or len(files) > MAX_FILES:
        raise _refused(f"it holds more than {MAX_FILES:,} files")
    if sum(info.file_size for info in files) > MAX_UNPACKED_BYTES:
        raise _refused(f"it would unpack to more than {MAX_UNPACKED_BYTES // 2**20} MiB")
    for info in files:
        _check(info)
    if all(_is_metadata(info.filename) for info in files):
        raise _refused("it holds no PNG picture")
    # Two names that differ in their case alone are one file on many systems.
    often = Counter(info.filename.casefold() for info in files)
    folders = {str(parent).casefold() for info in files for parent in PurePosixPath(info.filename).parents}
    if any(count > 1 for count in often.values()) or folders & set(often):
        raise _refused("a name stands in it twice")
    return files


def _check(info: zipfile.ZipInfo) -> None:
    """Refuses a file by what the list of contents says of it."""
    parts = info.filename.split("/")
    safe = all(NAME.fullmatch(part) and part.strip(" .") == part for part in parts)
    if not safe or len(parts) > MAX_DEPTH or len(info.filename) > MAX_NAME_LENGTH:
        raise _refused(f"the name {shown(info.filename)} is not one that is taken")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refused(f"{shown(info.filename)} is a link or another special file")
    if not info.filename.lower().endswith(".png") and not _is_metadata(info.filename):
        raise _refused(f"{shown(info.filename)} is no PNG picture")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(f"{shown(info.filename)} is packed in a way that is not taken")
    if info.file_size > MAX_PICTURE_BYTES:
        raise _refused(f"{shown(info.filename)} has more than {MAX_PICTURE_BYTES // 2**20} MiB")
    if info.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size):
        raise _refused(f"{shown(info.filename)} is packed more tightly than pictures are")


def _blocks(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A file's content in pieces: as many bytes as the list of contents promised, and not one more."""
    left = info.file_size
    try:
        with file.open(info) as packed:
            begin = packed.read(len(PNG_SIGNATURE))
            if begin != PNG_SIGNATURE and not _is_metadata(info.filename):
                raise _refused(f"{shown(info.filename)} is no PNG picture")
            block = begin
            while block and len(block) <= left:
                yield block
                left -= len(block)
                block = packed.read(BLOCK_BYTES)
    except DAMAGED as error:
        raise _refused(NO_ZIP) from error
    if left or block:
        raise _refused("its list of contents is false")


def _is_metadata(name: str) -> bool:
    return PurePosixPath(name).name in METADATA


def _refused(detail: str) -> InputError:
    return InputError("not_pictures", detail=detail)
