"""A raw file as pieces on scratch disk: plain text or Parquet, cut where a row ends, none larger than a set size.

What is too large for memory never is in memory: bytes stream from the store through unpacking and decoding into the
piece that is being written, and each piece is read, and deleted, before many more are written.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, Protocol

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.line_ends import MAX_LINE, json_lines
from lakehouse.landing.unpack import members
from lakehouse.sources.formats import json_records, parquet, sheets
from lakehouse.sources.formats.encoding import as_utf8
from lakehouse.sources.formats.file_kind import kind as kind_of
from lakehouse.sources.headers import distinct, header_row
from lakehouse.sources.policy import HeaderPolicy

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

PIECE = 32 << 20
_HEAD = 1 << 16
_COLUMNS = 5_000
_NO_ARRAY = re.compile(rb"\s*\[(?!\s*(?:\{|\]\s*\Z))")  # of records
_LOST = 128 << 20
_DELIMITERS = ",;\t|"
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


class Reading(Protocol):
    """What must be known of a file beside its bytes; a source's definition says it, see there."""

    @property
    def format(self) -> Literal["csv", "ndjson"]:
        """Return what its text is in doubt: a table, or lines of JSON."""

    @property
    def encoding(self) -> str | None:
        """Return what its text is in, where that is neither Unicode nor GB 18030."""

    @property
    def sheet(self) -> str | None:
        """Return the name of a workbook's sheet that is not the first."""

    @property
    def columns(self) -> Sequence[SourceColumn]:
        """Return the columns that a mapping names, by which a table's header is known; none without a mapping."""


@dataclass(frozen=True)
class Layout:
    """How the rows of a piece are written. `header` is empty for JSON lines and Parquet."""

    kind: str  # delimited, json_lines, parquet
    delimiter: str = ""
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one file.

    `skip` says how many lines of header come first, `ends` with what rows end, or nothing where they do in several
    ways or lines are blank, `lines` how many places in the file the piece takes; None where only its reader can tell.
    A piece without a path stands for one row that no reader could hold: it is longer than MAX_LINE.
    """

    path: Path | None
    layout: Layout
    bytes: int
    skip: int = 0
    ends: str = "\n"
    lines: int | None = None
    first: int = 0  # Parquet: rows of the file before the piece


def pieces(chunks: Iterator[bytes], source: Reading, folder: Path, *, size: int = PIECE) -> Iterator[Piece]:
    """Yield the pieces of one raw file, in order; raises BadFile, also after some of them, for what none can read."""
    numbers = itertools.count()

    def path() -> Path:
        return folder / f"{next(numbers):06}.piece"

    found = False
    for member in members(chunks, folder):
        found = True
        yield from _of_member(member.chunks, source, path, size)
    if not found:
        raise BadFile("empty_file", "the archive holds no file")


def _of_member(
    chunks: Iterator[bytes], source: Reading, path: Callable[[], Path], size: int
) -> Iterator[Piece]:
    head, chunks = _peek(chunks)
    if not head:
        raise BadFile("empty_file", "the file has no bytes")
    kind = _kind(head, source)
    if kind == "parquet":
        yield from _parquet(_spooled(chunks, path()), size)
        return
    if kind == "xlsx":
        rows = sheets.as_csv(
            _spooled(chunks, path()), source.sheet, lambda rows: header_row(rows, source.columns)
        )
        head, text = _peek(rows)
        kind = "delimited"
    else:
        head, text = _peek(as_utf8(chunks, source.encoding))
        kind = _kind(head, source)
    if kind == "delimited":
        yield from _delimited(head, text, source.columns, path, size)
    else:
        lines = json_records.as_lines(text) if kind == "json_array" else text
        yield from _cut(json_lines(lines), Layout("json_lines"), path, size)


def _kind(head: bytes, source: Reading) -> str:
    """Return what a file is. In one of JSON lines a line that is none, be it the first, costs only itself."""
    lines = source.format == "ndjson"
    try:
        kind = kind_of(head)
    except BadFile as error:
        if lines and error.code == "markup":
            return "json_lines"
        raise
    if lines and (kind == "delimited" or (kind == "json_array" and _NO_ARRAY.match(head))):
        return "json_lines"
    return kind


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, at least `_HEAD` of them if there are, and all the chunks."""
    taken: list[bytes] = []
    length = 0
    while length < _HEAD and (chunk := next(chunks, None)) is not None:
        taken.append(chunk)
        length += len(chunk)
    return b"".join(taken)[:_HEAD], itertools.chain(taken, chunks)


