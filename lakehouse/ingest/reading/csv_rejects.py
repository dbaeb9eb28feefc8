"""Rows that DuckDB's CSV reader cannot split: it leaves them out, and lists on which line each stood.

They become bad rows of the batch, and the row numbers of those behind them are moved accordingly.
"""

from __future__ import annotations

from collections import Counter

import duckdb

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading.policy import RowPolicy

# Behind the reason, where no text of the row is kept beside it.
WITHHELD = "; the row is withheld, since its source does not keep all that it is sent"
_STORED = "store_rejects=true, rejects_limit=0, rejects_table='rejected', rejects_scan='rejected_scans'"
_TEXT = "ltrim(coalesce(text, ''), chr(10) || chr(13))"
_UNKNOWN_CODE = "unreadable_row"
_LINE_TOO_LONG = "line_too_long"
_OUTCOMES = {  # code and reason, by what DuckDB calls the error
    "MISSING COLUMNS": ("too_few_fields", "the row has fewer fields than the header"),
    "TOO MANY COLUMNS": ("too_many_fields", "the row has more fields than the header"),
    "UNQUOTED VALUE": ("bad_quoting", "a quoted field does not end, or goes on after its closing quote"),
    "LINE SIZE OVER MAXIMUM": (_LINE_TOO_LONG, ""),  # its reason quotes the limit
    "INVALID ENCODING": ("not_utf8", "the row is not UTF-8"),
}


def reader_options() -> str:
    """Return the options of `read_csv` by which it lists the rows that it leaves out, and limits its memory."""
    max_bytes = RowPolicy.max_bytes
    buffer_bytes = RowPolicy.buffered_rows * max_bytes
    return f"max_line_size={max_bytes}, buffer_size={buffer_bytes}, {_STORED}"


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the list of the last scan, also of one that failed."""
    con.execute("DROP TABLE IF EXISTS rejected; DROP TABLE IF EXISTS rejected_scans")


def count_by_code(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many rows the last scan left out, by code; none where it made no list."""
    tables = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone()
    if tables == (0,):
        return {}
    counts = con.execute(
        "SELECT kind, count(*) FROM (SELECT min(CAST(error_type AS VARCHAR)) AS kind FROM rejected GROUP BY line) "
        "GROUP BY kind"
    ).fetchall()
    by_code: Counter[str] = Counter()
    for kind, count in counts:
        code, _ = _OUTCOMES.get(kind, (_UNKNOWN_CODE, ""))
        by_code[code] += count
    return dict(by_code)


def add_to_unit(
    con: duckdb.DuckDBPyConnection, piece_number: int, header_lines: int, *, withhold: bool = False
) -> None:
    """Add what the last scan left out of a piece to `unit`, and correct the row numbers of those behind.

    `withhold` their text: nobody can tell in it what may be kept.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE rejected_rows AS "
        "SELECT line - $1 AS row_number, min(CAST(error_type AS VARCHAR)) AS kind, min(csv_line) AS text, "
        "row_number() OVER (ORDER BY line) AS ordinal FROM rejected GROUP BY line",
        [header_lines],
    )
    if con.execute("SELECT count(*) FROM rejected_rows").fetchone() == (0,):
        return
    con.execute(_renumber_sql(), [piece_number])
    con.execute(_insert_sql(withhold=withhold), [piece_number])


def _renumber_sql() -> str:
    """Return the UPDATE that gives the rows of a piece the numbers they have in the file.

    The scan numbered the rows it kept 1, 2, 3…: the n-th comes after all those left out whose row number, less the
    number of those left out before it, is at most n.
    """
    return (
        "UPDATE unit SET _row = moved.row_number FROM ("
        "SELECT u.rowid AS unit_rowid, u._row + s.ordinal AS row_number FROM unit AS u ASOF JOIN "
        "(SELECT row_number - ordinal + 1 AS start, max(ordinal) AS ordinal FROM rejected_rows GROUP BY 1) AS s "
        "ON u._row >= s.start WHERE u._piece = $1) AS moved WHERE unit.rowid = moved.unit_rowid"
    )


def _insert_sql(*, withhold: bool) -> str:
    """Return the INSERT of the rows that were left out, each with code, reason and, unless withheld, its text."""
    reason = "coalesce(reason, 'the row cannot be read: ' || lower(r.kind))"
    if withhold:
        reason += f" || {literal(WITHHELD)}"
    original = "NULL" if withhold else _TEXT
    return (
        "INSERT INTO unit BY NAME SELECT $1 AS _piece, row_number AS _row, "
        f"coalesce(code, {literal(_UNKNOWN_CODE)}) AS _code, {reason} AS _reason, {original} AS _original "
        f"FROM rejected_rows AS r LEFT JOIN (VALUES {_outcome_values()}) AS o(kind, code, reason) ON o.kind = r.kind"
    )


def _outcome_values() -> str:
    """Return (kind, code, reason) of each error that DuckDB knows as rows of VALUES."""
    rows = []
    for kind, (code, fixed_reason) in _OUTCOMES.items():
        reason = _too_long() if code == _LINE_TOO_LONG else fixed_reason
        rows.append(f"({literal(kind)}, {literal(code)}, {literal(reason)})")
    return ", ".join(rows)


def _too_long() -> str:
    return f"the row is longer than {RowPolicy.max_bytes >> 20} MiB"
