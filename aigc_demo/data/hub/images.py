"""Images from a dataset on the Hugging Face Hub."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.captions.metadata import plain
from aigc_demo.data.captions.tables import CAPTIONS
from aigc_demo.data.hub.tables import PREFIX, HubSource, read_split
from aigc_demo.data.images.image_files import (
    MAX_FILES,
    ImageFile,
    ReadImages,
    read_images,
    read_regular_file,
)

MAX_DOWNLOAD_BYTES = 1024 * 2**20
COLUMNS = ("image", "img", "picture")  # order of preference
BATCH_SIZE = 32


def read_hub_images(source: HubSource, side: int) -> ReadImages:
    """Read the images of the training split.

    Args:
        source: the dataset.
        side: to which every image is cropped and resized, in pixels.

    Raises:
        InputError: the dataset does not exist, the Hub cannot be reached, or the dataset has no images or is
            too large.
    """
    name = PREFIX + source.repository

    def read(table: Any) -> ReadImages:
        return read_images(image_files(table, name), side, name)

    return read_split(source, read, MAX_DOWNLOAD_BYTES)


def image_files(table: Any, name: str) -> Iterator[ImageFile]:
    """The rows of a table as image files, not decoded yet.

    Args:
        table: a `datasets.Dataset`.
        name: of the dataset, for an error.

    Raises:
        InputError: the table has no image column, or too many rows.
    """
    from datasets import Image

    images = [column for column, feature in table.features.items() if isinstance(feature, Image)]
    if not images:
        raise InputError("hub_no_pictures", name=name, known=shown(", ".join(table.features)))
    if len(table) > MAX_FILES:
        raise InputError("too_many_pictures", name=name, limit=f"{MAX_FILES:,}")
    column = next((known for known in COLUMNS if known in images), images[0])
    caption, label = _text_column(table.features), _class_column(table.features)
    wanted = [each for each in (column, caption, label) if each is not None]
    undecoded = table.select_columns(wanted).cast_column(column, Image(decode=False))
    names: dict[Any, str] = dict(enumerate(table.features[label].names)) if label else {}
    for batch in undecoded.iter(batch_size=BATCH_SIZE):
        for place, cell in enumerate(batch[column]):
            content, reason = _content(cell)
            text = batch[caption][place] if caption else None
            number = batch[label][place] if label else None  # -1 or None where unknown
            yield ImageFile(
                name=str((cell or {}).get("path") or ""),
                content=content,
                label=names.get(number),
                text=plain(text) if isinstance(text, str) else None,
                reason=reason,
            )


def _content(cell: Any) -> tuple[bytes | None, str]:
    """The bytes of a cell; a path instead of bytes must be inside the library's cache."""
    from datasets import config

    if not cell or (cell.get("bytes") is None and not cell.get("path")):
        return None, "empty"
    if cell.get("bytes") is not None:
        return cell["bytes"], ""
    root = Path(os.path.realpath(config.HF_CACHE_HOME))
    return read_regular_file(Path(cell["path"]), root)


def _text_column(features: Any) -> str | None:
    strings = [
        column
        for column, kind in features.items()
        if getattr(kind, "dtype", "") in ("string", "large_string")
    ]
    known = [column for column in CAPTIONS if column in strings]
    return known[0] if known else strings[0] if len(strings) == 1 else None


def _class_column(features: Any) -> str | None:
    """The class column: the one named label, or the only one."""
    from datasets import ClassLabel

    classes = [column for column, kind in features.items() if isinstance(kind, ClassLabel)]
    return "label" if "label" in classes else classes[0] if len(classes) == 1 else None
