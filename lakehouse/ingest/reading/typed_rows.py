"""Reads a piece of a raw file into the unit: typed columns, or a code and a reason why a row is bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import duckdb

from lakehouse import telemetry
from lakehouse.engine import ids, normal_forms
from lakehouse.engine.duck import WRONG_SQL
from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.errors import BadDefinition, BadFile
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.json_scan_sql import doubtful_json_scan, json_scan
from lakehouse.ingest.reading.json_text_sql import is_doubtful_number_sql, is_doubtful_text_sql
from lakehouse.ingest.reading.longer_rows import are_longer_rows, can_be_read_at_once
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.ingest.reading.money_sql import currency_faults, with_currencies_sql
from lakehouse.ingest.reading.non_record_sql import OTHER_HEADER
from lakehouse.ingest.reading.piece import UNREAD_PART
from lakehouse.ingest.reading.policy import RowPolicy
from lakehouse.ingest.reading.rows_within_cells import are_rows_within_cells
from lakehouse.ingest.reading.scan_sql import (
    RowFault,
    Scan,
    delimited_scan,
    log_absent_columns,
    parquet_scan,
    row_shape,
)
from lakehouse.ingest.reading.sound_parquet import sound_parquet
from lakehouse.ingest.reading.sound_rows import RowShape, SoundPiece, UnreadRow, sound_piece
from lakehouse.ingest.reading.typing_sql import DAY_TYPES, cast_sql, error_kind, known_text_sql, valid_sql
from lakehouse.sources import consent_dates, money_columns
from lakehouse.sources.part_names import logged_name, told_name

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.engine.ids import Level
    from lakehouse.engine.keyed_hash import HashKey
    from lakehouse.ingest.reading.piece import Piece, UnreadPart
    from lakehouse.sources.definition import Source, SourceColumn

_NEVER_NUMBERS = ("boolean", "date", "timestamptz")  # types of whose values none was a number in JSON
_PROBLEMS_OF_TEXT = {
    "phone": "was rounded by a spreadsheet",
    "id": "was rounded by a spreadsheet",
    "consent": "is no word that says whether somebody consented: map it in a definition of your own",
}
_REREAD = "reread"  # the code of a row that is read again before anybody sees it
# Columns of a raw table that the unit lacks: they are the same for all rows of a piece, or follow from its file.
LOAD_COLUMNS = ("_file_id", "_row", "_loaded_at")


def create_unit(con: duckdb.DuckDBPyConnection, source: Source, name: str = "unit") -> None:
    """Create the empty table `unit`: the raw table's columns, each row's number, and what is wrong with it.

    And the functions that the source's checks call, besides those that every connection has.
    """
    normal_forms.create_for(con, " ".join(check.when for check in source.checks))
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
) -> frozenset[str]:
    """Add the rows of a piece to `unit`, good and bad, with no more of them than the source keeps.

    Returns the columns of the source that the piece's header lacks: its rows say nothing of them.

    `key` is needed where the source hashes. Raises BadFile when the piece cannot be read at all, BadDefinition when
    the SQL of a check cannot run.
    """
    if source.hashes and key is None:  # without one each hash would be null
        raise ValueError(f"{source.table}: values are to be hashed, and no key is given")
    if piece.unread is not None:
        _add_unread_part(con, source, piece.unread, piece_number)
        return frozenset()
    if piece.path is None:
        _add_row_too_long(con, piece_number)
        return frozenset()
    if key is not None:
        key.set_on(con)
    unread, absent = _read_rows(con, source, piece, piece.path, piece_number)
    csv_rejects.add_to_unit(con, piece_number, unread, withhold=source.guarded)
    if piece.layout.kind == "delimited":
        _refuse_other_header(con, piece_number)
    return absent


def _read_rows(
    con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path, piece_number: int
) -> tuple[list[UnreadRow], frozenset[str]]:
    """Add the rows of a piece that can be read to `unit`, numbered from 1, and return the others.

    The columns that its header lacks come second.

    A piece of which DuckDB's reader would leave rows out is taken apart here, and what is sound in it read.
    """
    if piece.header_lines:  # the file's first piece
        log_absent_columns(source, piece, path)
    if can_be_read_at_once(piece):
        sound, absent = _read_at_once(con, source, piece, path, piece_number)
        if sound is None:
            return [], absent
    else:
        sound, absent = _take_apart(source, piece, path), frozenset[str]()
    if sound.piece.path is not None:
        absent = _insert_rows(con, source, sound.piece, sound.piece.path, piece_number)
    if piece.layout.kind != "parquet" and csv_rejects.are_any(con):
        raise BadFile("unreadable_file", "the reader left out rows in which nothing is wrong")
    return sound.unread, absent


def _read_at_once(
    con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path, piece_number: int
) -> tuple[SoundPiece | None, frozenset[str]]:
    """Add all rows of a piece to `unit`; where the reader cannot, add none, and return what is sound in it.

    The columns that its header lacks come second.
    """
    try:
        absent = _insert_rows(con, source, piece, path, piece_number)
    except BadFile as error:
        if piece.layout.kind == "parquet" and isinstance(error.__cause__, duckdb.Error):
            return sound_parquet(piece, path), frozenset()
        raise
    if piece.layout.kind == "parquet" or not _is_misread(con, piece, path, piece_number):
        return None, absent
    con.execute("DELETE FROM unit WHERE _piece = ?", [piece_number])
    return _take_apart(source, piece, path), absent


def _is_misread(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, piece_number: int) -> bool:
    """Return whether the reader left rows of text out, or made others of them than the file has."""
    if csv_rejects.are_any(con):
        return True
    counted = con.execute("SELECT count(*) FROM unit WHERE _piece = ?", [piece_number]).fetchone()
    rows = counted[0] if counted else 0
    return are_longer_rows(con, piece, path, rows) or are_rows_within_cells(con, piece, path, rows)


def _take_apart(source: Source, piece: Piece, path: Path) -> SoundPiece:
    shape = row_shape(source, piece) if piece.layout.kind == "delimited" else RowShape()
    return sound_piece(piece, path, shape)


def _insert_rows(
    con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path, piece_number: int
) -> frozenset[str]:
    """Add the rows that DuckDB's reader finds in a file to `unit`; return the columns that its header lacks."""
    csv_rejects.clear(con)
    try:
        scan = _scan(con, source, piece, path)
        con.execute(f"INSERT INTO unit BY NAME {typed_rows_sql(source, scan, piece_number)}")
        if scan.reread is not None:
            _read_again(con, source, piece_number, path)
    except WRONG_SQL as error:
        message = str(error).splitlines()[0]
        raise BadDefinition(
            f"source {source.source}/{source.entity}: a check is no SQL: {message}"
        ) from error
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    if scan.left_out:  # not which: a name may be a customer's, such as the key of an object
        telemetry.info("unknown columns left out", table=source.table, count=scan.left_out)
    return frozenset(scan.absent)


