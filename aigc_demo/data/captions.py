"""The captions of a folder: metadata.csv or metadata.jsonl, as the datasets library's imagefolder has them.

What matches nothing is counted and named: a row without a picture, a picture without a row, a column that is
not the one expected. Nothing is guessed beyond what is written here.
"""

import csv
import io
import json
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.cleaning import clean_text
from aigc_demo.data.encodings import decode_text

METADATA = ("metadata.csv", "metadata.jsonl")
"""Where a folder holds both, the first is read."""
FILE_COLUMNS = ("file_name", "filename", "file", "image", "path")
CAPTIONS = ("text", "caption", "prompt")
"""Columns; of those that a row fills, the first one here is its caption."""
DELIMITERS = (",", ";", "\t")
MAX_ROWS = 200_000
MAX_LINE_LENGTH = 2**20  # of JSON
MAX_TEXT_LENGTH = 1000
END = "\0end of the table"
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)  # Excel's own first line
BROKEN = "not UTF-8, or broken"

Facts = dict[str, int | float | str]
Notice = tuple[str, dict[str, Any]]
Item = TypeVar("Item")


@dataclass(frozen=True)
class _Table:
    """A metadata file.

    Args:
        columns: as they are written, in the order in which they are met.
        rows: of each the file's name ("" where it is missing), and the caption with its column or None.
        encoding: what the file's bytes were taken for.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, tuple[str, str] | None]]
    encoding: str


@dataclass(eq=False)
class _Row:
    """One row: the name as it is written, the metadata file, the caption, and whether a picture took it."""

    name: str
    table: str
    text: str | None
    used: bool = False


@dataclass(eq=False)
class Captions:
    """What the metadata files of a folder and of those in it say, asked picture by picture."""

    _rows: dict[str, _Row] = field(default_factory=dict)
    _exact: dict[str, _Row] = field(default_factory=dict)
    _tables: list[str] = field(default_factory=list)
    _encodings: dict[str, None] = field(default_factory=dict)
    _used_columns: dict[str, None] = field(default_factory=dict)
    _no_captions: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    _not_read: list[str] = field(default_factory=list)
    _repeated: list[str] = field(default_factory=list)
    _nameless: list[_Row] = field(default_factory=list)
    _missing: list[str] = field(default_factory=list)

    def add(self, folder: str, name: str, content: bytes) -> None:
        """Take a metadata file.

        Args:
            folder: that it lies in, below the one that is read, with slashes; "" for that one.
            name: of the file.
            content: its bytes.

        Raises:
            InputError: it is no such table, or does not say which picture a row means.
        """
        path = posixpath.join(folder, name)
        table = _read(name, content)
        self._tables.append(path)
        self._encodings[table.encoding] = None
        if not any(_plain_name(column) in CAPTIONS for column in table.columns):
            self._no_captions.append((path, table.columns))
        for number, (written, caption) in enumerate(table.rows, 1):
            row = _Row(written or f"row {number}", path, plain(caption[0]) if caption else None)
            if caption:
                self._used_columns[caption[1]] = None
            if not written:
                self._nameless.append(row)
                continue
            own = posixpath.join(folder, written)
            # A later row of the same table is one too many; a table further down knows its pictures better.
            known = self._exact.get(own)
            if known and known.table == path:
                self._repeated.append(written)
                continue
            self._exact[own] = row
            self._rows[_key(own)] = row

    def leave_out(self, folder: str, name: str) -> None:
        """Note a metadata file that is there and not read."""
        self._not_read.append(posixpath.join(folder, name))

    def of(self, path: str) -> str | None:
        """The caption of a picture, by its path below the folder that is read, with slashes."""
        if not self._tables:
            return None
        row = self._exact.get(path) or self._rows.get(_key(path))
        if row is None:
            self._missing.append(path)
            return None
        row.used = True
        return row.text

    def facts(self) -> Facts:
        """What matched and what did not, for the preparation report; empty without metadata."""
        distinct = {id(row): row for row in (*self._exact.values(), *self._nameless)}
        lost = [row for row in distinct.values() if not row.used]
        found: Facts = {}
        if self._tables:
            found["metadata"] = _listed(self._tables)
            if set(self._encodings) - {"UTF-8"}:
                found["encoding"] = ", ".join(self._encodings)
            found["caption_columns"] = ", ".join(self._used_columns)
            found["rows"] = len(distinct) + len(self._repeated)
        for name, several in (
            ("rows_without_picture", [row.name for row in lost]),
            ("pictures_without_row", self._missing),
            ("rows_repeated", self._repeated),
        ):
            if several:
                found[name] = len(several)
                found[f"first_of_{name}"] = shown(several[0])
        if self._no_captions:
            found["no_caption_column_in"], columns = self._no_captions[0]
            found["its_columns"] = shown(", ".join(columns))
        if self._not_read:
            found["metadata_not_read"] = _listed(self._not_read)
        return found


def notices(facts: Mapping[str, Any]) -> list[Notice]:
    """What whoever trains should know of captions and names: keys of sentences and their values.

    Args:
        facts: of reading, as `Captions.facts` and `read_folder` give them.
    """
    found: list[Notice] = []
    for name in ("rows_without_picture", "pictures_without_row", "rows_repeated"):
        if facts.get(name):
            values = {"count": facts[name], "first": facts[f"first_of_{name}"], "name": facts["metadata"]}
            found.append((name, values))
    if facts.get("metadata_not_read"):
        found.append(("metadata_not_read", {"name": facts["metadata_not_read"]}))
    if facts.get("zip_names_read_as"):
        values = {"encoding": facts["zip_names_read_as"], "first": facts["first_of_zip_names"]}
        found.append(("zip_names", values))
    return found


def no_captions(source: str, facts: Mapping[str, Any]) -> InputError:
    """The sentence for a folder whose pictures have no captions: which column or which name is missing."""
    lost = facts.get("rows_without_picture")
    if lost and lost == facts.get("rows"):
        first = facts["first_of_rows_without_picture"]
        return InputError("rows_match_nothing", count=lost, name=facts["metadata"], first=first)
    if "no_caption_column_in" in facts:
        return _no_column(str(facts["no_caption_column_in"]), CAPTIONS, str(facts["its_columns"]))
    if facts.get("metadata_not_read"):
        return InputError("metadata_not_read", name=facts["metadata_not_read"])
    return InputError("no_captions", source=source)


def plain(caption: str) -> str:
    """A caption on one line, of bounded length, cleaned as a prompt is."""
    # White space first: some of it is control characters, which would vanish from between two words.
    spaced = " ".join(caption[: 4 * MAX_TEXT_LENGTH].split())
    return " ".join(clean_text(spaced).split())[:MAX_TEXT_LENGTH]


def _key(path: str) -> str:
    """A path as it is compared: one Unicode form, slashes only, without ./ before it; capitals count."""
    return posixpath.normpath(unicodedata.normalize("NFC", path.strip()).replace("\\", "/"))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return shown(names[0]) + more


def _no_column(name: str, expected: tuple[str, ...], known: str) -> InputError:
    first, *others = expected
    return InputError("no_column", name=name, expected=f"{first} ({', '.join(others)})", known=known)


def _read(name: str, content: bytes) -> _Table:
    try:
        text, encoding = decode_text(content, shown(name))
        is_csv = name.lower().endswith(".csv")
        columns, rows = _csv_rows(text) if is_csv else _jsonl_rows(text)
    except InputError as error:
        if error.key != "not_text":
            raise
        raise InputError("bad_metadata", name=shown(name), detail=BROKEN) from error
    except (ValueError, csv.Error, RecursionError) as error:
        raise InputError("bad_metadata", name=shown(name), detail=BROKEN) from error
    plain_names = {column: _plain_name(column) for column in columns}
    files = [column for wanted in FILE_COLUMNS for column in columns if plain_names[column] == wanted]
    if not files and columns:
        raise _no_column(shown(name), FILE_COLUMNS, shown(", ".join(columns)) or "none")
    files = [column for column in files if any(_filled(row, column) for row in rows)]
    if rows and not files:
        raise InputError("bad_metadata", name=shown(name), detail="no row names a picture")
    captions = [column for wanted in CAPTIONS for column in columns if plain_names[column] == wanted]
    found: list[tuple[str, tuple[str, str] | None]] = []
    for row in rows:
        column = next((column for column in captions if _filled(row, column)), None)
        caption = None if column is None else (row[column], column)
        found.append((row[files[0]].strip() if _filled(row, files[0]) else "", caption))
    return _Table(columns, found, encoding)


def _plain_name(column: str) -> str:
    """A column's name without what differs from program to program: capitals, spaces, hyphens."""
    return re.sub(r"[\s-]+", "_", column.strip().lower())


