"""A piece: consecutive rows of one raw file on scratch disk, and how they are written there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lakehouse.sources import non_records

# Rows of one part of a file, at most: its number times this is what stands before its rows in their numbers.
PART_ROWS: Final = 1_000_000_000_000
OTHER_TABLE: Final = "other_table"  # the code of a row of another table below the first one
NO_RECORDS: Final = (non_records.CODE, OTHER_TABLE)  # codes of rows that are no records of the table
UNREAD_PART: Final = "unread_part"  # the code of a part that is set aside as a whole, as row 0 of it
LayoutKind = Literal["delimited", "json_lines", "parquet"]


@dataclass(frozen=True)
class Layout:
    """How the rows of a piece are written. `header` is empty for JSON lines and Parquet.

    `most_cells`: how many a row of delimited text may have, all behind the header's names empty; None: any number.
    """

    kind: LayoutKind
    delimiter: str = ""
    header: tuple[str, ...] = ()
    most_cells: int | None = None

    @property
    def cells_read(self) -> int:
        """Return how many cells of a row a reader takes."""
        return max(len(self.header), self.most_cells or 0)


@dataclass(frozen=True)
class UnreadPart:
    """A member of a zip, or a sheet of a workbook, that is not read: its name there, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one file.

    `path`: the file that holds them; None for a single row that is longer than `RowPolicy.max_bytes`, and for a part
    that is not read. `part`: which member of a zip or sheet of a workbook they are of, counted from 0.
    `bytes`: of text, or the share of a Parquet file. `header_lines`: lines that come before the first row.
    `line_end`: what every row ends with; empty where rows end in several ways or lines are blank.
    `is_other_table`: its rows are of a table below the first one, and none of them is read.
    `newlines`: how many there are in delimited text with a quote in it. `delimiters`: how many there are in it.
    `row_count`: row numbers of the file that the piece takes; None where only its reader can tell.
    `row_offset`: of Parquet, how many rows of the file stand before the piece.
    """

    path: Path | None
    layout: Layout
    bytes: int
    header_lines: int = 0
    line_end: str = "\n"
    newlines: int = 0
    delimiters: int = 0
    has_quotes: bool = False
    row_count: int | None = None
    row_offset: int = 0
    part: int = 0
    unread: UnreadPart | None = None
    is_other_table: bool = False

    def delete(self) -> None:
        """Delete the piece and what a reader has made of it; of Parquet all pieces share one file, which stays."""
        if self.path is None or self.layout.kind == "parquet":
            return
        for file in self.path.parent.glob(f"{self.path.stem}.*"):
            file.unlink()
