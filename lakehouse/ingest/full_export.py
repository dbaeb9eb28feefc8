"""The guard of full exports: a file that would delete too much is set aside, until a person says that it is so.

An export that broke off, or that somebody filtered, would otherwise delete every record that it does not list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier
from lakehouse.errors import BadFile
from lakehouse.tables import datafiles

if TYPE_CHECKING:
    import duckdb

    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table


def too_much_missing(
    con: duckdb.DuckDBPyConnection, table: Table, source: Source, written: Sequence[DataFile]
) -> BadFile | None:
    """Return why a file whose rows are `written` is set aside; None where it may be loaded.

    It is compared with the file that was loaded last, as the table stands.
    """
    rule = source.full_export
    if rule is None or table.current_snapshot() is None:
        return None
    key = ", ".join(map(identifier, source.key))
    have = datafiles.read_sql(table, datafiles.paths_of_newest(table, "_loaded_at"))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE last_export AS SELECT DISTINCT {key} FROM ({have}) WHERE _file_id = "
        f"(SELECT arg_max(_file_id, (_loaded_at, _file_id)) FROM ({have}))"
    )
    count = con.execute("SELECT count(*) FROM last_export").fetchone()
    missing = count
    if written:
        now = datafiles.read_sql(table, [file.file_path for file in written])
        missing = con.execute(
            f"SELECT count(*) FROM last_export ANTI JOIN (SELECT {key} FROM ({now})) USING ({key})"
        ).fetchone()
    before, gone = (row[0] if row else 0 for row in (count, missing))
    if not before or gone / before <= rule.held_above:
        return None
    return BadFile(
        "would_delete",
        f"the file lacks {gone} of the {before} records of the one before; more than {rule.held_above:.0%} are not "
        "deleted unasked. Where they are gone indeed, replay it: `lakehouse quarantine replay --code would_delete`",
    )