def _spooled(chunks: Iterator[bytes], path: Path) -> Path:
    with path.open("wb") as out:
        out.writelines(chunks)
    return path


def _parquet(path: Path, size: int) -> Iterator[Piece]:
    """Cut by row numbers: DuckDB skips the row groups that a piece does not need."""
    count = parquet.check(path)
    parts = -(-path.stat().st_size // size)
    step = max(1, -(-count // parts))
    for first in range(0, count, step):
        yield Piece(path, Layout("parquet"), size, lines=min(step, count - first), first=first)


def _delimited(
    head: bytes,
    text: Iterator[bytes],
    columns: Sequence[SourceColumn],
    path: Callable[[], Path],
    size: int,
) -> Iterator[Piece]:
    delimiter, header, above = read_header(head, columns)
    yield from _cut(_without(text, above), Layout("delimited", delimiter, tuple(header)), path, size)


def _without(text: Iterator[bytes], above: int) -> Iterator[bytes]:
    """Yield a text without its first bytes."""
    for chunk in text:
        rest, above = chunk[above:], max(0, above - len(chunk))
        if rest:
            yield rest


def read_header(head: bytes, columns: Sequence[SourceColumn] = ()) -> tuple[str, list[str], int]:
    """Return the delimiter of a delimited file, the names of its header, and how many bytes stand above that.

    The header is the row that `header_row` finds, else the first line that is not blank. Raises BadFile.
    """
    lines = [line.decode("utf-8", "replace") for line in _LINE.findall(head)]
    first = next((line for line in lines if line.strip("\r\n")), "")
    if len(first.strip("\r\n").encode()) >= _HEAD:
        raise BadFile("bad_header", f"the header is longer than {_HEAD >> 10} KiB")
    delimiter = max(_DELIMITERS, key=first.count)
    rows = _first_rows(lines, delimiter)
    at = header_row([row for row, _ in rows], columns)
    for other in _DELIMITERS if columns and at is None else "":  # a title tells nothing of it
        found = _first_rows(lines, other)
        if (place := header_row([row for row, _ in found], columns)) is not None:
            delimiter, rows, at = other, found, place
            break
    if not rows:
        raise BadFile("empty_file", "the file has no header and no rows")
    header = [name.strip() or "_" for name in rows[at or 0][0]]
    above = sum(map(len, _LINE.findall(head)[: rows[at - 1][1]])) if at else 0
    _refuse_odd(header)
    return delimiter, distinct(header, columns), above


def _first_rows(lines: list[str], delimiter: str) -> list[tuple[list[str], int]]:
    """Return the first rows that are not blank, each with the number of lines up to its end."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    rows: list[tuple[list[str], int]] = []
    try:
        for row in reader:
            if row:
                rows.append((row, reader.line_num))
            if len(rows) == HeaderPolicy.rows_searched:
                break
    except csv.Error as error:
        if not rows:
            raise BadFile("bad_header", "the header is no CSV") from error
    return rows


def _refuse_odd(header: list[str]) -> None:
    if len(header) > _COLUMNS:
        raise BadFile("too_many_columns", f"the header has {len(header)} columns; {_COLUMNS} are read")
    if any("\0" in name for name in header):
        raise BadFile("bad_header", "a name in the header holds NUL")


@dataclass
class _Open:
    """A piece that is being written."""

    path: Path
    out: IO[bytes]
    size: int = 0
    lines: int = 0
    quotes: int = 0
    ends: set[bytes] = field(default_factory=set)
    blank: bool = False
    last: bytes = b"\n"  # so that an empty first line is a blank one

    @classmethod
    def at(cls, path: Path) -> _Open:
        return cls(path, path.open("wb"))

    def write(self, data: bytes, *, delimited: bool) -> None:
        self.out.write(data)
        self.size += len(data)
        if delimited:
            self._look(data)
            self.quotes += data.count(b'"')
        else:
            self.lines += data.count(b"\n")
            self.last = data[-1:]

    def _look(self, data: bytes) -> None:
        """Note in which ways lines end, and whether one is blank."""
        joined = self.last + data
        self.blank = self.blank or b"\n\n" in joined
        if b"\r" in joined:
            self.blank = self.blank or b"\n\r\n" in joined or b"\r\r" in joined
            text = b"\r" + data if self.last.endswith(b"\r") else data
            pairs = text.count(b"\r\n")
            lone = text.count(b"\r") - pairs - text.endswith(b"\r")  # the last may be half of a pair
            kinds = ((b"\r\n", pairs), (b"\r", lone), (b"\n", text.count(b"\n") - pairs))
            self.ends |= {end for end, count in kinds if count > 0}
        elif b"\n" in data:
            self.ends.add(b"\n")
        self.last = joined[-2:]

    @property
    def one_end(self) -> str:
        """Return with what all rows end; nothing where some do otherwise, or a line is blank."""
        ends = self.ends | ({b"\r"} if self.last.endswith(b"\r") else set())
        return "" if self.blank or len(ends) > 1 else next(iter(ends), b"\n").decode()


def _cut(text: Iterator[bytes], layout: Layout, path: Callable[[], Path], size: int) -> Iterator[Piece]:
    """Write text into pieces; a line beyond MAX_LINE is left out and stands as a piece of its own."""
    delimited = layout.kind == "delimited"
    skip = 1 if delimited else 0
    part: _Open | None = None
    line = 0  # bytes of the line that is being written
    long = False
    for chunk in text:
        data = chunk
        if long:  # the rest of a line that is too long
            if (end := _end(data)) < 0:
                continue
            data, long = data[end:], False
        end = _last_end(data)
        if end < 0 and line + len(data) > MAX_LINE:
            if part is not None:
                yield from _ended(part, layout, skip, but=line)
            yield Piece(None, layout, 0, lines=1)
            skip, part, line, long = 0, None, 0, True
            continue
        line = line + len(data) if end < 0 else len(data) - end
        part = part or _Open.at(path())
        cut = _row_end(part, data, delimited=delimited) if part.size + len(data) >= size else -1
        if cut >= 0:
            part.write(data[:cut], delimited=delimited)
            yield from _ended(part, layout, skip)
            skip, part, data = 0, None, data[cut:]
        if data:
            part = part or _Open.at(path())
            part.write(data, delimited=delimited)
    if part is not None:
        yield from _ended(part, layout, skip)


def _end(data: bytes) -> int:
    """Return where the first line ends, or -1."""
    ends = [end for end in (data.find(b"\n"), data.find(b"\r")) if end >= 0]
    return min(ends) + 1 if ends else -1


def _last_end(data: bytes) -> int:
    return max(data.rfind(b"\n"), data.rfind(b"\r")) + 1 or -1


def _row_end(part: _Open, data: bytes, *, delimited: bool) -> int:
    """Return where in `data` a row ends for sure, the last such place; -1 for none.

    Outside of quotes is where their number so far is even: a line end in a quoted field ends no row. In a file where
    it never is even again, some quote stands where none may, and any line end will do.
    """
    mark = b"\n" if b"\n" in data else b"\r"
    end = len(data) - (mark == b"\r")  # the last may be half of a pair
    quotes = part.quotes + data.count(b'"', 0, end) if delimited else 0
    lost = part.size > _LOST
    while (found := data.rfind(mark, 0, end)) >= 0:
        quotes -= data.count(b'"', found, end) if delimited else 0
        if quotes % 2 == 0 or lost:
            return found + 1
        end = found
    return -1


def _ended(part: _Open, layout: Layout, skip: int, *, but: int = 0) -> Iterator[Piece]:
    """Close a piece, without its last `but` bytes, and yield it unless it is empty."""
    if but:
        part.out.truncate(part.size - but)
    part.out.close()
    if part.size == but:
        part.path.unlink()
        return
    lines = None
    if layout.kind == "json_lines":
        lines = part.lines + (not but and part.last != b"\n")
    yield Piece(part.path, layout, part.size - but, skip, part.one_end, lines)
