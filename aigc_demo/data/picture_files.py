"""Pictures from files of strangers: a folder, or contents from elsewhere, decoded by a process of its own.

A folder is laid out as the datasets library's imagefolder: pictures, perhaps in one subfolder per class,
perhaps with a metadata.csv or metadata.jsonl that holds file_name and text. A file that cannot be used is
skipped and counted with its reason; a decoder that dies or hangs costs the file it had, and is started again.
"""

import contextlib
import csv
import io
import json
import os
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

DECODER = Path(__file__).with_name("picture_decoder.py")
SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
FORMATS = tuple(sorted(set(SUFFIXES.values())))
METADATA = ("metadata.csv", "metadata.jsonl")
CAPTIONS = ("text", "caption")  # columns
MAX_FILES = 50_000
MAX_FILE_BYTES = 64 * 2**20
MAX_BYTES = 8 * 2**30  # of all files together
MAX_METADATA_BYTES = 64 * 2**20
MAX_TEXT_LENGTH = 1000
MAX_DEATHS = 50  # of decoders, before the whole folder is refused
DECODING_SECONDS = 20.0
MAX_ANSWER_BYTES = 4096
# What a decoder may answer: what a stranger's file has taken over could say anything.
REASONS = ("no_picture", "too_small", "too_large", "unusual", "broken")
NOTES = {"format", "mode", "animated", "transparent", "rotated"}


@dataclass(frozen=True)
class PictureFile:
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
class ReadPictures:
    """What was made of some files.

    Args:
        pixels: [N, 3, S, S] uint8.
        labels: the class of each, or None.
        texts: the caption of each, or None.
        num_bytes: of all files that were read.
        skipped: how many files were not used, by reason.
        noticed: how many of those used were animated, misnamed, transparent, and so on.
    """

    pixels: np.ndarray
    labels: list[str | None]
    texts: list[str | None]
    num_bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)


def read_folder(path: Path, side: int) -> ReadPictures:
    """Read the pictures of a folder and of those in it.

    Args:
        path: the folder.
        side: what every picture is cropped and resized to, in pixels.

    Raises:
        InputError: the folder cannot be read, holds too much, or nothing that can be used.
    """
    return read_pictures(_files(path), side, shown(path.name))


def read_pictures(
    files: Iterable[PictureFile], side: int, name: str, formats: tuple[str, ...] = FORMATS
) -> ReadPictures:
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
    read = ReadPictures(np.empty((0, 3, side, side), np.uint8), [], [])
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
        """What `picture_decoder` answers, or {"skipped": "hung"} or {"skipped": "crashed"}."""
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


def _files(root: Path) -> Iterator[PictureFile]:
    """The pictures of a folder in the order of their names, with what its metadata says of them."""
    try:
        real_root = root.resolve(strict=True)
        if not real_root.is_dir():
            raise InputError("no_picture_folder", path=shown(str(root)))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError("no_picture_folder", path=shown(str(root))) from error
    texts: dict[Path, str] = {}
    for folder, folders, names in os.walk(real_root, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        texts.update(_captions(here, names))
        inside = here.relative_to(real_root).parts
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                path = here / name
                content, reason = read_regular_file(path, real_root)
                yield PictureFile(name, content, inside[-1] if inside else None, texts.get(path), reason)


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


def _captions(folder: Path, names: list[str]) -> dict[Path, str]:
    """What the metadata in a folder say, by the path of the picture."""
    name = next((name for name in METADATA if name in names), None)
    if name is None:
        return {}
    content, reason = read_regular_file(folder / name, folder)
    if content is None or len(content) > MAX_METADATA_BYTES:
        raise InputError("bad_metadata", name=name, detail=reason or "too_large")
    try:
        text = content.decode("utf-8-sig")
        rows = list(_csv_rows(text) if name.endswith(".csv") else _jsonl_rows(text))
    except (ValueError, csv.Error, RecursionError) as error:
        raise InputError("bad_metadata", name=name, detail="not UTF-8, or broken") from error
    if rows and not all(isinstance(row, dict) and isinstance(row.get("file_name"), str) for row in rows):
        raise InputError("bad_metadata", name=name, detail="no file_name")
    found = {}
    for row in rows:
        caption = next((row[column] for column in CAPTIONS if isinstance(row.get(column), str)), None)
        if caption is not None and "\0" not in row["file_name"]:
            found[Path(os.path.normpath(folder / row["file_name"]))] = plain(caption)
    return found


def _csv_rows(text: str) -> Iterator[Any]:
    return csv.DictReader(io.StringIO(text, newline=""))


def _jsonl_rows(text: str) -> Iterator[Any]:
    return (json.loads(line) for line in text.splitlines() if line.strip())


def plain(caption: str) -> str:
    """A caption on one line, of bounded length."""
    return " ".join(caption[: 4 * MAX_TEXT_LENGTH].split())[:MAX_TEXT_LENGTH]