def _refuse_other_header(con: duckdb.DuckDBPyConnection, piece_number: int) -> None:
    """Raise BadFile where a row of the piece names columns in another order: those behind it may be in that, too."""
    found = con.execute(
        "SELECT min(_row) FROM unit WHERE _piece = ? AND _code = ?", [piece_number, OTHER_HEADER]
    ).fetchone()
    if found and found[0] is not None:
        reason = (
            "a row below the header names the columns in another order, so that the rows behind it would be read "
            "wrongly; send each table as a file of its own"
        )
        raise BadFile("several_headers", reason)


def _add_unread_part(
    con: duckdb.DuckDBPyConnection, source: Source, unread: UnreadPart, piece_number: int
) -> None:
    """Add a part that is not read as row 0 of it."""
    con.execute(
        "INSERT INTO unit BY NAME SELECT ? AS _piece, 0 AS _row, ? AS _code, ? AS _reason, ? AS _original",
        [piece_number, UNREAD_PART, f"{told_name(unread.name)}: {unread.reason}", unread.name],
    )
    telemetry.warn("part of a file not read", table=source.table, reason=logged_name(unread.name))


def _read_again(con: duckdb.DuckDBPyConnection, source: Source, piece_number: int, path: Path) -> None:
    """Read the lines of a piece that are to be read in another way, if there are any."""
    of_piece = f"_piece = {piece_number} AND _code = {literal(_REREAD)}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE reread AS SELECT _row FROM unit WHERE {of_piece}")
    if con.execute("SELECT 1 FROM reread LIMIT 1").fetchone() is None:
        return
    con.execute(f"DELETE FROM unit WHERE {of_piece}")
    csv_rejects.clear(con)  # the same ones come again
    again = doubtful_json_scan(source, path, "SELECT _row FROM reread")
    con.execute(f"INSERT INTO unit BY NAME {typed_rows_sql(source, again, piece_number)}")


