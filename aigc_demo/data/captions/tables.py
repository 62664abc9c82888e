"""Parser of a metadata file, metadata.csv or metadata.jsonl.

An ambiguous row is marked, never repaired; the caller counts and reports such rows.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.text.encodings import decode_text

METADATA = ("metadata.csv", "metadata.jsonl")
"""Where a folder contains both, the first is read."""
FILE_COLUMNS = ("file_name", "filename", "file", "image", "path")
CAPTIONS = ("text", "caption", "prompt")
"""Caption columns in order of precedence: the first that a row fills is its caption."""
NOT_TAKEN = ("rows_too_long", "captions_no_text")
"""Why a row's caption is ignored: more cells than columns, or a value that is not text."""
DELIMITERS = (",", ";", "\t")
MAX_ROWS = 200_000
MAX_LINE_LENGTH = 2**20  # of JSON
END = "\0end of the table"
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)  # Excel's own first line
TOO_LONG = None  # key that marks a row with too many cells: not a possible column name

Item = TypeVar("Item")
Row = dict[str | None, Any]
Rows = tuple[tuple[str, ...], list[Row]]


class CaptionRow(NamedTuple):
    """A row of a metadata file.

    Args:
        name: of the image file, "" if missing.
        caption: text and column, or None.
        fault: why a caption is ignored, one of `NOT_TAKEN`, or "".
    """

    name: str
    caption: tuple[str, str] | None
    fault: str


@dataclass(frozen=True)
class CaptionTable:
    """A parsed metadata file.

    Args:
        columns: as written, in order of appearance.
        rows: in order.
        encoding: in which the file was decoded.
    """

    columns: tuple[str, ...]
    rows: list[CaptionRow]
    encoding: str


def read_table(name: str, content: bytes) -> CaptionTable:
    """Parse a metadata file.

    Args:
        name: of the file; the suffix decides between CSV and JSON lines.
        content: its bytes.

    Raises:
        InputError: it is not a valid table, or has no column of file names.
    """
    text, encoding = decode_text(content, shown(name))
    is_csv = name.lower().endswith(".csv")
    columns, rows = _csv_rows(text, shown(name)) if is_csv else _jsonl_rows(text, shown(name))
    plain_names = {column: plain_name(column) for column in columns}
    files = [column for wanted in FILE_COLUMNS for column in columns if plain_names[column] == wanted]
    if not files and columns:
        raise no_column(shown(name), FILE_COLUMNS, shown(", ".join(columns)) or "none")
    files = [column for column in files if any(_filled(row, column) for row in rows)]
    if rows and not files:
        raise InputError("table_no_names", name=shown(name))
    captions = [column for wanted in CAPTIONS for column in columns if plain_names[column] == wanted]
    return CaptionTable(columns, [_row(row, files[0], captions) for row in rows], encoding)


def no_column(name: str, expected: tuple[str, ...], known: str) -> InputError:
    """The error for a table without a required column."""
    first, *others = expected
    return InputError("no_column", name=name, expected=f"{first} ({', '.join(others)})", known=known)


def plain_name(column: str) -> str:
    """A column name in lower case, with underscores for spaces and hyphens."""
    return re.sub(r"[\s-]+", "_", column.strip().lower())


def _row(row: Row, file_column: str, captions: list[str]) -> CaptionRow:
    name = row[file_column].strip() if _filled(row, file_column) else ""
    if TOO_LONG in row:
        return CaptionRow(name, None, "rows_too_long")
    for column in captions:
        if text := _text(row.get(column)):
            return CaptionRow(name, (text, column), "")
    no_text = any(row.get(column) is not None and not isinstance(row[column], str) for column in captions)
    return CaptionRow(name, None, "captions_no_text" if no_text else "")


def _text(value: object) -> str:
    """A caption: text, or a number as text; "" for any other value."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    return value if isinstance(value, str) and value.strip() else ""


def _filled(row: Row, column: str) -> bool:
    return isinstance(row.get(column), str) and bool(row[column].strip())


def _csv_rows(text: str, name: str) -> Rows:
    separator = SEPARATOR_LINE.match(text)
    begin = text.count("\n", 0, separator.end()) if separator else 0
    if separator:
        text = text[separator.end() :]
    delimiter = separator[1] if separator else max(DELIMITERS, key=lambda sign: _known_columns(text, sign))
    header: list[str] = []
    rows: list[Row] = []
    for cells in _bounded(_csv_cells(text, delimiter, name, begin), name):
        if not header:
            header = cells
            continue
        rows.append(_by_column(header, cells, delimiter))
    return tuple(header), rows


def _by_column(header: list[str], cells: list[str], delimiter: str) -> Row:
    """The cells of a row by column; an unquoted delimiter in a caption makes the row too long."""
    columns, filled = _trimmed(header), _trimmed(cells)
    if len(filled) > len(columns) and plain_name(header[-1]) in CAPTIONS:
        filled[len(header) - 1 :] = [delimiter.join(filled[len(header) - 1 :])]  # unambiguous: last column
    row: Row = dict(zip(columns, filled, strict=False))
    return row | {TOO_LONG: True} if len(filled) > len(columns) else row


def _trimmed(cells: list[str]) -> list[str]:
    """Cells without trailing empty ones, which spreadsheets add."""
    count = max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)
    return cells[:count]


def _csv_cells(text: str, delimiter: str, name: str, begin: int) -> Iterator[list[str]]:
    """The header and the non-empty rows.

    Args:
        text: of the table.
        delimiter: between cells.
        name: of the file, for an error.
        begin: number of lines before `text`.

    Raises:
        InputError: a quotation mark is not closed, a closing one is followed by text, or a cell is too long.
    """
    lines = csv.reader(io.StringIO(f"{text}\n{END}", newline=""), delimiter=delimiter, strict=True)
    number, line = 0, begin + 1
    try:
        for cells in lines:
            if cells == [END]:
                return
            if any(cell.strip() for cell in cells):
                yield cells
                number += 1
            line = begin + lines.line_num + 1
    except csv.Error as error:
        reason = str(error)
    else:
        reason = "unexpected end of data"
    where = {"name": name, "row": number, "line": line}
    if "limit" in reason:
        raise InputError("table_long_cell", limit=csv.field_size_limit(), **where)
    # csv's message for text after a closing quotation mark: "',' expected after '\"'".
    raise InputError("table_late_quote" if "expected after" in reason else "table_open_quote", **where)


def _known_columns(text: str, delimiter: str) -> tuple[int, int]:
    """Score of a delimiter for the first line: number of required columns found, number of columns."""
    try:
        cells = next(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter), [])
    except csv.Error:
        return 0, 0
    names = {plain_name(cell) for cell in cells}
    return sum(bool(names & set(needed)) for needed in (FILE_COLUMNS, CAPTIONS)), len(cells)


def _jsonl_rows(text: str, name: str) -> Rows:
    """Lines end only at a line feed: JSON strings may contain all other Unicode line separators."""
    if "\r" in text.strip() and "\n" not in text:
        raise InputError("table_line_ends", name=name)
    rows: list[Row] = []
    columns: dict[str, None] = {}
    lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    for number, line in _bounded(lines, name):
        if len(line) > MAX_LINE_LENGTH:
            raise InputError("table_long_line", name=name, line=number, limit=MAX_LINE_LENGTH)
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise InputError("table_no_object", name=name, line=number)
        rows.append(row)
        columns.update(dict.fromkeys(row))
    return tuple(columns), rows


def _bounded(items: Iterable[Item], name: str) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number > MAX_ROWS:
            raise InputError("table_many_rows", name=name, limit=MAX_ROWS)
        yield item
