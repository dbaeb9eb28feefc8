"""A piece: consecutive rows of one raw file on scratch disk, and how they are written there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LayoutKind = Literal["delimited", "json_lines", "parquet"]


@dataclass(frozen=True)
class Layout:
    """How the rows of a piece are written. `header` is empty for JSON lines and Parquet."""

    kind: LayoutKind
    delimiter: str = ""
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one file.

    `path`: the file that holds them; None for a single row that is longer than `RowPolicy.max_bytes`.
    `bytes`: of text, or the share of a Parquet file. `header_lines`: lines that come before the first row.
    `line_end`: what every row ends with; empty where rows end in several ways or lines are blank.
    `row_count`: row numbers of the file that the piece takes; None where only its reader can tell.
    `row_offset`: of Parquet, how many rows of the file stand before the piece.
    """

    path: Path | None
    layout: Layout
    bytes: int
    header_lines: int = 0
    line_end: str = "\n"
    row_count: int | None = None
    row_offset: int = 0

    def delete(self) -> None:
        """Delete the piece and what a reader has made of it; of Parquet all pieces share one file, which stays."""
        if self.path is None or self.layout.kind == "parquet":
            return
        for file in self.path.parent.glob(f"{self.path.stem}.*"):
            file.unlink()