def _reread_condition(source: Source, line_condition: str) -> str:
    """Return the condition that a row is read again: for its line, or for a value that may be another number's."""
    conditions = [line_condition]
    for column in source.stored:
        if column.json_type is not None or column.type in _NEVER_NUMBERS:
            continue
        is_doubtful = is_doubtful_text_sql if column.type == "string" else is_doubtful_number_sql
        conditions.append(is_doubtful(_text_name(column)))
    return " OR ".join(conditions)


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
    that reads as, `typed` the value that a column may hold, under the column's name, and `sums` the same with the
    currencies that amounts name. What is wrong is asked of the values as they came, in `sums`: of two things with one
    name, an alias and a column, a condition means the column.
    """
    return (
        f"WITH scanned AS ({scan.query}), "
        f"texts AS ({_texts_sql(source, scan)}), "
        f"casts AS ({_casts_sql(source)}), "
        f"typed AS ({_typed_sql(source, scan)}), "
        f"sums AS ({_sums_sql(source)}) "
        f"{_result_sql(source, scan, piece_number)}"
    )


def _text_name(column: SourceColumn) -> str:
    return identifier(f"_t_{column.name}")


def _cast_name(column: SourceColumn) -> str:
    return identifier(f"_v_{column.name}")


def _texts_sql(source: Source, scan: Scan) -> str:
    texts = [f"{scan.texts.get(column.name, 'NULL')} AS {_text_name(column)}" for column in source.stored]
    known = [
        f"{known_text_sql(column, _text_name(column))} AS {_text_name(column)}"
        for column in source.stored
        if column.type in DAY_TYPES and not column.required
    ]
    read = f"SELECT *, {', '.join(texts)} FROM scanned"
    return f"SELECT * REPLACE ({', '.join(known)}) FROM ({read})" if known else read


def _casts_sql(source: Source) -> str:
    casts = [
        f"{cast_sql(column, _text_name(column), source.time_zone)} AS {_cast_name(column)}"
        for column in source.stored
    ]
    return f"SELECT *, {', '.join(casts)} FROM texts"


def _typed_sql(source: Source, scan: Scan) -> str:
    values = []
    for column in source.stored:
        value = valid_sql(column, _cast_name(column), _text_name(column))
        if column.hashed and column.name in source.ids:  # nobody can tell a placeholder by its hash
            value = ids.id_or_null_sql(value, source.ids[column.name].level)
        values.append(f"{value} AS {identifier(column.name)}")
    return f"SELECT {scan.extra} AS extra, {', '.join(values)}, casts.* FROM casts"


def _sums_sql(source: Source) -> str:
    money = money_columns.find(source)
    if not money:
        return "FROM typed"
    names = {each.name for each in money}
    texts = {column.name: _text_name(column) for column in source.stored if column.name in names}
    return with_currencies_sql("typed", money, texts, source.time_zone)


def _result_sql(source: Source, scan: Scan, piece_number: int) -> str:
    """Return the SELECT of the unit's columns: what is stored of each value, and what is wrong with the row."""
    faults = list(row_faults(source, scan))
    stored = []
    for column in source.stored:
        name = identifier(column.name)
        stored.append(f"{stored_sql(column, name)} AS {name}")
    codes, reasons = (literals([getattr(fault, name) for fault in faults]) for name in ("code", "reason"))
    return (  # the fault as a column of a query below, since an alias would be computed wherever it stands
        f"SELECT extra, {', '.join(stored)}, {piece_number} AS _piece, _n AS _row, "
        f"({codes})[_fault] AS _code, ({reasons})[_fault] AS _reason, "
        f"CASE WHEN _fault IS NOT NULL THEN CAST({scan.original} AS VARCHAR) END AS _original "
        f"FROM (SELECT *, {_first_fault_sql(faults)} AS _fault FROM sums)"
    )


