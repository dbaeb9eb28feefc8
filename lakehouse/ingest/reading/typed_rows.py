"""Reads a piece of a raw file into the unit: typed columns, or a code and a reason why a row is bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from lakehouse import telemetry
from lakehouse.engine.duck import WRONG_SQL
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import BadDefinition, BadFile
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.line_ends import MAX_LINE
from lakehouse.ingest.reading.minimise_sql import stored
from lakehouse.ingest.reading.scan_sql import Scan, scan
from lakehouse.ingest.reading.typing_sql import cast, kept, kind_of

if TYPE_CHECKING:
    from lakehouse.ingest.reading.hash_key import HashKey
    from lakehouse.ingest.reading.pieces import Piece
    from lakehouse.sources.definition import Source

# What the unit does not keep of a raw table's columns: it is the same for all rows of a piece, or of all of them.
LATER = ("_file_id", "_row", "_loaded_at")


def create_unit(con: duckdb.DuckDBPyConnection, source: Source, name: str = "unit") -> None:
    """Create the empty table `unit`: the raw table's columns, where a row stood, and what is wrong with it."""
    columns = ", ".join(
        f"{identifier(column.name)} {column.duck_type}"
        for column in source.contract.columns
        if column.name not in LATER
    )
    con.execute(
        f"CREATE OR REPLACE TABLE {name} ({columns}, _piece INTEGER, _row BIGINT, "
        "_code VARCHAR, _reason VARCHAR, _original VARCHAR)"
    )


def read_piece(
    con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, number: int, key: HashKey | None = None
) -> None:
    """Add the rows of a piece to `unit`, good and bad, with no more of them than the source keeps.

    `key` is needed where the source hashes. Raises BadFile when the piece cannot be read at all, BadDefinition when
    the SQL of a check cannot run.
    """
    if source.hashes and key is None:  # without one each hash were null
        raise ValueError(f"{source.table}: values are to be hashed, and no key is given")
    if piece.path is None:
        reason = f"the row is longer than {MAX_LINE >> 20} MiB; the raw file holds it"
        con.execute(
            "INSERT INTO unit BY NAME SELECT ? AS _piece, 1 AS _row, 'line_too_long' AS _code, ? AS _reason",
            [number, reason],
        )
        return
    csv_rejects.forget(con)
    if key is not None:
        key.tell(con)
    try:
        parts = scan(con, source, piece)
        con.execute(f"INSERT INTO unit BY NAME {_checked(source, parts, number)}")
    except WRONG_SQL as error:
        told = str(error).splitlines()[0]
        raise BadDefinition(f"source {source.source}/{source.entity}: a check is no SQL: {told}") from error
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    if parts.left_out:  # not which: a name may be a customer's, such as the key of an object
        telemetry.info("unknown columns left out", table=source.table, count=parts.left_out)
    if piece.layout.kind != "parquet":
        csv_rejects.place(con, number, header_lines=piece.skip, withhold=source.guarded)


def _checked(source: Source, parts: Scan, number: int) -> str:
    """Return the SELECT that types each column, names the first thing wrong with a row, and keeps what may be kept.

    What is wrong is asked of the values as they came, in `typed`: of two things with one name, an alias and a column,
    a condition means the column.
    """
    cells, casts, values, faults = [], [], [], list(parts.faults)
    for column in source.stored:
        name, text = identifier(column.name), identifier("_t_" + column.name)
        cells.append(f"{parts.texts.get(column.name, 'NULL')} AS {text}")
        value = identifier("_v_" + column.name)
        casts.append(f"{cast(column, text, column.duck_type)} AS {value}")
        values.append(f"{kept(column, value, text)} AS {name}")
        if column.required:
            faults.append(("missing_value", f"{column.origin} is empty", f"{text} IS NULL"))
        if kind := kind_of(column):
            what = "was rounded by a spreadsheet" if column.type == "string" else f"is no {column.type}"
            faults.append(
                (f"bad_{kind}", f"{column.origin} {what}", f"{text} IS NOT NULL AND {name} IS NULL")
            )
        if column.allowed:
            words = ", ".join(literal(word) for word in column.allowed)
            faults.append(("not_allowed", f"{column.origin} is none of {words}", f"{name} NOT IN ({words})"))
    faults += [(check.code, check.reason, check.when) for check in source.checks]
    code = "CASE " + " ".join(f"WHEN {when} THEN {literal(code)}" for code, _, when in faults) + " END"
    reason = "CASE " + " ".join(f"WHEN {when} THEN {literal(reason)}" for _, reason, when in faults) + " END"
    if not faults:
        code = reason = "NULL"
    results = [f"{stored(one, identifier(one.name))} AS {identifier(one.name)}" for one in source.stored]
    return (
        f"WITH scanned AS ({parts.query}), cells AS (SELECT *, {', '.join(cells)} FROM scanned), "
        f"casts AS (SELECT *, {', '.join(casts)} FROM cells), "
        f"typed AS (SELECT {parts.extra} AS extra, {', '.join(values)}, casts.* FROM casts) "
        f"SELECT extra, {', '.join(results)}, {number} AS _piece, _n AS _row, {code} AS _code, "
        f"CASE WHEN _code IS NOT NULL THEN {reason} END AS _reason, "
        f"CASE WHEN _code IS NOT NULL THEN CAST({parts.original} AS VARCHAR) END AS _original FROM typed"
    )
