"""Parts of a load in small: a source with two columns, a unit with rows in it, raw files that nobody fetches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.ingest.reading.pieces import Layout, Piece
from lakehouse.ingest.reading.typed_rows import create_unit
from lakehouse.landing.raw_files import RawFile
from lakehouse.sources.definition import Source

if TYPE_CHECKING:
    import duckdb

LOADED_AT = datetime(2026, 3, 8, 12, tzinfo=UTC)


def a_source(**more: Any) -> Source:
    """Return a source of JSON lines with the columns `id` and `day`."""
    columns = [
        {"name": "id", "from": "id", "doc": "Id", "required": True},
        {"name": "day", "from": "day", "type": "date", "doc": "Day"},
    ]
    return Source.model_validate(
        {"source": "a", "entity": "b", "doc": "B", "grain": "one row an id", "format": "ndjson"}
        | {"columns": columns}
        | more
    )


def a_raw_file(name: str = "x.json", size: int = 10) -> RawFile:
    """Return a raw file of the source, which no bucket has."""
    return RawFile("landing", f"a/b/{name}", "v1", size)


def a_piece(path: Any, text: str, lines: int | None = None) -> Piece:
    """Write JSON lines to a path, and return them as a piece."""
    path.write_text(text, "utf-8")
    return Piece(path, Layout("json_lines"), len(text), row_count=lines)


def fill_unit(
    con: duckdb.DuckDBPyConnection, source: Source, *rows: tuple[int, int, str, str | None]
) -> None:
    """Make the unit: piece, row in it, id, and the code of what is wrong with it."""
    create_unit(con, source)
    for piece, row, name, code in rows:
        con.execute(
            "INSERT INTO unit BY NAME SELECT ? AS _piece, ? AS _row, ? AS id, ? AS _code, "
            "'a reason' AS _reason, 'as it came' AS _original",
            [piece, row, name, code],
        )


def set_offsets(con: duckdb.DuckDBPyConnection, *offsets: tuple[int, str, int]) -> None:
    """Make `row_offsets`: piece, file, and how many rows of the file stand before the piece."""
    con.execute("CREATE OR REPLACE TABLE row_offsets (_of_piece INTEGER, _file VARCHAR, _row_offset BIGINT)")
    con.executemany("INSERT INTO row_offsets VALUES (?, ?, ?)", offsets)
