"""Reads a piece of a raw file into the unit: typed columns, or a code and a reason why a row is bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import duckdb

from lakehouse import telemetry
from lakehouse.engine.duck import WRONG_SQL
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import BadDefinition, BadFile
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.json_scan_sql import json_scan
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.ingest.reading.policy import RowPolicy
from lakehouse.ingest.reading.scan_sql import RowFault, Scan, delimited_scan, parquet_scan
from lakehouse.ingest.reading.typing_sql import cast_sql, error_kind, valid_sql

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.ingest.reading.hash_key import HashKey
    from lakehouse.ingest.reading.piece import Piece
    from lakehouse.sources.definition import Source, SourceColumn

# Columns of a raw table that the unit lacks: they are the same for all rows of a piece, or follow from its file.
LOAD_COLUMNS = ("_file_id", "_row", "_loaded_at")


def create_unit(con: duckdb.DuckDBPyConnection, source: Source, name: str = "unit") -> None:
    """Create the empty table `unit`: the raw table's columns, each row's number, and what is wrong with it."""
    columns = ", ".join(
        f"{identifier(column.name)} {column.duck_type}"
        for column in source.contract.columns
        if column.name not in LOAD_COLUMNS
    )
    con.execute(
        f"CREATE OR REPLACE TABLE {name} ({columns}, _piece INTEGER, _row BIGINT, "
        "_code VARCHAR, _reason VARCHAR, _original VARCHAR)"
    )


def read_piece(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    piece: Piece,
    piece_number: int,
    key: HashKey | None = None,
) -> None:
    """Add the rows of a piece to `unit`, good and bad, with no more of them than the source keeps.

    `key` is needed where the source hashes. Raises BadFile when the piece cannot be read at all, BadDefinition when
    the SQL of a check cannot run.
    """
    if source.hashes and key is None:  # without one each hash would be null
        raise ValueError(f"{source.table}: values are to be hashed, and no key is given")
    if piece.path is None:
        _add_row_too_long(con, piece_number)
        return
    csv_rejects.clear(con)
    if key is not None:
        key.set_on(con)
    try:
        scan = _scan(con, source, piece, piece.path)
        con.execute(f"INSERT INTO unit BY NAME {typed_rows_sql(source, scan, piece_number)}")
    except WRONG_SQL as error:
        message = str(error).splitlines()[0]
        raise BadDefinition(
            f"source {source.source}/{source.entity}: a check is no SQL: {message}"
        ) from error
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    if scan.left_out:  # not which: a name may be a customer's, such as the key of an object
        telemetry.info("unknown columns left out", table=source.table, count=scan.left_out)
    if piece.layout.kind != "parquet":
        csv_rejects.add_to_unit(con, piece_number, piece.header_lines, withhold=source.guarded)


def _add_row_too_long(con: duckdb.DuckDBPyConnection, piece_number: int) -> None:
    reason = f"the row is longer than {RowPolicy.max_bytes >> 20} MiB; the raw file holds it"
    con.execute(
        "INSERT INTO unit BY NAME SELECT ? AS _piece, 1 AS _row, 'line_too_long' AS _code, ? AS _reason",
        [piece_number, reason],
    )


def _scan(con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path) -> Scan:
    """Return how to read a piece; raises BadFile when it lacks a column that every row must have."""
    if piece.layout.kind == "delimited":
        return delimited_scan(source, piece, path)
    if piece.layout.kind == "parquet":
        return parquet_scan(con, source, piece, path)
    return json_scan(con, source, path)


def typed_rows_sql(source: Source, scan: Scan, piece_number: int) -> str:
    """Return the SELECT that types each column, names the first thing wrong with a row, and keeps what may be kept.

    Its steps are queries on top of each other: `scanned` has the cells, `texts` a text of each column, `casts` what
    that reads as, `typed` the value that a column may hold, under the column's name. What is wrong is asked of the
    values as they came, in `typed`: of two things with one name, an alias and a column, a condition means the column.
    """
    return (
        f"WITH scanned AS ({scan.query}), "
        f"texts AS ({_texts_sql(source, scan)}), "
        f"casts AS ({_casts_sql(source)}), "
        f"typed AS ({_typed_sql(source, scan)}) "
        f"{_result_sql(source, scan, piece_number)}"
    )


def _text_name(column: SourceColumn) -> str:
    return identifier(f"_t_{column.name}")


def _cast_name(column: SourceColumn) -> str:
    return identifier(f"_v_{column.name}")


def _texts_sql(source: Source, scan: Scan) -> str:
    texts = [f"{scan.texts.get(column.name, 'NULL')} AS {_text_name(column)}" for column in source.stored]
    return f"SELECT *, {', '.join(texts)} FROM scanned"


def _casts_sql(source: Source) -> str:
    casts = [
        f"{cast_sql(column, _text_name(column), column.duck_type)} AS {_cast_name(column)}"
        for column in source.stored
    ]
    return f"SELECT *, {', '.join(casts)} FROM texts"


def _typed_sql(source: Source, scan: Scan) -> str:
    values = [
        f"{valid_sql(column, _cast_name(column), _text_name(column))} AS {identifier(column.name)}"
        for column in source.stored
    ]
    return f"SELECT {scan.extra} AS extra, {', '.join(values)}, casts.* FROM casts"


def _result_sql(source: Source, scan: Scan, piece_number: int) -> str:
    """Return the SELECT of the unit's columns: what is stored of each value, and what is wrong with the row."""
    faults = list(row_faults(source, scan))
    stored = []
    for column in source.stored:
        name = identifier(column.name)
        stored.append(f"{stored_sql(column, name)} AS {name}")
    reason = _first_of(faults, [fault.reason for fault in faults])
    return (
        f"SELECT extra, {', '.join(stored)}, {piece_number} AS _piece, _n AS _row, "
        f"{_first_of(faults, [fault.code for fault in faults])} AS _code, "
        f"CASE WHEN _code IS NOT NULL THEN {reason} END AS _reason, "
        f"CASE WHEN _code IS NOT NULL THEN CAST({scan.original} AS VARCHAR) END AS _original FROM typed"
    )


def _first_of(faults: Sequence[RowFault], outcomes: Sequence[str]) -> str:
    """Return the SQL of the outcome that belongs to the first fault that a row has; null where it has none."""
    if not faults:
        return "NULL"
    cases = [
        f"WHEN {fault.condition_sql} THEN {literal(outcome)}"
        for fault, outcome in zip(faults, outcomes, strict=True)
    ]
    return f"CASE {' '.join(cases)} END"


def row_faults(source: Source, scan: Scan) -> Iterator[RowFault]:
    """Yield what may be wrong with a row, in the order in which it is asked: line, columns, the source's checks."""
    yield from scan.faults
    for column in source.stored:
        yield from _column_faults(column)
    for check in source.checks:
        yield RowFault(check.code, check.reason, check.when)


def _column_faults(column: SourceColumn) -> Iterator[RowFault]:
    name, text = identifier(column.name), _text_name(column)
    if column.required:
        yield RowFault("missing_value", f"{column.origin} is empty", f"{text} IS NULL")
    if kind := error_kind(column):
        problem = "was rounded by a spreadsheet" if column.type == "string" else f"is no {column.type}"
        yield RowFault(f"bad_{kind}", f"{column.origin} {problem}", f"{text} IS NOT NULL AND {name} IS NULL")
    if column.allowed:
        words = ", ".join(literal(word) for word in column.allowed)
        yield RowFault("not_allowed", f"{column.origin} is none of {words}", f"{name} NOT IN ({words})")
