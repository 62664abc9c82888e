"""Images from untrusted files: a folder, or file contents from elsewhere, decoded in a subprocess.

A folder has the layout of the datasets library's imagefolder: images, optionally in one subfolder per class,
optionally with captions in a metadata file (`captions`). A file that cannot be used is skipped and counted by
reason. Where the decoder crashes or hangs, only the current file is lost, and the decoder is restarted.
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.strict_json import strict_json
from aigc_demo.data.captions.metadata import Captions, Facts
from aigc_demo.data.captions.tables import METADATA
from aigc_demo.data.images.decoder_process import DecoderProcess

ENDINGS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif", ".avifs"),
}
SUFFIXES = {ending: form for form, endings in ENDINGS.items() for ending in endings}
FORMATS = tuple(sorted(ENDINGS))
# Images of formats that are not read: every further decoder is a further attack surface.
OTHER_SUFFIX = re.compile(
    r"""\.(?: hei[cf] | hif | jxl | jp[2fx] | j2k | svgz? | ico | icns | cur | psd | xcf | tga | dds | exr
    | hdr | pcx | p[pgbnf]m | x[bp]m | eps | ai | wmf | emf | qoi
    | raw | dng | cr[23] | nef | arw | orf | rw2 | raf )""",
    re.VERBOSE,
)
TABLES = ("csv", "jsonl", "json", "tsv", "parquet", "xlsx", "xls", "ods", "txt")  # suffixes of metadata files
ZIP_NOTE = ".names-of-zip.json"
"""File in an unpacked folder with the guessed encoding of the zip file's names."""
MAX_NOTE_BYTES = 2000
MAX_FILES = 50_000
MAX_FILE_BYTES = 64 * 2**20
MAX_BYTES = 8 * 2**30  # of all files together
MAX_CRASHES = 50  # of the decoder, before the whole folder is refused


@dataclass(frozen=True)
class ImageFile:
    """An image file before decoding.

    Args:
        name: of the file; only the suffix is used.
        content: its bytes; None where it is not read.
        label: class name, or None.
        text: caption, or None.
        reason: why the content is None.
    """

    name: str
    content: bytes | None
    label: str | None = None
    text: str | None = None
    reason: str = ""


@dataclass(eq=False)
class ReadImages:
    """Decoded images.

    Args:
        pixels: [N, 3, S, S] uint8.
        labels: class name of each, or None.
        texts: caption of each, or None.
        num_bytes: of all files read.
        skipped: number of unused files by reason.
        properties: number of images that are animated, misnamed, transparent, and so on.
        metadata: facts about the metadata files, and suffixes that are not read.
    """

    pixels: np.ndarray
    labels: list[str | None]
    texts: list[str | None]
    num_bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    properties: Counter[str] = field(default_factory=Counter)
    metadata: Facts = field(default_factory=dict)


def read_folder(path: Path, side: int) -> ReadImages:
    """Read the images of a folder and its subfolders.

    Args:
        path: of the folder.
        side: to which every image is cropped and resized, in pixels.

    Raises:
        InputError: the folder cannot be read, is too large, or has no usable image.
    """
    captions, endings = Captions(), Counter[str]()
    read = read_images(_files(path, captions, endings), side, shown(path.name))
    read.metadata = {**captions.facts(), **_zip_names(path)}
    if endings:
        read.metadata["other_endings"] = shown(", ".join(f"{name} {n}" for name, n in endings.most_common()))
    return read


def read_images(
    files: Iterable[ImageFile], side: int, name: str, formats: tuple[str, ...] = FORMATS
) -> ReadImages:
    """Decode images in a subprocess.

    Args:
        files: consumed one at a time.
        side: of the results, in pixels.
        name: of the source, for an error.
        formats: allowed ones, in Pillow's names.

    Raises:
        InputError: there are too many files, they are too large together, or none can be used.
        DemoError: the decoder cannot be started.
    """
    pixels: list[np.ndarray] = []
    read = ReadImages(np.empty((0, 3, side, side), np.uint8), [], [])
    with DecoderProcess(side, formats) as decoder:
        for position, file in enumerate(files):
            if position == MAX_FILES:
                raise InputError("too_many_pictures", name=name, limit=f"{MAX_FILES:,}")
            if file.content is None:
                read.skipped[file.reason] += 1
                continue
            read.num_bytes += len(file.content)
            if read.num_bytes > MAX_BYTES:
                got = f"{read.num_bytes / 2**20:.1f}"
                raise InputError("too_large", name=name, got=got, limit=MAX_BYTES // 2**20)
            about, raw = decoder.decode(file.content)
            if "skipped" in about:
                read.skipped[about["skipped"]] += 1
                if decoder.num_crashes > MAX_CRASHES:
                    raise InputError("pictures_crash", name=name, count=decoder.num_crashes)
                continue
            read.properties.update(_properties(about, file.name))
            pixels.append(np.frombuffer(raw, np.uint8).reshape(side, side, 3).transpose(2, 0, 1))
            read.labels.append(file.label)
            read.texts.append(file.text)
    if not pixels:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(read.skipped.items()))
        raise InputError("no_pictures", name=name, detail=why or "there are none")
    read.pixels = np.stack(pixels)
    return read


