"""Finds rows that have more cells than they may: DuckDB's reader drops what is empty at a row's end.

Pieces with such rows are taken apart by `sound_rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading.byte_counts import are_behind
from lakehouse.ingest.reading.scan_sql import delimited_rows

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from lakehouse.ingest.reading.piece import Piece

_BLOCK: Final = 1 << 20
_ENDS: Final = (
    b'""',
    b' "',
    *(bytes((end, byte)) for end in b"\r\n" for byte in range(256)),
)  # how what stands behind the delimiter before an empty last cell begins
_LONGEST_END: Final = 16  # bytes of a delimiter and what may stand behind it, and more


def can_be_read_at_once(piece: Piece) -> bool:
    """Return whether DuckDB's reader may take a piece as it stands: all lines end alike, and none is blank.

    Nor must a row have fewer cells than the header, which it reads as one cut short; of another table it reads none.
    """
    most = piece.layout.most_cells
    return (
        bool(piece.line_end)
        and not piece.is_other_table
        and (most is None or most >= len(piece.layout.header))
    )


def are_longer_rows(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, rows: int) -> bool:
    """Return whether rows that DuckDB's reader took have more cells than they may; it drops what is empty at the end.

    `rows`: how many it took, none left out. Exact: each of them has as many delimiters as the reader asks for, those
    within quotes stand in its cells, and what is left of the piece's own stands behind.
    """
    cells_read = piece.layout.cells_read
    if piece.layout.kind != "delimited" or piece.layout.most_cells is None:
        return False
    width = len(piece.layout.header)
    beyond = piece.delimiters - rows * (cells_read - 1) - piece.header_lines * (width - 1)
    if beyond > 0 and not (piece.has_quotes and _are_within_quotes(con, piece, path, beyond)):
        return True
    return cells_read > width and _is_filled_behind(con, piece, path)


def _are_within_quotes(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, count: int) -> bool:
    """Return whether so many delimiters stand in cells, or no row ends in an empty one."""
    if not _ends_in_delimiter(path, piece.layout.delimiter.encode()):
        return True
    delimiter = literal(piece.layout.delimiter)
    cells = [f"_c{index}" for index in range(piece.layout.cells_read)]
    text = f"concat({', '.join(cells)})"
    within = f"length({text}) - length(replace({text}, {delimiter}, ''))"
    found = con.execute(f"SELECT coalesce(sum({within}), 0) FROM ({delimited_rows(piece, path)})").fetchone()
    in_header = sum(name.count(piece.layout.delimiter) for name in piece.layout.header) * piece.header_lines
    return found is not None and int(found[0]) + in_header >= count


def _ends_in_delimiter(path: Path, delimiter: bytes) -> bool:
    """Return whether a row may end in an empty cell, also one in quotes."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            text = rest + chunk
            if are_behind(text, delimiter[-1:], _ENDS):
                return True
            rest = text[-_LONGEST_END:]
    return rest.rstrip(b'"\r\n ').endswith(delimiter)


def _is_filled_behind(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path) -> bool:
    """Return whether a row has something in the cells behind the header's."""
    behind = range(len(piece.layout.header), piece.layout.cells_read)
    is_filled = " OR ".join(f"trim(coalesce(_c{index}, '')) <> ''" for index in behind)
    found = con.execute(f"SELECT 1 FROM ({delimited_rows(piece, path)}) WHERE {is_filled} LIMIT 1").fetchone()
    return found is not None
