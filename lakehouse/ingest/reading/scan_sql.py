"""SQL that takes a piece apart: one row a record, each column's value as text. Here: delimited text and Parquet.

Rows are numbered from 1 within the piece: data rows of delimited text, where blank lines are none; lines of JSON,
where blank ones count and are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import BadFile
from lakehouse.ingest.reading import csv_rejects, parquet_cells_sql
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.ingest.reading.non_record_sql import OTHER_HEADER, marked_rows
from lakehouse.ingest.reading.sound_rows import RowShape
from lakehouse.ingest.reading.typing_sql import trimmed_sql
from lakehouse.sources import headers, non_records
from lakehouse.sources.non_records import KnownBy
from lakehouse.sources.says import columns_asked_of

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.reading.piece import Piece
    from lakehouse.sources.definition import Source, SourceColumn

_TELLING_TYPES = (
    "string",
    "date",
    "timestamptz",
)  # of columns that say which record it is: no total stands there
_RENAMED = re.compile(r"_[0-9]+$")
_NEW_LINE_OPTION = {"\n": "\\n", "\r\n": "\\r\\n", "\r": "\\r"}  # by a piece's line end


@dataclass(frozen=True)
class RowFault:
    """What makes a row no record: a code, a reason for people, and the SQL of the condition."""

    code: str
    reason: str
    condition_sql: str


NO_RECORD_FAULTS = (
    RowFault(non_records.CODE, non_records.REASON, f"_mark = {literal(non_records.CODE)}"),
    RowFault(
        OTHER_HEADER,
        "the row is a header with other columns than the file's",
        f"_mark = {literal(OTHER_HEADER)}",
    ),
)


@dataclass(frozen=True)
class Scan:
    """A query that yields a piece's rows: `_n`, their numbers, and whatever the other members speak of.

    `texts` gives the SQL of each mapped column's text, by the column's name; `extra` that of the JSON of all other
    columns; `original` that of the row as it came or, where the source keeps less, of what quarantine may keep of it.
    `left_out`: how many columns of the file are in none of them (of JSON: keys in the first lines). `reread`: the
    condition that a row is to be read in another way, if there is one. `absent` are columns that the
    header lacks, of those that identifiers are made of.
    """

    query: str
    texts: Mapping[str, str]
    extra: str
    original: str
    faults: tuple[RowFault, ...] = ()
    left_out: int = 0
    reread: str | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParquetRows:
    """The query of a Parquet piece's rows, and by the name in the file the SQL of each cell, its text, and its JSON."""

    query: str
    cells: Mapping[str, str]
    texts: Mapping[str, str]
    json_cells: Mapping[str, str]


@dataclass(frozen=True)
class _MappedCells:
    """Cells of a table by the name of the column that they belong to, and those that no column maps by their own."""

    mapped: dict[str, str]
    unknown: dict[str, str]


def delimited_scan(source: Source, piece: Piece, path: Path) -> Scan:
    """Return how to read a piece of delimited text; raises BadFile when it lacks a column that must be there."""
    cells = delimited_cells(piece)
    matched = _map_cells(source, cells)
    texts = {name: f"nullif({trimmed_sql(cell)}, '')" for name, cell in matched.mapped.items()}
    rows = marked_rows(delimited_rows(piece, path), cells, _known_by(source, cells))
    return replace(_table_scan(source, rows, texts, matched.unknown, cells), absent=_absent(source, matched))


def _absent(source: Source, matched: _MappedCells) -> tuple[str, ...]:
    """Return those of the columns which identifiers are made of that a file lacks; of the others nobody asks."""
    return tuple(sorted(columns_asked_of(source).difference(matched.mapped)))


def delimited_cells(piece: Piece) -> dict[str, str]:
    """Return the SQL of each cell of `delimited_rows` by its name in the header."""
    return {name: f"_c{column_index}" for column_index, name in enumerate(piece.layout.header)}


def delimited_rows(piece: Piece, path: Path) -> str:
    """Return the query of a delimited piece's rows: `_n`, and each cell as it stands, from `_c0` on.

    All lines of the piece end alike, and none is blank: see `sound_rows`.
    """
    delimiter = piece.layout.delimiter
    columns = ", ".join(f"'_c{column_index}': 'VARCHAR'" for column_index in range(piece.layout.cells_read))
    return (
        f"SELECT row_number() OVER () AS _n, * FROM read_csv({literal(str(path))}, auto_detect=false, "
        f"header=false, skip={piece.header_lines}, delim={literal(delimiter)}, quote='\"', escape='\"', "
        f"new_line={literal(_NEW_LINE_OPTION[piece.line_end])}, "
        f"columns={{{columns}}}, {csv_rejects.reader_options()})"
    )


