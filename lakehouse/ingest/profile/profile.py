"""What an unknown file holds: read once, a piece at a time, by the code that ingest reads files with.

Fill, lengths and distinct values are of all rows. Types, formats and what is personal are of a sample: one row of
every 1, 2, 4, … of each piece, so many that at most the wanted number remain. It depends on the bytes alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Literal

import duckdb
import pyarrow as pa

from lakehouse.engine import duck, moments
from lakehouse.errors import BadFile
from lakehouse.ingest.profile.file_totals import ColumnTotals, FileTotals
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.profile_sql import PieceCounts, count_piece
from lakehouse.ingest.reading.pieces import pieces
from lakehouse.ingest.reading.typing_sql import typed_sql
from lakehouse.progress import Progress, no_progress
from lakehouse.scratch import scratch_folder
from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.detect.columns import ColumnDescription, describe, is_data_row, is_personal_value
from lakehouse.sources.detect.format_names import formats_of
from lakehouse.sources.detect.masking import mask

if TYPE_CHECKING:
    from lakehouse.ingest.reading.piece import Piece, UnreadPart
    from lakehouse.settings import Settings

_ANY_TEXT = ("string", "json")  # types as which every value loads


@dataclass(frozen=True)
class ReadingHints:
    """How to read a file of which nothing is known but its bytes, and what a person says beside; see ReadingRules."""

    encoding: str | None = None
    sheet: str | None = None
    format: Literal["csv", "ndjson"] = "csv"
    columns: tuple[SourceColumn, ...] = ()


@dataclass(frozen=True)
class ColumnProfile:
    """A column: position from 1, header, filled rows, fewest and most characters, distinct values, what a sample says.

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

    `headless`: the first line looks like a row, so headers are masked. `left_out`: columns beyond those profiled.
    `unread_parts`: members of a zip and sheets of a workbook that are no table like the first one.
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
    unread_parts: tuple[UnreadPart, ...] = ()


def profile(
    settings: Settings,
    path: Path,
    hints: ReadingHints | None = None,
    *,
    sample_rows: int | None = None,
    progress: Progress = no_progress,
) -> Profile:
    """Return what a file holds; `progress` hears of bytes read. `sample_rows`: at most, else the policy's.

    Raises BadFile for what ingest cannot read either, and no_such_file, no_file, unreadable_file; BadDefinition for
    an encoding that nobody knows.
    """
    size = _size(path)
    with (
        scratch_folder(settings.scratch, "profile") as folder,
        duck.connect(settings, iceberg=False, threads=1) as con,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        totals = FileTotals(folder, sample_rows or ProfilePolicy.sample_rows)
        counter = _PieceCounter(con)
        running: deque[Future[PieceCounts]] = deque()
        chunks = _read_chunks(path, size, progress)
        for piece in pieces(chunks, hints or ReadingHints(), folder, max_bytes=ProfilePolicy.piece_bytes):
            if piece.unread is not None:
                totals.unread_parts.append(piece.unread)
                continue
            totals.note_layout(piece)
            if piece.path is None:
                totals.unreadable["line_too_long"] += 1
                continue
            # Which thread is behind does not decide what is sampled: the sample is thinned to one step in the end.
            running.append(
                pool.submit(counter.count, piece, piece.path, totals.highest_wanted(), totals.sample.step)
            )
            if len(running) > settings.threads:
                totals.add(running.popleft().result())
        while running:
            totals.add(running.popleft().result())
        return _Describer(con, totals).profile(size)


def _size(path: Path) -> int:
    try:
        if not path.exists():
            raise BadFile("no_such_file", f"{path} is not there")
        if not path.is_file():
            raise BadFile("no_file", f"{path} is no file; name one file")
        return path.stat().st_size
    except OSError as error:
        raise BadFile("unreadable_file", f"{path}: {error.strerror}") from error


def _read_chunks(path: Path, size: int, progress: Progress) -> Iterator[bytes]:
    bytes_read = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(ProfilePolicy.read_bytes):
                yield chunk
                bytes_read += len(chunk)
                progress("reading", bytes_read, size)
    except OSError as error:
        raise BadFile("unreadable_file", f"{path}: {error.strerror}") from error


class _PieceCounter:
    """Counts pieces in the threads of a pool; each has a cursor of its own."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._thread = local()

    def count(self, piece: Piece, path: Path, highest_wanted: dict[str, int], step: int) -> PieceCounts:
        """Count a piece, and delete it."""
        if not hasattr(self._thread, "cursor"):
            self._thread.cursor = self._con.cursor()
        counts = count_piece(self._thread.cursor, piece, path, highest_wanted, step)
        piece.delete()
        return counts


class _Describer:
    """Says what the totals and the sample of a file mean."""

    def __init__(self, con: duckdb.DuckDBPyConnection, totals: FileTotals) -> None:
        self._con = con
        self._totals = totals
        headers = [column.header for column in totals.columns]
        self._is_headless = totals.kind == "delimited" and is_data_row(headers)

    def profile(self, size: int) -> Profile:
        """Return the profile of the file, of so many bytes; it may be asked for once."""
        totals = self._totals
        return Profile(
            bytes=size,
            kind=totals.kind,
            delimiter=totals.delimiter,
            rows=totals.rows,
            unreadable=dict(sorted(totals.unreadable.items())),
            sampled=totals.sample.rows,
            headless=self._is_headless,
            left_out=totals.left_out,
            columns=tuple(
                self._column_profile(position, column) for position, column in enumerate(totals.columns, 1)
            ),
            unread_parts=tuple(totals.unread_parts),
        )

    def _column_profile(self, position: int, column: ColumnTotals) -> ColumnProfile:
        rows = self._totals.rows
        is_key = rows > 0 and column.filled == rows and column.unique.is_unique()
        counts = self._totals.sample.value_counts(column.key)
        described = describe("" if self._is_headless else column.header, counts)
        reading = formats_of(described.type, described.formats)
        loads = self._share_that_loads(described, counts)
        loads_with_formats = loads
        if reading.formats:
            loads_with_formats = self._share_that_loads(described, counts, reading.formats)
        is_masked = self._is_headless or is_personal_value(column.header)
        return ColumnProfile(
            position=position,
            header=mask(column.header) if is_masked else column.header,
            filled=column.filled,
            lengths=column.lengths,
            distinct=rows if is_key else min(column.distinct.estimate, column.filled),
            exact=is_key or column.distinct.is_exact,
            key=is_key,
            loads=loads,
            found=described,
            formats=reading.formats,
            loads_so=loads_with_formats,
            ambiguous=reading.ambiguous,
        )

    def _share_that_loads(
        self, described: ColumnDescription, counts: dict[str, int], formats: tuple[str, ...] = ()
    ) -> float:
        """Return the share of values that ingest reads as the type, as they stand or by these formats."""
        if described.type in _ANY_TEXT or not counts:
            return 1.0
        column = SourceColumn.model_validate(
            {"name": "v", "from": "v", "type": described.type, "doc": "v", "formats": formats}
        )
        is_valid = f"{typed_sql(column, 'v', moments.UTC)} IS NOT NULL"
        # not as bound lists: DuckDB looks for Python's optional packages at each of their values
        self._con.register("profiled", pa.table({"v": list(counts), "n": list(counts.values())}))
        loaded = self._con.execute(
            f"SELECT coalesce(sum(n) FILTER (WHERE {is_valid}), 0) FROM profiled"
        ).fetchone()
        self._con.unregister("profiled")
        return int(loaded[0]) / sum(counts.values()) if loaded else 0.0
