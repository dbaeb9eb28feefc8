"""Rows that DuckDB's CSV reader cannot split: it leaves them out, and tells on which line they stood.

They become bad rows of the batch, and the places of the rows behind them are moved accordingly.
"""

from __future__ import annotations

from collections import Counter

import duckdb

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading.line_ends import MAX_LINE

# Without a buffer size of its own the reader takes sixteen times the longest line, for each thread.
LIMITS = f"max_line_size={MAX_LINE}, buffer_size={4 * MAX_LINE}"
STORED = "store_rejects=true, rejects_limit=0, rejects_table='rejected', rejects_scan='rejected_scans'"
# Behind the reason, where there is no text of the row beside it.
WITHHELD = "; the row is withheld, since its source does not keep all that it is sent"
_TEXT = "ltrim(coalesce(text, ''), chr(10) || chr(13))"
_CODES = {
    "MISSING COLUMNS": ("too_few_fields", "the row has fewer fields than the header"),
    "TOO MANY COLUMNS": ("too_many_fields", "the row has more fields than the header"),
    "UNQUOTED VALUE": ("bad_quoting", "a quoted field does not end, or goes on after its closing quote"),
    "LINE SIZE OVER MAXIMUM": ("line_too_long", f"the row is longer than {MAX_LINE >> 20} MiB"),
    "INVALID ENCODING": ("not_utf8", "the row is not UTF-8"),
}


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what a scan has left, also one that failed."""
    con.execute("DROP TABLE IF EXISTS rejected; DROP TABLE IF EXISTS rejected_scans")


def counted(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many rows the last scan left out, by code; none where it kept no account."""
    there = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone()
    if there == (0,):
        return {}
    found = con.execute(
        "SELECT kind, count(*) FROM (SELECT min(CAST(error_type AS VARCHAR)) AS kind FROM rejected GROUP BY line) "
        "GROUP BY kind"
    ).fetchall()
    codes: Counter[str] = Counter()
    for kind, number in found:
        codes[_CODES.get(kind, ("unreadable_row", ""))[0]] += number
    return dict(codes)


def place(con: duckdb.DuckDBPyConnection, piece: int, header_lines: int, *, withhold: bool = False) -> None:
    """Add what the last scan left out of a piece to `unit`, and move the rows behind it to their places.

    `withhold` their text: nobody can tell in it what may be kept.

    The scan numbered the rows it kept 1, 2, 3…: the n-th stands behind all those left out whose place, less the
    number of those left out before it, is at most n.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE left_out AS "
        "SELECT line - $1 AS place, min(CAST(error_type AS VARCHAR)) AS kind, min(csv_line) AS text, "
        "row_number() OVER (ORDER BY line) AS number FROM rejected GROUP BY line",
        [header_lines],
    )
    if con.execute("SELECT count(*) FROM left_out").fetchone() == (0,):
        return
    con.execute(
        "UPDATE unit SET _row = moved.place FROM ("
        "SELECT b.rowid AS r, b._row + s.number AS place FROM unit AS b ASOF JOIN "
        "(SELECT place - number + 1 AS start, max(number) AS number FROM left_out GROUP BY 1) AS s "
        "ON b._row >= s.start WHERE b._piece = $1) AS moved WHERE unit.rowid = moved.r",
        [piece],
    )
    kinds = ", ".join(f"({', '.join(map(literal, (kind, *told)))})" for kind, told in _CODES.items())
    con.execute(
        "INSERT INTO unit BY NAME SELECT $1 AS _piece, place AS _row, coalesce(code, 'unreadable_row') AS _code, "
        f"coalesce(reason, 'the row cannot be read: ' || lower(l.kind)) || {literal(WITHHELD if withhold else '')} "
        f"AS _reason, {'NULL' if withhold else _TEXT} AS _original FROM left_out AS l "
        f"LEFT JOIN (VALUES {kinds}) AS k(kind, code, reason) ON k.kind = l.kind",
        [piece],
    )