def _filled(row: Mapping[str, Any], column: str) -> bool:
    return isinstance(row.get(column), str) and bool(row[column].strip())


def _csv_rows(text: str) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    separator = SEPARATOR_LINE.match(text)
    if separator:
        text = text[separator.end() :]
    delimiter = separator[1] if separator else max(DELIMITERS, key=lambda sign: _known_columns(text, sign))
    lines = csv.reader(io.StringIO(f"{text}\n{END}", newline=""), delimiter=delimiter)
    header = next((row for row in lines if any(part.strip() for part in row)), [END])
    if header == [END]:
        return (), []
    last_is_caption = _plain_name(header[-1]) in CAPTIONS
    rows: list[dict[str, Any]] = []
    for cells in _bounded(row for row in lines if any(cell.strip() for cell in row)):
        if cells == [END]:
            return tuple(header), rows
        if len(cells) > len(header) and last_is_caption:  # a comma in a caption that has no quotes
            cells[len(header) - 1 :] = [delimiter.join(cells[len(header) - 1 :]).rstrip(delimiter)]
        rows.append(dict(zip(header, cells, strict=False)))
    raise ValueError("a quotation mark that nothing closes")  # it would take all that follows for one caption


def _known_columns(text: str, delimiter: str) -> tuple[int, int]:
    """How well a delimiter fits the first line: of how many columns that are needed, and of how many."""
    cells = next(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter), [])
    names = {_plain_name(cell) for cell in cells}
    return sum(bool(names & set(needed)) for needed in (FILE_COLUMNS, CAPTIONS)), len(cells)


def _jsonl_rows(text: str) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Lines end at a line feed and nowhere else: JSON strings may hold every other sign that ends a line."""
    rows: list[dict[str, Any]] = []
    columns: dict[str, None] = {}
    for line in _bounded(line for line in text.split("\n") if line.strip()):
        if len(line) > MAX_LINE_LENGTH:
            raise ValueError(f"a line of more than {MAX_LINE_LENGTH} characters")
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("a line that is no object")
        rows.append(row)
        columns.update(dict.fromkeys(row))
    return tuple(columns), rows


def _bounded(items: Iterable[Item]) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number > MAX_ROWS:
            raise ValueError(f"more than {MAX_ROWS} rows")
        yield item
