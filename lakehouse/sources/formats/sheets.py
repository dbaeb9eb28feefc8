"""A sheet of a workbook (.xlsx) as CSV, row by row: memory does not grow with its rows, but with its distinct strings.

Python-calamine and DuckDB's excel extension were weighed: the one ends the process where two cells lie far apart and
drops error values, the other gives dates as numbers. See docs/decisions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from lakehouse.errors import BadFile
from lakehouse.landing import zips
from lakehouse.sources.formats.byte_stream import joined
from lakehouse.sources.formats.policy import SheetPolicy, WorkbookPolicy
from lakehouse.sources.formats.sheet_xml import Row, Rows
from lakehouse.sources.formats.workbook import Workbook

# Returns which of the first rows, given as texts, is the header; None where none is recognised.
Header = Callable[[Sequence[Sequence[str]]], int | None]


def as_csv(path: Path, sheet: str | None = None, header: Header = lambda _rows: None) -> Iterator[bytes]:
    """Yield a sheet as CSV (UTF-8, comma, RFC 4180), 1 MiB a chunk. `sheet`: its name; else the first visible.

    The header is that of the first 20 rows which `header` chooses, else the first of them with more than half as many
    cells as the widest; what stands above is a title and left out. Rows without a value are left out too, and columns
    after the header's last name unless a row has values there. A column without a name is called by its letters: `_C`.
    A value that is merged over several rows belongs to each of them that has another value.
    Raises BadFile: bad_xlsx, bad_zip, truncated_zip, bomb, too_large (save it as CSV), unsupported_archive.
    """
    with path.open("rb") as file:
        parts = {entry.filename: entry for entry in zips.entries(file, WorkbookPolicy.max_parts)}
        _refuse_bomb(path.stat().st_size, sum(entry.file_size for entry in parts.values()))
        workbook = Workbook(_ZipParts(file, parts), sheet)
        yield from joined(_csv_lines(workbook.rows(), header), SheetPolicy.write_bytes)


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
    first_rows = list(itertools.islice(rows, SheetPolicy.header_rows))
    if not first_rows:
        return
    header_index = choose_header([[_text(cell) for cell in row.values()] for row in first_rows])
    if header_index is None:
        header_index = _first_wide_row(first_rows)
    header = first_rows[header_index]
    width = max(header) + 1
    yield _csv_line(_with_all_names(header, width), width)
    for row in itertools.chain(first_rows[header_index + 1 :], rows):
        yield _csv_line(row, width)


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