def _properties(about: dict[str, Any], name: str) -> Iterator[str]:
    """Names of the properties of an image that the report counts."""
    yield from (word for word in ("animated", "transparent", "rotated") if about[word])
    ending = SUFFIXES.get(Path(name).suffix.lower())
    if ending and ending != about["format"]:
        yield "misnamed"
    mode = str(about["mode"])
    if mode == "CMYK":
        yield "cmyk"
    elif mode == "P":
        yield "palette"
    elif mode.startswith("I"):
        yield "grey_16_bit"


def _files(root: Path, captions: Captions, endings: Counter[str]) -> Iterator[ImageFile]:
    """The image files of a folder in the order of their names, with labels and captions.

    Args:
        root: the folder.
        captions: output, filled from the metadata files.
        endings: output, counts the suffixes of images in formats that are not read.
    """
    try:
        real_root = root.resolve(strict=True)
        if not real_root.is_dir():
            raise InputError("no_picture_folder", path=shown(str(root)))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError("no_picture_folder", path=shown(str(root))) from error
    for folder, folders, names in os.walk(real_root, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        inside = here.relative_to(real_root).parts
        _read_metadata(here, "/".join(inside), names, captions)
        for name in sorted(names):
            ending = Path(name).suffix.lower()
            other = OTHER_SUFFIX.fullmatch(ending) is not None
            if name.startswith(".") or not (other or ending in SUFFIXES):
                continue
            text = captions.of("/".join((*inside, name)))
            if other:
                endings[ending] += 1
                content, reason = None, "other_format"
            else:
                content, reason = read_regular_file(here / name, real_root)
            yield ImageFile(name, content, inside[-1] if inside else None, text, reason)


def _unreadable(error: OSError) -> None:
    path = shown(Path(error.filename).name)
    raise InputError("unreadable_file", path=path, detail=error.strerror or "") from error


def read_regular_file(path: Path, root: Path) -> tuple[bytes | None, str]:
    """The content of a regular file inside a folder, up to MAX_FILE_BYTES.

    A link that leads out of the folder is not followed; a pipe or a device, which might never end, is not
    read.

    Args:
        path: of the file.
        root: the folder, as a resolved path.

    Returns:
        The content and "", or None and the reason: link, special, too_large or unreadable.
    """
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root):
            return None, "link"
        # Do not block on a pipe, and do not follow a path that was replaced by a link since.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        flags |= getattr(os, "O_BINARY", 0)
        if not stat.S_ISREG(real.lstat().st_mode):
            return None, "special"
        with os.fdopen(os.open(real, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None, "special"
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError, RuntimeError):
        return None, "unreadable"
    return (None, "too_large") if len(content) > MAX_FILE_BYTES else (content, "")


def _zip_names(root: Path) -> Facts:
    """The guessed encoding of the names in a zip file, where `zip_files` wrote a note."""
    content, _ = read_regular_file(root / ZIP_NOTE, root.resolve())
    try:
        note = strict_json((content or b"").decode("utf-8"), MAX_NOTE_BYTES)
        return {"zip_names_read_as": shown(note["encoding"]), "first_of_zip_names": shown(note["first"])}
    except (ValueError, TypeError, KeyError):
        return {}


def _read_metadata(folder: Path, inside: str, names: list[str], captions: Captions) -> None:
    """Read the first metadata file of a folder, and record the others."""
    known = sorted((name for name in names if name.lower() in METADATA), key=lambda name: name.lower())
    taken = known[0] if known else None
    for name in sorted(names):
        stem, _, ending = name.lower().rpartition(".")
        if stem == "metadata" and ending in TABLES and name != taken:
            captions.leave_out(inside, name)
    if taken is not None:
        content, reason = read_regular_file(folder / taken, folder)
        if content is None:
            raise InputError("bad_metadata", name=shown(taken), detail=reason)
        captions.add(inside, taken, content)
