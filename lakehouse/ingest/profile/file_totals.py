"""Adds up what is counted of a file's pieces: its rows, and of each column fill, lengths and distinct values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.row_sample import RowSample
from lakehouse.ingest.profile.sketch import HIGHEST_HASH, DistinctCount, UniqueCheck

if TYPE_CHECKING:
    import pyarrow as pa

    from lakehouse.ingest.profile.profile_sql import ColumnCounts, PieceCounts
    from lakehouse.ingest.reading.piece import Piece, UnreadPart

Lengths = tuple[int, int]  # fewest and most characters


@dataclass
class ColumnTotals:
    """What is known of a column so far. `key`: by which its values are found in the sample."""

    key: str
    header: str
    distinct: DistinctCount
    unique: UniqueCheck
    filled: int = 0
    lengths: Lengths | None = None

    def add(self, counts: ColumnCounts, rows: int) -> None:
        """Add what a piece of so many rows has of the column."""
        if counts.filled < rows:
            self.unique.refute()
        self.unique.add(counts.hashes)
        self.distinct.add(counts.hashes)
        self.filled += counts.filled
        self.lengths = widest(self.lengths, counts.lengths)

    @property
    def highest_wanted(self) -> int:
        """Return the hash above which none is wanted any more."""
        return HIGHEST_HASH if self.unique.is_possible else self.distinct.highest_wanted


class FileTotals:
    """The sum of a file's pieces, which are added in their order."""

    def __init__(self, folder: Path, sample_rows: int) -> None:
        """Keep hashes in `folder` that need not be in memory; `sample_rows`: of the sample, at most."""
        self._folder = folder
        self._columns: dict[str, ColumnTotals] = {}
        self._pieces = 0
        self._rows_before = 0
        self.kind = ""
        self.delimiter = ""
        self.rows = 0
        self.left_out = 0
        self.unreadable: Counter[str] = Counter()
        self.unread_parts: list[UnreadPart] = []
        self.sample = RowSample(sample_rows)

    @property
    def columns(self) -> list[ColumnTotals]:
        """Return the columns in the order in which the file has them."""
        return list(self._columns.values())

    def note_layout(self, piece: Piece) -> None:
        """Note how the file is written; of an archive, its first file."""
        self.kind = self.kind or piece.layout.kind
        self.delimiter = self.delimiter or piece.layout.delimiter

    def highest_wanted(self) -> dict[str, int]:
        """Return the hash above which none is wanted, by each way in which a column's name may be written."""
        highest = {}
        for column in self._columns.values():
            for name in (column.header, column.header.casefold()):
                highest[name] = column.highest_wanted
        return highest

    def add(self, piece: PieceCounts) -> None:
        """Add a piece."""
        self._pieces += 1
        self._rows_before, self.rows = self.rows, self.rows + piece.rows
        self.unreadable.update(piece.unreadable)
        self.left_out = max(self.left_out, piece.left_out)
        samples: dict[str, pa.Array] = {}
        for counts in piece.columns:
            column = self._column(counts.name)
            if column is not None:
                column.add(counts, piece.rows)
                samples[column.key] = counts.sampled
        if piece.rows:
            for column in self._columns_without(samples):
                column.unique.refute()
        self.sample.add(self._pieces, piece.sampled_rows, samples)

    def _columns_without(self, samples: dict[str, pa.Array]) -> Iterator[ColumnTotals]:
        return (column for key, column in self._columns.items() if key not in samples)

    def _column(self, name: str) -> ColumnTotals | None:
        """Return the column of this name, None for one too many; names of a table may differ in case between files."""
        key = name if self.kind == "json_lines" else name.casefold()
        if key in self._columns:
            return self._columns[key]
        if len(self._columns) >= ProfilePolicy.max_columns:
            self.left_out += 1
            return None
        unique = UniqueCheck(self._folder, f"{len(self._columns)}")
        column = ColumnTotals(key, name, DistinctCount(), unique)
        if self._rows_before:  # rows that lack it
            unique.refute()
        self._columns[key] = column
        return column


def widest(lengths: Lengths | None, others: Lengths | None) -> Lengths | None:
    """Return the fewest and the most characters of both; None where neither has a value."""
    if lengths is None or others is None:
        return lengths or others
    return (min(lengths[0], others[0]), max(lengths[1], others[1]))