def parquet_scan(con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path) -> Scan:
    """Return how to read a piece of Parquet; raises BadFile as `delimited_scan` and `parquet_rows` do."""
    rows = parquet_rows(con, piece, path)
    _refuse_repeated(con, source, path, rows.texts)
    matched = _map_cells(source, rows.texts)
    if not piece.row_offset:
        _log_absent_columns(source, matched.mapped, path.parent.name)
    texts = {name: f"nullif(trim({text}), '')" for name, text in matched.mapped.items()}
    unknown = {name: rows.json_cells[name] for name in matched.unknown}
    query = marked_rows(rows.query, rows.texts, _known_by(source, rows.texts))
    return replace(
        _table_scan(source, query, texts, unknown, rows.json_cells), absent=_absent(source, matched)
    )


def _refuse_repeated(
    con: duckdb.DuckDBPyConnection, source: Source, path: Path, names: Collection[str]
) -> None:
    """Raise BadFile (duplicate_column) where the mapping names a column that a Parquet file has twice.

    DuckDB calls the second one `name_1`; the file itself is asked only where there is such a name.
    """
    folded = {name.casefold() for name in names}
    if not any(_RENAMED.sub("", name) in folded for name in folded if _RENAMED.search(name)):
        return
    elements = con.execute("SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)", [str(path)])
    counts: Counter[str] = Counter()
    within = 0  # elements of a nested column that are still to come
    for name, children in elements.fetchall()[1:]:
        counts[name] += not within
        within += children - bool(within)
    mapped = {headers.normal(name) for column in source.columns for name in column.names}
    if any(count > 1 and headers.normal(name) in mapped for name, count in counts.items()):
        raise BadFile("duplicate_column", "two columns of the file share a name")


def parquet_rows(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path) -> ParquetRows:
    """Return how to read a Parquet piece's rows.

    Cells get names of their own: a column of the file may be called like one of the table. Raises BadFile
    (duplicate_column) for names that differ in case alone.
    """
    reader = f"read_parquet({literal(str(path))}, file_row_number=true)"
    described = con.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {reader}").fetchall()
    duck_types = {name: duck_type for name, duck_type, *_ in described}
    if len({name.casefold() for name in duck_types}) != len(described):
        raise BadFile("duplicate_column", "two columns of the file share a name")
    cells = {name: f"_c{column_index}" for column_index, name in enumerate(duck_types)}
    of_utc = parquet_cells_sql.clocks_of_utc(con, path)
    named_cells = ", ".join(f"{identifier(name)} AS {cell}" for name, cell in cells.items())
    rows_end = piece.row_offset + (piece.row_count or 0)
    query = (
        f"SELECT file_row_number - {piece.row_offset} + 1 AS _n, {named_cells} FROM {reader} "
        f"WHERE file_row_number >= {piece.row_offset} AND file_row_number < {rows_end}"
    )
    return ParquetRows(
        query,
        cells,
        texts={
            name: parquet_cells_sql.text_sql(cell, duck_types[name], is_utc=name in of_utc)
            for name, cell in cells.items()
        },
        json_cells={
            name: parquet_cells_sql.json_sql(cell, duck_types[name], is_utc=name in of_utc)
            for name, cell in cells.items()
        },
    )


def _map_cells(source: Source, cells: Mapping[str, str]) -> _MappedCells:
    """Return which cell is which column of the table's; raises BadFile as `headers.match` does.

    What goes by any name of a column with a rule on what is kept of it is not unknown.
    """
    name_of = headers.match(source.columns, cells)
    mapped = {column.name: cells[name_of[column.name]] for column in source.stored if column.name in name_of}
    mapped_names = set(name_of.values())
    ruled_names = {headers.normal(name) for name in names_with_rule(source)}

    def is_known(name: str) -> bool:
        return name in mapped_names or headers.normal(name) in ruled_names

    return _MappedCells(mapped, {name: cell for name, cell in cells.items() if not is_known(name)})


