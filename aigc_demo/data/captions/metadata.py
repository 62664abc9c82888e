"""The captions of a folder: metadata.csv or metadata.jsonl, as in the datasets library's imagefolder.

Everything without a match is counted and reported: a row without an image, an image without a row, an
unexpected column.
"""

import posixpath
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.data.captions.tables import (
    CAPTIONS,
    NOT_TAKEN,
    CaptionTable,
    no_column,
    plain_name,
    read_table,
)
from aigc_demo.data.text.cleaning import clean_text

MAX_TEXT_LENGTH = 1000

Facts = dict[str, int | float | str]
Notice = tuple[str, dict[str, Any]]


@dataclass(eq=False)
class _Row:
    """One row: file name as written, metadata file, caption, and whether an image matched it."""

    name: str
    table: str
    text: str | None
    used: bool = False


@dataclass(eq=False)
class Captions:
    """The captions in the metadata files of a folder and its subfolders."""

    _rows: dict[str, _Row] = field(default_factory=dict)
    _exact: dict[str, _Row] = field(default_factory=dict)
    _tables: list[str] = field(default_factory=list)
    _encodings: dict[str, None] = field(default_factory=dict)
    _caption_columns: dict[str, None] = field(default_factory=dict)
    _used_columns: dict[str, None] = field(default_factory=dict)
    _faults: dict[str, list[str]] = field(default_factory=dict)
    _no_captions: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    _not_read: list[str] = field(default_factory=list)
    _repeated: list[str] = field(default_factory=list)
    _nameless: list[_Row] = field(default_factory=list)
    _missing: list[str] = field(default_factory=list)

    def add(self, folder: str, name: str, content: bytes) -> None:
        """Read a metadata file.

        Args:
            folder: of the file, relative to the folder that is read, with slashes; "" for that folder itself.
            name: of the file.
            content: its bytes.

        Raises:
            InputError: it is not a valid table, or has no column of file names.
        """
        path = posixpath.join(folder, name)
        table = read_table(name, content)
        self._tables.append(path)
        self._encodings[table.encoding] = None
        self._note_columns(path, table)
        for number, (written, caption, fault) in enumerate(table.rows, 1):
            row = _Row(written or f"row {number}", path, plain(caption[0]) if caption else None)
            if caption:
                self._used_columns[caption[1]] = None
            if fault:
                self._faults.setdefault(fault, []).append(row.name)
            if not written:
                self._nameless.append(row)
                continue
            own = posixpath.join(folder, written)
            # A second row for a file in one table is a duplicate; the table of a subfolder takes precedence.
            known = self._exact.get(own)
            if known and known.table == path:
                self._repeated.append(written)
                continue
            self._exact[own] = row
            self._rows[_key(own)] = row

    def _note_columns(self, path: str, table: CaptionTable) -> None:
        known = [column for column in table.columns if plain_name(column) in CAPTIONS]
        self._caption_columns.update(dict.fromkeys(known))
        if not known:
            self._no_captions.append((path, table.columns))

    def leave_out(self, folder: str, name: str) -> None:
        """Record a metadata file that is not read."""
        self._not_read.append(posixpath.join(folder, name))

    def of(self, path: str) -> str | None:
        """The caption of an image, by its path relative to the folder that is read, with slashes."""
        if not self._tables:
            return None
        row = self._exact.get(path) or self._rows.get(_key(path))
        if row is None:
            self._missing.append(path)
            return None
        row.used = True
        return row.text

    def facts(self) -> Facts:
        """Counts of matches and mismatches, for the preprocessing report; empty without metadata."""
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
            *self._faults.items(),
        ):
            if several:
                found[name] = len(several)
                found[f"first_of_{name}"] = shown(several[0])
        if self._caption_columns and not self._used_columns:
            found["empty_columns"] = shown(", ".join(self._caption_columns))
        if self._no_captions:
            found["no_caption_column_in"], columns = self._no_captions[0]
            found["its_columns"] = shown(", ".join(columns))
        if self._not_read:
            found["metadata_not_read"] = _listed(self._not_read)
        return found


def notices(facts: Mapping[str, Any]) -> list[Notice]:
    """Warnings about captions and file names: message keys and their values.

    Args:
        facts: of the step `read`, from `Captions.facts` and `read_folder`.
    """
    found: list[Notice] = []
    for name in (*NOT_TAKEN, "rows_without_picture", "pictures_without_row", "rows_repeated"):
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
    """The error for a folder without captions: names the missing column or the unmatched file name."""
    lost = facts.get("rows_without_picture")
    if lost and lost == facts.get("rows"):
        first = facts["first_of_rows_without_picture"]
        return InputError("rows_match_nothing", count=lost, name=facts["metadata"], first=first)
    if "no_caption_column_in" in facts:
        return no_column(str(facts["no_caption_column_in"]), CAPTIONS, str(facts["its_columns"]))
    if facts.get("metadata_not_read"):
        return InputError("metadata_not_read", name=facts["metadata_not_read"])
    for key in NOT_TAKEN:
        if facts.get(key):
            return InputError(key, count=facts[key], name=facts["metadata"], first=facts[f"first_of_{key}"])
    if "empty_columns" in facts:
        return InputError("captions_empty", name=facts["metadata"], column=facts["empty_columns"])
    return InputError("no_captions", source=source)


def plain(caption: str) -> str:
    """A caption on one line of at most MAX_TEXT_LENGTH characters, cleaned as a prompt is."""
    # White space first: some of it is control characters, whose removal would join two words.
    spaced = " ".join(caption[: 4 * MAX_TEXT_LENGTH].split())
    return " ".join(clean_text(spaced).split())[:MAX_TEXT_LENGTH]


def _key(path: str) -> str:
    """A path for comparison: NFC, slashes, without a leading ./; case-sensitive."""
    return posixpath.normpath(unicodedata.normalize("NFC", path.strip()).replace("\\", "/"))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return shown(names[0]) + more
