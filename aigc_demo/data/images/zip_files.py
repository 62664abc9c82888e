"""Uploaded zip files of images, checked before anything is written to the disk."""

import json
import re
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.atomic import atomic_path
from aigc_demo.data.captions.tables import METADATA
from aigc_demo.data.images.image_files import MAX_FILES, ZIP_NOTE

MAX_ZIP_BYTES = 256 * 2**20
MAX_UNPACKED_BYTES = 512 * 2**20
MAX_IMAGE_BYTES = 32 * 2**20
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"  # `decoder`, which imports nothing of the package, has it too
# PNG files are compressed already: a far higher ratio than that of a white page means a zip bomb.
MAX_RATIO, RATIO_FROM_BYTES = 200, 2**20
MAX_NAME_LENGTH, MAX_DEPTH = 150, 4
BLOCK_BYTES = 2**20
NO_ZIP = "it is not a zip file, or it is damaged or encrypted"
# Exceptions of zipfile on truncated, crafted and encrypted files.
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)
# Letters and digits of any language, and these characters; no colon, backslash or control character.
NAME = re.compile(r"[\w .,()'&+#@=!~-]+")
# Encodings tried in this order for names that are not marked as UTF-8; every byte is valid in the last.
ENCODINGS = ("utf-8", "gb18030", "cp437")
# Files that operating systems add: hidden files and folders, thumbnails, folder settings.
LEFT_OUT = re.compile(
    r"(?:^|/)(?:__MACOSX|\.[^/.][^/]*|\$RECYCLE\.BIN|System Volume Information)(?:/|$)"
    r"|(?:^|/)(?:Thumbs\.db|ehthumbs(?:_vista)?\.db|desktop\.ini|Icon[\r\uf00d])\Z",
    re.IGNORECASE,
)


def unpack_images(source: Path, target: Path) -> int:
    """Unpack a zip file of PNG images, with at most one metadata file in each folder.

    The central directory is checked first: names, file types, sizes, total size, compression ratios. The
    images are not decoded here.

    Args:
        source: the file.
        target: a folder that does not exist yet.

    Returns:
        The number of images.

    Raises:
        InputError: the file is invalid or too large; nothing is left on the disk.
        DemoError: the folder cannot be written.
    """
    if target.exists():
        raise InputError("folder_exists", path=shown(target.name))
    if source.stat().st_size > MAX_ZIP_BYTES:
        raise _refused(f"it has more than {MAX_ZIP_BYTES // 2**20} MiB")
    try:
        file, encoding = _opened(source)
        with file:
            entries = _checked(file.infolist(), encoding)
            with atomic_path(target) as place:
                place.mkdir(parents=True)
                for entry in entries:
                    path = place / entry.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("xb") as unpacked:
                        unpacked.writelines(_blocks(file, entry))
                _note_encoding(place, entries, encoding)
    except DAMAGED as error:
        raise _refused(NO_ZIP) from error
    return sum(not entry.is_metadata for entry in entries)


@dataclass(frozen=True)
class _Entry:
    """A file in the zip file, and its name in NFC (macOS writes NFD)."""

    info: zipfile.ZipInfo
    name: str

    @property
    def is_metadata(self) -> bool:
        return PurePosixPath(self.name).name.lower() in METADATA

    @property
    def is_guessed(self) -> bool:
        """Whether the encoding of the name is guessed: not ASCII, and not marked as UTF-8."""
        return not self.info.flag_bits & 0x800 and not self.name.isascii()


def _opened(source: Path) -> tuple[zipfile.ZipFile, str]:
    """The zip file, and the encoding used for names that are not marked as UTF-8."""
    for encoding in ENCODINGS[:-1]:
        try:
            return zipfile.ZipFile(source, metadata_encoding=encoding), encoding
        except UnicodeDecodeError:
            continue
    return zipfile.ZipFile(source), ENCODINGS[-1]


def _note_encoding(place: Path, entries: list[_Entry], encoding: str) -> None:
    """Write a note about a guessed encoding into the folder; `image_files` reads it."""
    guessed = [entry.name for entry in entries if entry.is_guessed]
    if guessed and encoding != ENCODINGS[0]:
        note = {"encoding": encoding.upper(), "first": shown(guessed[0])}
        (place / ZIP_NOTE).write_text(json.dumps(note), "utf-8")