def names_with_rule(source: Source) -> list[str]:
    """Return all names of the columns that have a rule on what is kept of them (`collect`)."""
    return [name for column in source.columns if column.collect for name in column.names]


def row_shape(source: Source, piece: Piece) -> RowShape:
    """Return what a mapping asks of the rows of a piece of delimited text; BadFile as `headers.match`."""
    name_of = headers.match(source.columns, piece.layout.header)
    positions = {name: position for position, name in enumerate(piece.layout.header)}
    needed = [
        positions[name_of[column.name]]
        for column in source.columns
        if column.required and column.name in name_of
    ]
    return RowShape(max(needed, default=0) + 1, _known_by(source, piece.layout.header))


def log_absent_columns(source: Source, piece: Piece, path: Path) -> None:
    """Log which columns the header of a delimited text lacks; its folder has the file's id."""
    name_of = headers.match(source.columns, piece.layout.header)
    _log_absent_columns(source, name_of, path.parent.name)


def _known_by(source: Source, names: Iterable[str]) -> KnownBy:
    """Return the positions in a header of the cells that say which record it is; numbers, which add up, say nothing."""
    columns = {headers.normal(name): column for column in source.columns for name in column.names}
    at_positions = [columns.get(headers.normal(name)) for name in names]

    def positions(is_asked: Callable[[SourceColumn], bool]) -> tuple[int, ...]:
        return tuple(at for at, column in enumerate(at_positions) if column is not None and is_asked(column))

    return KnownBy(
        required=positions(_is_telling),
        personal=positions(lambda column: not _is_telling(column) and _is_of_somebody(source, column)),
        key=positions(lambda column: _is_numbered(source, column.name)),
        names=tuple(_written_names(filter(None, [column])) for column in at_positions),
        all_names=_written_names(source.columns),
    )


def _is_of_somebody(source: Source, column: SourceColumn) -> bool:
    return column.pii or column.name in source.key


def _is_telling(column: SourceColumn) -> bool:
    """Return whether there is no record without the column, and no total has it."""
    return column.required and column.type in _TELLING_TYPES


def _written_names(columns: Iterable[SourceColumn]) -> tuple[str, ...]:
    """Return all names of columns as cells are compared with them."""
    return tuple(name.strip().lower() for column in columns for name in column.names)


def _is_numbered(source: Source, column_name: str) -> bool:
    """Return whether a column is the key, and its ids are no names: some systems know their customers by name alone."""
    found = source.ids.get(column_name)
    return source.key == (column_name,) and found is not None and found.level != "anything"


def _log_absent_columns(source: Source, present: Collection[str], file_id: str) -> None:
    """Log which columns a file lacks that it may lack: all its rows are null there."""
    if absent := headers.absent(source.stored, present):
        telemetry.warn(
            "columns missing",
            file_id=file_id,
            table=source.table,
            reason=f"the header lacks {', '.join(absent)}",
        )


def _table_scan(
    source: Source,
    query: str,
    texts: Mapping[str, str],
    unknown: Mapping[str, str],
    cells: Mapping[str, str],
) -> Scan:
    """Return the scan of a table whose rows a query yields, of the cells by their names in the file."""
    original = _json_object(_quarantined_cells(source, cells))
    if source.strict:
        return Scan(query, texts, "NULL", original, NO_RECORD_FAULTS, left_out=len(unknown))
    return Scan(query, texts, _json_object(unknown), original, NO_RECORD_FAULTS)


def _quarantined_cells(source: Source, cells: Mapping[str, str]) -> Mapping[str, str]:
    """Return the SQL of what quarantine may keep of each cell, by its name in the file."""
    if not source.guarded:
        return cells
    columns = {headers.normal(name): column for column in source.columns for name in column.names}
    kept = {}
    for name, cell in cells.items():
        column = columns.get(headers.normal(name))
        if column is None:
            if not source.strict:
                kept[name] = cell
        elif column.collect is None:
            kept[name] = cell
        elif not column.dropped:
            kept[name] = stored_sql(column, identifier(column.name))
    return kept


def _json_object(cells: Mapping[str, str]) -> str:
    """Return the SQL of a JSON object, or NULL where there is nothing to put into it."""
    if not cells:
        return "NULL"
    members = ", ".join(f"{literal(name)}, {cell}" for name, cell in cells.items())
    return f"json_object({members})"
