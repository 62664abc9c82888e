"""Pictures from files of strangers: a folder, or contents from elsewhere, decoded by a process of its own.

A folder is laid out as the datasets library's imagefolder: pictures, perhaps in one subfolder per class,
perhaps with captions in a metadata file (`captions`). A file that cannot be used is skipped and counted with
its reason; a decoder that dies or hangs costs the file it had, and is started again.
"""

import contextlib
import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.strict_json import strict_json
from aigc_demo.data.captions.metadata import Captions, Facts
from aigc_demo.data.captions.tables import METADATA

DECODER = Path(__file__).with_name("decoder.py")
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
# Pictures too, but of formats that are not read: each decoder more is one more that a crafted file can use.
OTHER_SUFFIX = re.compile(
    r"""\.(?: hei[cf] | hif | jxl | jp[2fx] | j2k | svgz? | ico | icns | cur | psd | xcf | tga | dds | exr
    | hdr | pcx | p[pgbnf]m | x[bp]m | eps | ai | wmf | emf | qoi
    | raw | dng | cr[23] | nef | arw | orf | rw2 | raf )""",
    re.VERBOSE,
)
TABLES = ("csv", "jsonl", "json", "tsv", "parquet", "xlsx", "xls", "ods", "txt")  # that metadata come in
ZIP_NOTE = ".names-of-zip.json"
"""Beside pictures that were unpacked: what the names in their zip file were read as, if guessed."""
MAX_NOTE_BYTES = 2000
MAX_FILES = 50_000
MAX_FILE_BYTES = 64 * 2**20
MAX_BYTES = 8 * 2**30  # of all files together
MAX_DEATHS = 50  # of decoders, before the whole folder is refused
DECODING_SECONDS = 20.0
MAX_ANSWER_BYTES = 4096
# What a decoder may answer: what a stranger's file has taken over could say anything.
REASONS = ("no_picture", "other_format", "too_small", "too_large", "unusual", "broken")
NOTES = {"format", "mode", "animated", "transparent", "rotated"}


@dataclass(frozen=True)
class ImageFile:
    """A picture as it was found.

    Args:
        name: of the file, for its ending; "" where it has none.
        content: its bytes; None where it may not be read.
        label: the class it belongs to; None where there are none.
        text: its caption; None where there is none.
        reason: why its content is None.
    """

    name: str
    content: bytes | None
    label: str | None = None
    text: str | None = None
    reason: str = ""


@dataclass(eq=False)
class ReadImages:
    """What was made of some files.

    Args:
        pixels: [N, 3, S, S] uint8.
        labels: the class of each, or None.
        texts: the caption of each, or None.
        num_bytes: of all files that were read.
        skipped: how many files were not used, by reason.
        noticed: how many of those used were animated, misnamed, transparent, and so on.
        told: what the metadata files held, and which endings were not read.
    """

    pixels: np.ndarray
    labels: list[str | None]
    texts: list[str | None]
    num_bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    told: Facts = field(default_factory=dict)


def read_folder(path: Path, side: int) -> ReadImages:
    """Read the pictures of a folder and of those in it.

    Args:
        path: the folder.
        side: what every picture is cropped and resized to, in pixels.

    Raises:
        InputError: the folder cannot be read, holds too much, or nothing that can be used.
    """
    captions, endings = Captions(), Counter[str]()
    read = read_images(_files(path, captions, endings), side, shown(path.name))
    read.told = {**captions.facts(), **_zip_names(path)}
    if endings:
        read.told["other_endings"] = shown(", ".join(f"{name} {n}" for name, n in endings.most_common()))
    return read


