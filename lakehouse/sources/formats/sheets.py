"""Sheets of a workbook (.xlsx) as CSV, row by row: memory does not grow with its rows, but with its distinct strings.

Python-calamine and DuckDB's excel extension were weighed: the one ends the process where two cells lie far apart and
drops error values, the other gives dates as numbers. See docs/decisions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lakehouse.errors import BadFile
from lakehouse.landing import zips
from lakehouse.sources.formats.byte_stream import joined
from lakehouse.sources.formats.policy import SheetPolicy, WorkbookPolicy
from lakehouse.sources.formats.sheet_xml import Row, Rows
from lakehouse.sources.formats.workbook import Sheet, Workbook

_BLANK_LINE = b"\n"
# Returns which of the first rows, given as texts, is the header; None where none is recognised.
Header = Callable[[Sequence[Sequence[str]]], int | None]


class SheetTable:
    """A sheet of an open workbook, as the table that stands in it."""

    def __init__(self, sheet: Sheet, workbook: Workbook, *, is_chosen: bool = True) -> None:
        self.name = sheet.name
        self.is_hidden = sheet.is_hidden
        self.is_chosen = is_chosen
        self._sheet, self._workbook = sheet, workbook

    def as_csv(self, header: Header) -> Iterator[bytes]:
        """Yield the sheet as `as_csv` does."""
        return joined(_csv_lines(self._workbook.rows(self._sheet), header), SheetPolicy.write_bytes)


@contextmanager
def open_sheets(path: Path, name: str | None = None) -> Iterator[list[SheetTable]]:
    """Give the sheets of cells of a workbook, in their order; where a name is given, that one alone is chosen.

    Raises what `as_csv` does, also where none is of the name, or without one where none is visible.
    """
    with path.open("rb") as file:
        workbook = _workbook(path, file)
        chosen = workbook.choose(name)
        yield [
            SheetTable(sheet, workbook, is_chosen=name is None or sheet is chosen)
            for sheet in workbook.sheets
        ]


def _workbook(path: Path, file: BinaryIO) -> Workbook:
    parts = {entry.filename: entry for entry in zips.entries(file, WorkbookPolicy.max_parts)}
    _refuse_bomb(path.stat().st_size, sum(entry.file_size for entry in parts.values()))
    return Workbook(_ZipParts(file, parts))


def as_csv(path: Path, sheet: str | None = None, header: Header = lambda _rows: None) -> Iterator[bytes]:
    """Yield a sheet as CSV (UTF-8, comma, RFC 4180), 1 MiB a chunk. `sheet`: its name; else the first visible.

    The header is that of the first 20 rows which `header` chooses, else the first of them with more than half as many
    cells as the widest; what stands above is a title and left out. Rows without a value become one blank line; columns
    after the header's last name are left out, unless a row has values there. A column without a name is called by its
    letters: `_C`.
    A value that is merged over several rows belongs to each of them that has another value.
    Raises BadFile: bad_xlsx, bad_zip, truncated_zip, bomb, too_large (save it as CSV), unsupported_archive.
    """
    with path.open("rb") as file:
        workbook = _workbook(path, file)
        yield from SheetTable(workbook.choose(sheet), workbook).as_csv(header)


def _refuse_bomb(size: int, unpacked_bytes: int) -> None:
    by_ratio = max(WorkbookPolicy.free_bytes, WorkbookPolicy.max_ratio * size)
    if unpacked_bytes > min(WorkbookPolicy.max_bytes, by_ratio):
        raise BadFile("bomb", "the workbook unpacks to far more than its size; save it as CSV")


class _ZipParts:
    """The parts of a workbook by name."""

    def __init__(self, file: BinaryIO, entries: dict[str, zips.Entry]) -> None:
        self._file = file
        self._entries = entries

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes, verified; BadFile where there is no such part."""
        if name not in self._entries:
            raise BadFile("bad_xlsx", "the workbook lacks a part that it names; save it again")
        return zips.extract(self._file, self._entries[name])


def _csv_lines(rows: Rows, choose_header: Header) -> Iterator[bytes]:
    """Yield the header and the rows below it."""
    first_rows, gaps = _first_rows(rows)
    if not first_rows:
        return
    header_index = choose_header([[_text(cell) for cell in row.values()] for row in first_rows])
    if header_index is None:
        header_index = _first_wide_row(first_rows)
    header = first_rows[header_index]
    width = max(header) + 1
    yield _csv_line(_with_all_names(header, width), width)
    for index, row in enumerate(first_rows[header_index + 1 :], header_index + 1):
        if index in gaps:
            yield _BLANK_LINE
        yield _csv_line(row, width)
    for row in rows:
        yield _csv_line(row, width) if row else _BLANK_LINE


def _first_rows(rows: Rows) -> tuple[list[Row], set[int]]:
    """Return the rows in which the header is looked for, and the indexes of those that empty rows stand above."""
    first_rows: list[Row] = []
    gaps = set()
    for row in rows:
        if row:
            first_rows.append(row)
        else:
            gaps.add(len(first_rows))
        if len(first_rows) == SheetPolicy.header_rows:
            break
    return first_rows, gaps


def _first_wide_row(rows: list[Row]) -> int:
    """Return the index of the first row with more than half as many cells as the widest."""
    widest = max(map(len, rows))
    return next(index for index, row in enumerate(rows) if len(row) * 2 > widest)


def _with_all_names(header: Row, width: int) -> Row:
    """Return a header in which columns without a name are called by their letters."""
    unnamed = {index: f"_{_letters(index)}".encode() for index in range(width) if not header.get(index)}
    return header | unnamed


def _csv_line(row: Row, width: int) -> bytes:
    columns = max(width, max(row) + 1)
    return b",".join(map(row.get, range(columns), itertools.repeat(b"", columns))) + b"\n"


def _text(cell: bytes) -> str:
    """Return what a cell says, of what a CSV says of it."""
    text = cell.decode("utf-8", "replace")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _letters(column_index: int) -> str:
    """Return what a spreadsheet calls the column of this index, counted from 0."""
    letters = ""
    number = column_index + 1
    while number:
        number, letter_index = divmod(number - 1, 26)
        letters = chr(ord("A") + letter_index) + letters
    return letters
