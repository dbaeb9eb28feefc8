"""Rows of a query into a table in one commit; an attempt that is known to have failed leaves no files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import CommitConflict
from lakehouse.tables import commit, content, data_files, replace_table
from lakehouse.tables.commit import AlreadyCommittedError, Committed
from lakehouse.tables.data_files import Written

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.table import Table


def append_query(con: duckdb.DuckDBPyConnection, table: Table, query: str, attempt: str) -> int:
    """Append the rows of `query` exclusively and return how many; no rows, no commit.

    `query` was planned with `table` as it was loaded: raises CommitConflict when rows were added meanwhile. `attempt`
    names the folder of the data files. After an unknown outcome they stay.
    """
    written = data_files.write(con, table, query, attempt)
    if written.files:
        append_written(table, written, exclusive=True)
    return written.rows


def append_written(table: Table, written: Written, **how: Any) -> Committed:
    """Do what `commit.append` does with data files, and delete them when it is known not to have taken effect.

    Raises what that raises.
    """
    try:
        return commit.append(table, written.files, **how)
    except (AlreadyCommittedError, CommitConflict):
        data_files.discard(table, written)
        raise


@dataclass(frozen=True)
class Replaced:
    """The commit of a replacement, whether the table holds other rows since, and how many it holds."""

    committed: Committed
    changed: bool
    rows: int


def replace_query(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    query: str,
    attempt: str,
    *,
    computed_from: dict[str, str],
    file_rows: int = 0,
) -> Replaced:
    """Replace what a table holds by the rows of `query`; see `replace_written`, and `data_files.write`.

    `query` was planned with `table` as it was loaded: raises CommitConflict when it has changed since.
    """
    base = table.current_snapshot()
    written = data_files.write(con, table, query, attempt, split=file_rows)
    base_id = base.snapshot_id if base else None
    return replace_written(con, table, written, computed_from=computed_from, base=base_id)


def replace_written(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    written: Written,
    *,
    computed_from: dict[str, str],
    base: int | None,
    costs: str = "",
) -> Replaced:
    """Do what `replace_table.replace_all` does with data files, and delete them when another writer was first.

    Of rows that the table holds already the files are deleted, and only what they were computed from is noted: the
    head does not move, and whoever reads the table has nothing to do.
    """
    rows = content.digest(con, table, written) if computed_from else ""
    if rows and rows == commit.content(table):
        data_files.discard(table, written)
        noted = replace_table.note_inputs(table, computed_from=computed_from, base=base, costs=costs)
        return Replaced(noted, changed=False, rows=written.rows)
    try:
        replaced = replace_table.replace_all(
            table, written.files, computed_from=computed_from, base=base, content=rows, costs=costs
        )
    except CommitConflict:
        data_files.discard(table, written)
        raise
    return Replaced(replaced, changed=True, rows=written.rows)
