"""Rows that are not read: DuckDB's CSV reader says that there are some, and they become bad rows of the batch.

Which rows they are, and what stands in them, says `sound_rows`: DuckDB's own list names lines beside them, too. The row
numbers of those behind them are moved accordingly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading.piece import OTHER_TABLE
from lakehouse.ingest.reading.policy import RowPolicy
from lakehouse.sources import non_records

if TYPE_CHECKING:
    from lakehouse.ingest.reading.sound_rows import UnreadRow

# Behind the reason, where no text of the row is kept beside it.
WITHHELD = "; the row is withheld, since its source does not keep all that it is sent"
_STORED = "store_rejects=true, rejects_limit=0, rejects_table='rejected', rejects_scan='rejected_scans'"
_LINE_TOO_LONG = "line_too_long"
_REASONS = {
    "too_few_fields": "the row has fewer fields than it needs",
    "too_many_fields": "the row has more fields than the header",
    "bad_quoting": "a quoted field does not end, or goes on after its closing quote",
    "not_utf8": "the row is not UTF-8",
    non_records.CODE: non_records.REASON,
    OTHER_TABLE: "the row is of another table below the first one; send that as a file of its own",
}


def reader_options() -> str:
    """Return the options of `read_csv` by which it lists the rows that it leaves out, and limits its memory."""
    max_bytes = RowPolicy.max_bytes
    buffer_bytes = RowPolicy.buffered_rows * max_bytes
    return f"max_line_size={max_bytes}, buffer_size={buffer_bytes}, {_STORED}"


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the list of the last scan, also of one that failed."""
    con.execute("DROP TABLE IF EXISTS rejected; DROP TABLE IF EXISTS rejected_scans")


def are_any(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the last scan left rows out."""
    tables = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone()
    if tables == (0,):
        return False
    return con.execute("SELECT 1 FROM rejected LIMIT 1").fetchone() is not None


def count_by_code(unread: Sequence[UnreadRow]) -> dict[str, int]:
    """Return how many rows are not read, by code."""
    return dict(Counter(row.code for row in unread))


def add_to_unit(
    con: duckdb.DuckDBPyConnection, piece_number: int, unread: Sequence[UnreadRow], *, withhold: bool = False
) -> None:
    """Add the rows of a piece that are not read to `unit`, and correct the numbers of those that are.

    They come in order. `withhold` their text: nobody can tell in it what may be kept.
    """
    if not unread:
        return
    rows = pa.table(
        {
            "row_number": [row.number for row in unread],
            "ordinal": list(range(1, len(unread) + 1)),
            "code": [row.code for row in unread],
            "text": pa.array([None if withhold else row.text for row in unread], pa.string()),
        }
    )
    con.register("unread_rows", rows)
    try:
        con.execute(_renumber_sql(), [piece_number])
        con.execute(_insert_sql(withhold=withhold), [piece_number])
    finally:
        con.unregister("unread_rows")


def _renumber_sql() -> str:
    """Return the UPDATE that gives the rows of a piece the numbers they have in the file.

    The scan numbered the rows it kept 1, 2, 3…: the n-th comes after all those left out whose row number, less the
    number of those left out before it, is at most n.
    """
    return (
        "UPDATE unit SET _row = moved.row_number FROM ("
        "SELECT u.rowid AS unit_rowid, u._row + s.ordinal AS row_number FROM unit AS u ASOF JOIN "
        "(SELECT row_number - ordinal + 1 AS start, max(ordinal) AS ordinal FROM unread_rows GROUP BY 1) AS s "
        "ON u._row >= s.start WHERE u._piece = $1) AS moved WHERE unit.rowid = moved.unit_rowid"
    )


def _insert_sql(*, withhold: bool) -> str:
    """Return the INSERT of the rows that were left out, each with code, reason and, unless withheld, its text."""
    reason = "reason"
    if withhold:
        reason += f" || {literal(WITHHELD)}"
    return (
        f"INSERT INTO unit BY NAME SELECT $1 AS _piece, row_number AS _row, r.code AS _code, {reason} AS _reason, "
        f"text AS _original FROM unread_rows AS r JOIN (VALUES {_reason_values()}) AS o(code, reason) "
        "ON o.code = r.code"
    )


def _reason_values() -> str:
    """Return (code, reason) of what may be wrong with a row that is not read as rows of VALUES."""
    reasons = _REASONS | {_LINE_TOO_LONG: f"the row is longer than {RowPolicy.max_bytes >> 20} MiB"}
    return ", ".join(f"({literal(code)}, {literal(reason)})" for code, reason in reasons.items())