def _checked(infos: list[zipfile.ZipInfo], encoding: str) -> list[_Entry]:
    """The files to unpack, after all checks.

    Args:
        infos: the central directory.
        encoding: used for names that are not marked as UTF-8.
    """
    files = [
        _Entry(info, unicodedata.normalize("NFC", info.filename))
        for info in infos
        if not info.is_dir() and not LEFT_OUT.search(info.filename)
    ]
    if len(infos) > 2 * MAX_FILES or len(files) > MAX_FILES:
        raise _refused(f"it holds more than {MAX_FILES:,} files")
    if sum(entry.info.file_size for entry in files) > MAX_UNPACKED_BYTES:
        raise _refused(f"it would unpack to more than {MAX_UNPACKED_BYTES // 2**20} MiB")
    for entry in files:
        _check(entry, encoding)
    _check_endings(files)
    # Names that differ only in case are one file on many systems.
    often = Counter(entry.name.casefold() for entry in files)
    folders = {str(parent).casefold() for entry in files for parent in PurePosixPath(entry.name).parents}
    if any(count > 1 for count in often.values()) or folders & set(often):
        raise _refused("it contains a name twice")
    return files


def _check_endings(files: list[_Entry]) -> None:
    """Reject files without the suffix .png, and count them by suffix."""
    images = [entry for entry in files if not entry.is_metadata]
    others = [entry for entry in images if not entry.name.lower().endswith(".png")]
    if len(others) == 1 < len(images):
        raise _refused(f"{shown(others[0].name)} is not a PNG image")
    if others:
        endings = Counter(PurePosixPath(entry.name).suffix.lower() or "without ending" for entry in others)
        which = shown(", ".join(f"{count} {ending}" for ending, count in endings.most_common()))
        raise _refused(
            f"{len(others)} of its {len(images)} files are not PNG images: {which};"
            f" the first: {shown(others[0].name)}"
        )
    if not images:
        raise _refused("it contains no PNG image")


def _check(entry: _Entry, encoding: str) -> None:
    """Check a file by its entry in the central directory."""
    info, name = entry.info, entry.name
    parts = name.split("/")
    safe = all(_is_plain(part) and part.strip(" .") == part for part in parts)
    if not safe or len(parts) > MAX_DEPTH or len(name) > MAX_NAME_LENGTH:
        if entry.is_guessed and encoding != ENCODINGS[0]:
            raise InputError("zip_name_guessed", name=shown(name), encoding=encoding.upper())
        raise _refused(f"the name {shown(name)} is not allowed")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refused(f"{shown(name)} is a link or another special file")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(f"{shown(name)} has an unsupported compression method")
    if info.file_size > MAX_IMAGE_BYTES:
        raise _refused(f"{shown(name)} has more than {MAX_IMAGE_BYTES // 2**20} MiB")
    if info.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size):
        raise _refused(f"{shown(name)} has a compression ratio that images do not have")


def _is_plain(name: str) -> bool:
    """Whether a name has only allowed characters, combining marks (as in Hindi and Thai) included."""
    letters = "".join(letter for letter in name if not unicodedata.category(letter).startswith("M"))
    return NAME.fullmatch(letters) is not None


def _blocks(file: zipfile.ZipFile, entry: _Entry) -> Iterator[bytes]:
    """A file's content in blocks: exactly as many bytes as the central directory states."""
    left = entry.info.file_size
    try:
        with file.open(entry.info) as packed:
            begin = packed.read(len(PNG_SIGNATURE))
            if begin != PNG_SIGNATURE and not entry.is_metadata:
                raise _refused(f"{shown(entry.name)} is not a PNG image")
            block = begin
            while block and len(block) <= left:
                yield block
                left -= len(block)
                block = packed.read(BLOCK_BYTES)
    except DAMAGED as error:
        raise _refused(NO_ZIP) from error
    if left or block:
        raise _refused("its central directory is wrong")


def _refused(detail: str) -> InputError:
    return InputError("not_pictures", detail=detail)
