"""Rows of a query into a table in one commit; an attempt that is known to have failed leaves no files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.errors import CommitConflict
from lakehouse.tables import commit, data_files
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


def replace_written(
    table: Table, written: Written, *, computed_from: dict[str, str], base: int | None
) -> Committed:
    """Do what `commit.replace_all` does with data files, and delete them when another writer was first."""
    try:
        return commit.replace_all(table, written.files, computed_from=computed_from, base=base)
    except CommitConflict:
        data_files.discard(table, written)
        raise
