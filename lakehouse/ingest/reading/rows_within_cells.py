"""Finds rows that another one has taken into a cell: two quotes astray make one row of several, and no reader minds.

`1,"Ada,x` and below it `2,6",y` are a row whose second cell goes over the line. What gives it away is that each of its
lines has as many delimiters as the header. See `split_rows`, which takes such rows apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading.scan_sql import delimited_cells, delimited_rows
from lakehouse.ingest.reading.split_rows import LEAST_WIDTH

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from lakehouse.ingest.reading.piece import Piece


def are_rows_within_cells(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, rows: int) -> bool:
    """Return whether a piece has such rows. Only one that has more lines than the `rows` that were read is asked."""
    width = len(piece.layout.header)
    if not piece.newlines or width < LEAST_WIDTH:
        return False
    if piece.newlines <= rows + piece.header_lines:
        return False
    delimiter = literal(piece.layout.delimiter)
    text = f"concat({f', {delimiter}, '.join(delimited_cells(piece).values())})"
    fields = f"length(line) - length(replace(line, {delimiter}, '')) + 1"
    is_of_rows = f"len(list_filter(lines, lambda line: {fields} <> {width})) = 0"
    texts = f"SELECT {text} AS _text FROM ({delimited_rows(piece, path)})"
    lines = f"SELECT string_split(_text, chr(10)) AS lines FROM ({texts})"
    found = con.execute(f"SELECT 1 FROM ({lines}) WHERE len(lines) > 1 AND {is_of_rows} LIMIT 1").fetchone()
    return found is not None
