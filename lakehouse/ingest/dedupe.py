"""One row a message: what a batch repeats of itself, or of the arrivals of the last days, is counted, not loaded.

The cost follows the arrivals in the window: only data files whose `_loaded_at` reaches into it are read, and of
them one column. The commit that follows is exclusive, so a concurrent batch cannot slip the same message in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literals
from lakehouse.tables import datafiles

if TYPE_CHECKING:
    import duckdb

    from lakehouse.sources.definition import Dedupe
    from lakehouse.tables.catalog import Table


def drop_duplicates(
    con: duckdb.DuckDBPyConnection, table: Table, rule: Dedupe, now: datetime
) -> dict[str, int]:
    """Delete from `batch` the good rows that are there already; return how many by file id.

    Of equal ones within the batch the first by (file id, row) stays.
    """
    column = identifier(rule.column)
    cutoff = now - timedelta(days=rule.days)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT rowid AS r, _file_id FROM batch WHERE _code IS NULL "
        f"QUALIFY row_number() OVER (PARTITION BY {column} ORDER BY _file_id, _row) > 1"
    )
    if table.current_snapshot() is not None:
        paths = datafiles.paths_since(table, "_loaded_at", cutoff)
        if paths:
            con.execute(
                f"INSERT INTO repeated SELECT rowid, _file_id FROM batch WHERE _code IS NULL AND {column} IN "
                f"(SELECT {column} FROM read_parquet({literals(paths)}) WHERE _loaded_at >= ?)",
                [cutoff],
            )
    counts = con.execute("SELECT _file_id, count(DISTINCT r) FROM repeated GROUP BY 1").fetchall()
    con.execute("DELETE FROM batch WHERE rowid IN (SELECT r FROM repeated)")
    return dict(counts)
