"""What a file that nobody has seen holds: read once, a piece at a time, with what ingest reads files with.

Fill, lengths and distinct values are of all rows. Types, formats and what is personal are of a sample: one row of
every 1, 2, 4, … of each piece, so many that at most the wanted number remain. It depends on the bytes alone.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.engine import duck
from lakehouse.errors import BadFile
from lakehouse.ingest.profile.profile_sql import COLUMNS, Cells, Counted, count
from lakehouse.ingest.profile.sketch import ALL, Distinct, Hashes, Unique
from lakehouse.ingest.reading.pieces import Piece, pieces
from lakehouse.ingest.reading.typing_sql import cast, kept
from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.detect.columns import ColumnDescription, describe, is_data_row, is_personal_value
from lakehouse.sources.detect.format_names import formats_of
from lakehouse.sources.detect.masking import mask
from lakehouse.tables.contract import Column

if TYPE_CHECKING:
    from lakehouse.settings import Settings

ROWS = 20_000
_PIECE = 8 << 20  # less than ingest's: here the hashes of all values of a piece are in memory
_SAMPLE = 64 << 20  # bytes
_CHUNK = 1 << 20
_COARSEST = 1 << 40

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Unknown:
    """How to read a file of which nothing is known but what its bytes say."""

    encoding: str | None = None
    sheet: str | None = None
    format: Literal["csv", "ndjson"] = "csv"
    columns: tuple[SourceColumn, ...] = ()


@dataclass(frozen=True)
class ColumnProfile:
    """A column: place from 1, header, filled rows, fewest and most characters, distinct values, what the sample says.

    `distinct` is exact where `exact`, else within about 2 %. `key`: every row has a value and no two the same.
    `loads`: the share (0 to 1) of the sample's values that ingest would read as the type as they stand; `parses` of
    `found` also counts those that somebody has to convert first. `formats` are those of a definition that would read
    them, `loads_so` the share that loads with these; `ambiguous` are days whose order no value tells, like 5/1/26.
    """

    position: int
    header: str
    filled: int
    lengths: tuple[int, int] | None
    distinct: int
    exact: bool
    key: bool
    loads: float
    found: ColumnDescription
    formats: tuple[str, ...] = ()
    loads_so: float = 1.0
    ambiguous: bool = False


@dataclass(frozen=True)
class Profile:
    """A file: bytes, kind of text, rows that can be read, others by code, rows of the sample, columns.

    `headless`: the first line looks like a row, so headers are masked. `left_out`: columns beyond 5,000.
    """

    bytes: int
    kind: str
    delimiter: str
    rows: int
    unreadable: dict[str, int]
    sampled: int
    headless: bool
    left_out: int
    columns: tuple[ColumnProfile, ...]


def profile(
    settings: Settings,
    path: Path,
    how: Unknown | None = None,
    *,
    rows: int = ROWS,
    on: Progress = lambda _: None,
) -> Profile:
    """Return what a file holds; `on` hears how many bytes were read since it last did. `rows`: of the sample, at most.

    Raises BadFile for what ingest cannot read either, and no_such_file, no_file, unreadable_file; BadDefinition for
    an encoding that nobody knows.
    """
    size = _size(path)
    with (
        tempfile.TemporaryDirectory(dir=settings.scratch) as folder,
        duck.connect(settings, iceberg=False, threads=1) as con,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        work = _Work(con, Path(folder), rows)
        waiting: deque[Future[Counted]] = deque()
        for piece in pieces(_chunks(path, on), how or Unknown(), Path(folder), size=_PIECE):
            work.meet(piece)
            if piece.path is None:
                work.unreadable["line_too_long"] += 1
                continue
            # Who is behind does not decide what is sampled: see `thin`.
            waiting.append(pool.submit(work.read, piece, piece.path, work.highest(), work.every))
            if len(waiting) > settings.threads:
                work.add(waiting.popleft().result())
        while waiting:
            work.add(waiting.popleft().result())
        return work.profile(size)


def _size(path: Path) -> int:
    try:
        if not path.exists():
            raise BadFile("no_such_file", f"{path} is not there")
        if not path.is_file():
            raise BadFile("no_file", f"{path} is no file; name one file")
        return path.stat().st_size
    except OSError as error:
        raise BadFile("unreadable_file", f"{path}: {error.strerror}") from error


def _chunks(path: Path, on: Progress) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
                on(len(chunk))
    except OSError as error:
        raise BadFile("unreadable_file", f"{path}: {error.strerror}") from error


@dataclass
class _Column:
    """What is known of a column so far. `sampled`: of each piece, by its number, the values of its sampled rows."""

    header: str
    distinct: Distinct
    unique: Unique
    filled: int = 0
    lengths: tuple[int, int] | None = None
    sampled: dict[int, pa.Array] = field(default_factory=dict)

    def add(self, cells: Cells, rows: int, piece: int) -> None:
        if cells.filled < rows:
            self.unique.refute()
        self.unique.add(cells.hashes)
        self.distinct.add(cells.hashes)
        self.filled += cells.filled
        self.sampled[piece] = cells.sampled
        known = [length for length in (self.lengths, cells.lengths) if length]
        if known:
            self.lengths = (min(least for least, _ in known), max(most for _, most in known))


class _Work:
    """The sum of the pieces. `read` runs in threads, all else in one."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, rows: int) -> None:
        self._con, self._folder, self._wanted = con, folder, rows
        self._threads = local()
        self._columns: dict[str, _Column] = {}
        self._sampled: dict[int, Hashes] = {}
        self._rows = self._before = self._number = self._left_out = 0
        self._kind = self._delimiter = ""
        self.unreadable: Counter[str] = Counter()
        self.every = 1

    def meet(self, piece: Piece) -> None:
        """Note what the file is; of an archive, its first file."""
        self._kind = self._kind or piece.layout.kind
        self._delimiter = self._delimiter or piece.layout.delimiter

    def highest(self) -> dict[str, int]:
        """Return the hash above which none is wanted, of each column that cannot be a key any more."""
        return {
            name: ALL if column.unique.possible else column.distinct.highest
            for column in self._columns.values()
            for name in (column.header, column.header.casefold())
        }

    def read(self, piece: Piece, path: Path, highest: dict[str, int], every: int) -> Counted:
        """Count a piece, and delete it; in a thread of the pool."""
        cursor = getattr(self._threads, "cursor", None)
        if cursor is None:
            cursor = self._threads.cursor = self._con.cursor()
        counted = count(cursor, piece, path, highest, every)
        if piece.layout.kind != "parquet":
            for left in path.parent.glob(f"{path.stem}.*"):
                left.unlink()
        return counted

    def add(self, piece: Counted) -> None:
        """Add a piece; they come in their order."""
        self._number += 1
        self._before, self._rows = self._rows, self._rows + piece.rows
        self.unreadable.update(piece.unreadable)
        self._left_out = max(self._left_out, piece.left_out)
        seen = set()
        for cells in piece.columns:
            column = self._column(cells.name)
            if column is not None:
                column.add(cells, piece.rows, self._number)
                seen.add(id(column))
        for column in self._columns.values():
            if id(column) not in seen and piece.rows:
                column.unique.refute()
        self._sampled[self._number] = piece.sampled
        self._thin()

    def _column(self, name: str) -> _Column | None:
        """Return the column of this name; those of a table may differ in case between files."""
        key = name if self._kind == "json_lines" else name.casefold()
        if key not in self._columns:
            if len(self._columns) >= COLUMNS:
                self._left_out += 1
                return None
            column = _Column(name, Distinct(), Unique(self._folder, f"{len(self._columns)}"))
            if self._before:  # rows that lack it
                column.unique.refute()
            self._columns[key] = column
        return self._columns[key]

    def _thin(self) -> None:
        """Drop every other sampled row until few enough remain.

        The rest is what would be there had all pieces been read at this step: it only grows, and for what came first
        never beyond what all need.
        """
        self._align()
        while (
            sum(map(len, self._sampled.values())) > self._wanted or self._bytes() > _SAMPLE
        ) and self.every < _COARSEST:
            self.every *= 2
            self._align()

    def _align(self) -> None:
        step = np.uint64(self.every)
        for number, places in self._sampled.items():
            stays = (places - np.uint64(1)) % step == 0
            if stays.all():
                continue
            self._sampled[number] = places[stays]
            mask_of = pa.array(stays)
            for column in self._columns.values():
                if number in column.sampled:
                    column.sampled[number] = column.sampled[number].filter(mask_of)

    def _bytes(self) -> int:
        return sum(values.nbytes for column in self._columns.values() for values in column.sampled.values())

    def profile(self, size: int) -> Profile:
        """Return the whole."""
        headers = [column.header for column in self._columns.values()]
        headless = self._kind == "delimited" and is_data_row(headers)
        return Profile(
            bytes=size,
            kind=self._kind,
            delimiter=self._delimiter,
            rows=self._rows,
            unreadable=dict(sorted(self.unreadable.items())),
            sampled=sum(map(len, self._sampled.values())),
            headless=headless,
            left_out=self._left_out,
            columns=tuple(
                self._described(place, column, headless=headless)
                for place, column in enumerate(self._columns.values(), 1)
            ),
        )

    def _described(self, place: int, column: _Column, *, headless: bool) -> ColumnProfile:
        key = self._rows > 0 and column.filled == self._rows and column.unique.holds()
        values = _values(column.sampled)
        found = describe("" if headless else column.header, values)
        estimate = column.distinct.estimate
        read = formats_of(found.type, found.formats)
        loads = self._loads(found, values)
        return ColumnProfile(
            position=place,
            header=mask(column.header) if headless or is_personal_value(column.header) else column.header,
            filled=column.filled,
            lengths=column.lengths,
            distinct=self._rows if key else min(estimate, column.filled),
            exact=key or column.distinct.highest == ALL,
            key=key,
            loads=loads,
            found=found,
            formats=read.formats,
            loads_so=self._loads(found, values, read.formats) if read.formats else loads,
            ambiguous=read.ambiguous,
        )

    def _loads(
        self, found: ColumnDescription, values: dict[str, int], formats: tuple[str, ...] = ()
    ) -> float:
        """Return the share of values that ingest reads as the type, as they stand or by these formats."""
        if found.type in ("string", "json") or not values:
            return 1.0
        column = SourceColumn.model_validate(
            {"name": "v", "from": "v", "type": found.type, "doc": "v", "formats": formats}
        )
        value = cast(column, "v", Column("v", found.type, "v").duck_type)
        # not as bound lists: DuckDB looks for Python's optional packages at each of their values
        self._con.register("profiled", pa.table({"v": list(values), "n": list(values.values())}))
        good = self._con.execute(
            f"SELECT coalesce(sum(n) FILTER (WHERE {kept(column, value, 'v')} IS NOT NULL), 0) FROM profiled"
        ).fetchone()
        self._con.unregister("profiled")
        return int(good[0]) / sum(values.values()) if good else 0.0


def _values(sampled: dict[int, pa.Array]) -> dict[str, int]:
    """Return how often each value of a sample occurs."""
    if not sampled:
        return {}
    counts = pc.value_counts(pa.chunked_array(list(sampled.values()), pa.string()).drop_null())
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))
