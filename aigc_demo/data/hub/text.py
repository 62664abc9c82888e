"""A text from a dataset on the Hugging Face Hub."""

from collections.abc import Iterator
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.hub.tables import PREFIX, HubSource, encoding_of, read_split, too_large
from aigc_demo.data.text.encodings import DecodedText

MAX_TEXT_BYTES = 64 * 2**20
MAX_DOWNLOAD_BYTES = 256 * 2**20
TEXT_COLUMN = "text"


def read_hub_text(source: HubSource) -> DecodedText:
    """The training split as one text, and the encoding of its files.

    Raises:
        InputError: the dataset does not exist, the Hub cannot be reached, or it is not text or too large.
    """
    name = PREFIX + source.repository

    def read(table: Any) -> DecodedText:
        text = join_rows(list(_rows(table, _text_column(table.features, name), name)))
        return DecodedText(text, encoding_of(table))

    return read_split(source, read, MAX_DOWNLOAD_BYTES)


def join_rows(rows: list[str]) -> str:
    """Join rows to one text: as lines if any row ends with a newline, as paragraphs otherwise.

    WikiText's rows are lines, the empty ones without a newline; TinyStories' are whole stories.
    """
    if any(row.endswith("\n") for row in rows):
        return "".join(row if row.endswith("\n") else row + "\n" for row in rows)
    return "".join(row + "\n\n" for row in rows if row)


def _rows(table: Any, column: str, name: str) -> Iterator[str]:
    num_bytes = 0
    for batch in table.select_columns([column]).iter(batch_size=1000):
        for row in batch[column]:
            num_bytes += len((row or "").encode("utf-8", "surrogatepass"))
            if num_bytes > MAX_TEXT_BYTES:
                raise too_large(name, num_bytes, MAX_TEXT_BYTES)
            yield row or ""


def _text_column(features: Any, name: str) -> str:
    """The column named text, or the only string column."""
    strings = [
        column
        for column, kind in features.items()
        if getattr(kind, "dtype", "") in ("string", "large_string")
    ]
    if TEXT_COLUMN in strings:
        return TEXT_COLUMN
    if len(strings) != 1:
        raise InputError("hub_column", name=name, known=shown(", ".join(features)))
    return strings[0]