def _first_fault_sql(faults: Sequence[RowFault]) -> str:
    """Return the SQL of the number, from 1, of the first fault that a row has; null where it has none."""
    if not faults:
        return "CAST(NULL AS INTEGER)"
    cases = (f"WHEN {fault.condition_sql} THEN {number}" for number, fault in enumerate(faults, start=1))
    return f"CASE {' '.join(cases)} END"


def row_faults(source: Source, scan: Scan) -> Iterator[RowFault]:
    """Yield what may be wrong with a row, in the order in which it is asked: line, columns, the source's checks."""
    if scan.reread is not None:
        yield RowFault(_REREAD, "", _reread_condition(source, scan.reread))
    yield from scan.faults
    refusals = consent_dates.find(source)
    for column in source.stored:
        found = source.ids.get(column.name)
        if found is None:
            yield from _column_faults(column, unless=refusals.get(column.name))
        else:
            yield from _id_faults(source, column, found.level)
    origins = {column.name: column.origin for column in source.stored}
    yield from currency_faults(money_columns.find(source), origins, source.time_zone)
    for check in source.checks:
        yield RowFault(check.code, check.reason, check.when)


def _id_faults(source: Source, column: SourceColumn, level: Level) -> Iterator[RowFault]:
    """Yield what may be wrong with an id: it was rounded; where there must be one, there is none, or a placeholder."""
    name, text = identifier(column.name), _text_name(column)
    is_rounded = ids.is_rounded_sql(name, text)
    yield RowFault("bad_id", f"{column.origin} was rounded by a spreadsheet", is_rounded)
    if column.required or source.key == (column.name,):
        yield RowFault("missing_value", f"{column.origin} is empty", f"{text} IS NULL")
        is_placeholder = f"coalesce({ids.is_no_id_sql(name, level)}, true)"
        yield RowFault(
            "missing_value", f"{column.origin} holds a placeholder in place of an id", is_placeholder
        )
    yield from _allowed_faults(column)


def _column_faults(column: SourceColumn, *, unless: str | None) -> Iterator[RowFault]:
    """Yield what may be wrong with a value. One that cannot be read is none where the condition `unless` holds."""
    name, text = identifier(column.name), _text_name(column)
    if column.required:
        yield RowFault("missing_value", f"{column.origin} is empty", f"{text} IS NULL")
    if kind := error_kind(column):
        problem = _PROBLEMS_OF_TEXT.get(kind, f"is no {column.type}")
        is_unreadable = f"{text} IS NOT NULL AND {name} IS NULL"
        condition = is_unreadable if unless is None else f"{is_unreadable} AND NOT ({unless})"
        yield RowFault(f"bad_{kind}", f"{column.origin} {problem}", condition)
    yield from _allowed_faults(column)


def _allowed_faults(column: SourceColumn) -> Iterator[RowFault]:
    if column.allowed:
        words = ", ".join(literal(word) for word in column.allowed)
        condition = f"{identifier(column.name)} NOT IN [{words}]"
        yield RowFault("not_allowed", f"{column.origin} is none of {words}", condition)
