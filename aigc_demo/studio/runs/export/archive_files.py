"""Which files an exported run may hold, how large, and unpacking them; nothing of the file is believed."""

import contextlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.manifest import MANIFEST
from aigc_demo.generators.trained_folder import FOLDERS

CARD = "README.md"
MIB = 2**20
MAX_BYTES, MAX_FILES, MAX_NAME = 256 * MIB, 64, 120
MAX_LIST_BYTES = 64 * 1024
END, LARGE, LARGE_BYTES = b"PK\x05\x06", b"PK\x06\x07", 20
END_BYTES = 22 + 65_535
"""The record at the end of a zip file, with the longest comment."""
# No export is packed more tightly: a record of numbers to a tenth, weights hardly at all.
MAX_RATIO, RATIO_FROM_BYTES = 100, 64 * 1024
BLOCK_BYTES = 64 * 1024
SMALL, WEIGHTS_BYTES = 256 * 1024, 64 * MIB
RUN_FILES = {"config.json": SMALL, "events.jsonl": 64 * MIB, CARD: SMALL}
TOKENIZER = "tokenizer.json"
MODEL_FILES = {
    "config.json": SMALL,
    "generation_config.json": SMALL,
    "model_index.json": SMALL,
    "preparation.json": SMALL,
    "scheduler_config.json": SMALL,
    TOKENIZER: 4 * MIB,
    "tokenizer_config.json": SMALL,
    "model.safetensors": WEIGHTS_BYTES,
    "diffusion_pytorch_model.safetensors": WEIGHTS_BYTES,
    MANIFEST: SMALL,
    CARD: SMALL,
}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How a file may be packed; readers of other methods fail in other ways, and no export has them."""
PARTS = ("scheduler", *sorted({part for row in FOLDERS.values() for part in row.parts}))
"""Folders in a checkpoint whose model is several networks."""
CHECKPOINT = re.compile(rf"checkpoints/step-\d{{6,9}}/(?:(?:{'|'.join(PARTS)})/)?([A-Za-z_]+\.[a-z]+)")
SAMPLE, MAX_SAMPLE_BYTES = re.compile(r"samples/step-\d{6,9}\.png"), 4 * MIB
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)


def refused(detail: str) -> InputError:
    """That a file is no exported run, and why."""
    return InputError("not_an_export", detail=detail)


def unpack(source: Path, target: Path, room_bytes: int = MAX_BYTES) -> None:
    """Unpack an archive, if its list of contents is one that an export has.

    Args:
        source: a zip file.
        target: an empty folder.
        room_bytes: how much it may take there.

    Raises:
        InputError: it is no such file, or takes more.
    """
    with _opened(source) as file:
        for info in _listed(file.infolist(), room_bytes):
            path = target / info.filename
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as unpacked:
                    unpacked.writelines(_blocks(file, info))
            except FileExistsError as error:
                raise refused("a name stands in it twice") from error


def _opened(source: Path) -> zipfile.ZipFile:
    """The archive, if its list of contents is short enough to be read at all."""
    with _reading():
        with source.open("rb") as file:
            _check_end(file)
        return zipfile.ZipFile(source)


def _check_end(file: BinaryIO) -> None:
    """Refuses a list of contents that is longer than any export's before it is read into memory.

    The record at the end of a zip file says how many bytes the list has; the large format has one more.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END_BYTES))
    end = file.read()
    place = end.rfind(END)
    if place < 0:
        raise zipfile.BadZipFile("no end")
    listed = int.from_bytes(end[place + 12 : place + 16], "little")
    if listed > MAX_LIST_BYTES or end[max(0, place - LARGE_BYTES) : place].startswith(LARGE):
        raise refused(f"it holds more than {MAX_FILES} files")


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """What a damaged archive makes its reader raise, in one sentence."""
    try:
        yield
    except (*DAMAGED, OSError) as error:  # a place that no file has is an OSError
        raise refused("it is no zip file, or it is damaged") from error


def _listed(infos: list[zipfile.ZipInfo], room_bytes: int) -> list[zipfile.ZipInfo]:
    files = [info for info in infos if not info.is_dir()]
    if len(infos) > 2 * MAX_FILES or len(files) > MAX_FILES:
        raise refused(f"it holds more than {MAX_FILES} files")
    for info in files:
        _check_entry(info)
    if sum(info.file_size for info in files) > min(MAX_BYTES, room_bytes):
        raise refused(f"it would unpack to more than {min(MAX_BYTES, room_bytes) // MIB} MiB")
    return files


def _check_entry(info: zipfile.ZipInfo) -> None:
    """Refuses a file by what the list of contents says of it."""
    if len(info.filename) > MAX_NAME or (most := _most_bytes(info.filename)) is None:
        raise refused("it holds files that no exported run has")
    if info.compress_type not in METHODS:
        raise refused(f"{shown(info.filename)} is packed in another way than any export")
    if info.file_size > most:
        raise refused(f"{shown(info.filename)} is larger than it ever is, more than {most:,} bytes")
    if info.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * info.compress_size):
        raise refused(f"{shown(info.filename)} is packed more tightly than any export")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise refused(f"{shown(info.filename)} is a link or another special file")


def _most_bytes(name: str) -> int | None:
    """How large a file of this name may be; None for a name that no export has."""
    if SAMPLE.fullmatch(name):
        return MAX_SAMPLE_BYTES
    found = CHECKPOINT.fullmatch(name)
    return MODEL_FILES.get(found[1]) if found else RUN_FILES.get(name)


def _blocks(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A file's content in pieces: as many bytes as the list of contents promised, and not one more."""
    left = info.file_size
    with _reading():
        packed = file.open(info)
    with packed:
        while left >= 0:
            with _reading():
                block = packed.read(BLOCK_BYTES)
            left -= len(block)
            if not block or left < 0:
                break
            yield block
    if left:
        raise refused("its list of contents is false")