def read_images(
    files: Iterable[ImageFile], side: int, name: str, formats: tuple[str, ...] = FORMATS
) -> ReadImages:
    """Decode pictures in a process of its own.

    Args:
        files: what to decode; one is held in memory at a time.
        side: of the results, in pixels.
        name: of them all, for an error.
        formats: those that may be read, in Pillow's names.

    Raises:
        InputError: they are too many or too large together, or none can be used.
        DemoError: the decoder cannot be started.
    """
    pixels: list[np.ndarray] = []
    read = ReadImages(np.empty((0, 3, side, side), np.uint8), [], [])
    with _Decoder(side, formats) as decoder:
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
                if decoder.deaths > MAX_DEATHS:
                    raise InputError("pictures_crash", name=name, count=decoder.deaths)
                continue
            read.noticed.update(_noticed(about, file.name))
            pixels.append(np.frombuffer(raw, np.uint8).reshape(side, side, 3).transpose(2, 0, 1))
            read.labels.append(file.label)
            read.texts.append(file.text)
    if not pixels:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(read.skipped.items()))
        raise InputError("no_pictures", name=name, detail=why or "there are none")
    read.pixels = np.stack(pixels)
    return read


def _noticed(about: dict[str, Any], name: str) -> Iterator[str]:
    """What is worth counting of a picture that is used."""
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


class _Decoder:
    """The process that decodes, started again when it dies."""

    def __init__(self, side: int, formats: tuple[str, ...]):
        # -P: no module of ours beside the script may stand in for one of the library's.
        self._command = [sys.executable, "-P", str(DECODER), str(side), *formats]
        self._num_bytes = side * side * 3
        self._process: subprocess.Popen[bytes] | None = None
        self._hung = threading.Event()
        self.deaths = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def decode(self, content: bytes) -> tuple[dict[str, Any], bytes]:
        """What `decoder` answers, or {"skipped": "hung"} or {"skipped": "crashed"}."""
        process = self._process or self._start()
        self._hung.clear()
        watch = threading.Timer(DECODING_SECONDS, self._kill_hung, (process,))
        watch.start()
        try:
            return self._asked(process, content)
        except (OSError, ValueError):  # a pipe without a reader, half an answer, or nonsense
            self.deaths += 1
            self._end()
            return {"skipped": "hung" if self._hung.is_set() else "crashed"}, b""
        finally:
            watch.cancel()

    def _asked(self, process: subprocess.Popen[bytes], content: bytes) -> tuple[dict[str, Any], bytes]:
        assert process.stdin and process.stdout
        process.stdin.write(len(content).to_bytes(8, "big") + content)
        process.stdin.flush()
        about = json.loads(process.stdout.readline(MAX_ANSWER_BYTES))
        if not isinstance(about, dict) or not (about.get("skipped") in REASONS or about.keys() >= NOTES):
            raise ValueError("nonsense")
        if "skipped" in about:
            return about, b""
        pixels = process.stdout.read(self._num_bytes)
        if len(pixels) != self._num_bytes:
            raise ValueError("half an answer")
        return about, pixels

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise DemoError("no_decoder", detail=error.strerror or type(error).__name__) from error
        return self._process

    def _kill_hung(self, process: subprocess.Popen[bytes]) -> None:
        self._hung.set()
        process.kill()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin and process.stdout
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):  # bytes that nobody reads any more
            process.stdin.close()
        process.stdout.close()


def _files(root: Path, captions: Captions, endings: Counter[str]) -> Iterator[ImageFile]:
    """The pictures of a folder in the order of their names, with what its metadata says of them.

    Args:
        root: the folder.
        captions: filled with what the metadata files in it say.
        endings: of the pictures that are not read; counted.
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
    """A file's content, if it is a regular file inside the folder and no larger than is taken.

    A link that leads out of the folder is not followed, and a pipe or a device, which might never end, is
    not read.

    Args:
        path: of the file.
        root: the folder, without links in its own path.

    Returns:
        The content and "", or None and the reason: link, special, too_large or unreadable.
    """
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root):
            return None, "link"
        # Not waiting for a pipe's other end, nor following what has become a link since.
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
    """What the names of pictures out of a zip file were read as, where `zip_files` had to guess."""
    content, _ = read_regular_file(root / ZIP_NOTE, root.resolve())
    try:
        note = strict_json((content or b"").decode("utf-8"), MAX_NOTE_BYTES)
        return {"zip_names_read_as": shown(note["encoding"]), "first_of_zip_names": shown(note["first"])}
    except (ValueError, TypeError, KeyError):
        return {}


def _read_metadata(folder: Path, inside: str, names: list[str], captions: Captions) -> None:
    """Take the first of the metadata files in a folder, and note the others."""
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
