"""Takes a piece of Parquet apart in which a text is no UTF-8: DuckDB gives up, though it is one cell of one row.

The sound rows are written beside it; the others keep what can be shown of them. Other readers do not look at whether
texts are UTF-8, so files are written so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.piece import Piece
from lakehouse.ingest.reading.sound_rows import SoundPiece, UnreadRow


def sound_parquet(piece: Piece, path: Path) -> SoundPiece:
    """Return the rows of a piece of which every text is UTF-8, and the others; BadFile where it is something else."""
    rows = _rows(piece, path)
    bad = sorted(
        {row for column in rows.columns for row in _bad_rows(column.combine_chunks(), 0, rows.num_rows)}
    )
    if not bad:
        raise BadFile("unreadable_file", "the reader gave up, and every text in the Parquet is UTF-8")
    sound_path = path.with_name(f"{path.stem}.{piece.row_offset}.sound")
    good = sorted(set(range(rows.num_rows)) - set(bad))
    pq.write_table(rows.take(pa.array(good, pa.int64())), sound_path)
    sound = replace(piece, path=sound_path, row_offset=0, row_count=len(good))
    unread = [UnreadRow(row + 1, "not_utf8", _shown(rows.slice(row, 1))) for row in bad]
    return SoundPiece(sound, unread)


def _rows(piece: Piece, path: Path) -> pa.Table:
    """Return the rows of a piece as they stand, their texts unread."""
    try:
        with pq.ParquetFile(path) as file:
            first, groups, before = None, [], 0
            for number in range(file.num_row_groups):
                count = file.metadata.row_group(number).num_rows
                if before + count > piece.row_offset and before < piece.row_offset + (piece.row_count or 0):
                    first = before if first is None else first
                    groups.append(number)
                before += count
            table = file.read_row_groups(groups)
    except (pa.ArrowException, OSError) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    return table.slice(piece.row_offset - (first or 0), piece.row_count)


def _bad_rows(cells: pa.Array, start: int, end: int) -> Iterator[int]:
    """Yield the rows from `start` up to `end` in which a text of a column is no UTF-8."""
    if start >= end or _is_valid(cells.take(pa.array(range(start, end), pa.int64()))):
        return
    if end - start == 1:
        yield start
        return
    middle = (start + end) // 2
    yield from _bad_rows(cells, start, middle)
    yield from _bad_rows(cells, middle, end)


def _is_valid(cells: pa.Array) -> bool:
    try:
        cells.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _shown(row: pa.Table) -> str:
    """Return a row as JSON, with U+FFFD for what is no UTF-8."""
    cells: dict[str, Any] = {}
    for name, column in zip(row.column_names, row.columns, strict=True):
        value = column.cast(pa.binary()) if pa.types.is_string(column.type) else column
        try:
            (cell,) = value.to_pylist()
        except UnicodeDecodeError:
            cell = None
        cells[name] = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
    return json.dumps(cells, ensure_ascii=False, default=str)
