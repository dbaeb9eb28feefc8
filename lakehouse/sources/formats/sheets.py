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
from lakehouse.sources.formats.sheet_xml import Row, Rows
from lakehouse.sources.formats.workbook import Workbook

# Of the first rows' texts, which one is the header; None where that cannot be told from what they say.
Header = Callable[[Sequence[Sequence[str]]], int | None]

_OUT = 1 << 20
_FIRST = 20  # rows that are looked at to find the header
_ENTRIES = 10_000
_RATIO = 300
_FREE = 64 << 20
_TOTAL = 2 << 30


def as_csv(path: Path, sheet: str | None = None, header: Header = lambda _rows: None) -> Iterator[bytes]:
    """Yield a sheet as CSV (UTF-8, comma, RFC 4180), 1 MiB a chunk. `sheet`: its name; else the first visible.

    The header is that of the first 20 rows which `header` chooses, else the first of them with more than half as many
    cells as the widest; what stands above is a title and left out. Rows without a value are left out too, and columns
    after the header's last name unless a row has values there. A column without a name is called by its letters: `_C`.
    A value that is merged over several rows belongs to each of them that has another value.
    Raises BadFile: bad_xlsx, bad_zip, truncated_zip, bomb, too_large (save it as CSV), unsupported_archive.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        parts = {entry.filename: entry for entry in zips.entries(file, _ENTRIES)}
        unpacked = sum(entry.file_size for entry in parts.values())
        if unpacked > _TOTAL or unpacked > max(_FREE, _RATIO * size):
            raise BadFile("bomb", "the workbook unpacks to far more than its size; save it as CSV")
        book = Workbook(_Parts(file, parts), sheet)
        yield from _chunks(_table(book.rows(), header))


class _Parts:
    """The parts of a workbook by name."""

    def __init__(self, file: BinaryIO, parts: dict[str, zips.Entry]) -> None:
        self._file = file
        self._parts = parts

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes, verified; BadFile where there is no such part."""
        if name not in self._parts:
            raise BadFile("bad_xlsx", "the workbook lacks a part that it names; save it again")
        return zips.extract(self._file, self._parts[name])


def _table(rows: Rows, header_of: Header) -> Iterator[bytes]:
    """Yield the header and the rows below it."""
    first = list(itertools.islice(rows, _FIRST))
    if not first:
        return
    header_at = header_of([[_text(cell) for cell in row.values()] for row in first])
    if header_at is None:
        widest = max(len(row) for row in first)
        header_at = next(number for number, row in enumerate(first) if len(row) * 2 > widest)
    header = first[header_at]
    width = max(header) + 1
    names = {place: header.get(place) or f"_{_letters(place)}".encode() for place in range(width)}
    yield _line(names, width)
    for row in itertools.chain(first[header_at + 1 :], rows):
        yield _line(row, width)


def _line(row: Row, width: int) -> bytes:
    last = max(width, max(row) + 1)
    return b",".join(map(row.get, range(last), itertools.repeat(b"", last))) + b"\n"


def _text(cell: bytes) -> str:
    """Return what a cell says, of what a CSV says of it."""
    text = cell.decode("utf-8", "replace")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _letters(place: int) -> str:
    """Return what a spreadsheet calls the column at this place, counted from 0."""
    letters = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _chunks(lines: Iterator[bytes]) -> Iterator[bytes]:
    taken: list[bytes] = []
    size = 0
    for line in lines:
        taken.append(line)
        size += len(line)
        if size >= _OUT:
            yield b"".join(taken)
            taken, size = [], 0
    if taken:
        yield b"".join(taken)
