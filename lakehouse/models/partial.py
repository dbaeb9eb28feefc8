"""Rows of some grains of a model in place of those that a table has of them; all others stay as they are.

Of the grains in the table `affected` of a connection, `computed` and `stored` are all rows as they are now and as the
table has them, `added` and `removed` those that differ. Files are written anew in the partitions alone that differ.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier
from lakehouse.errors import CommitConflict
from lakehouse.models import audits, file_parts
from lakehouse.models.changes import CannotTellError
from lakehouse.models.incremental import AFFECTED
from lakehouse.models.model import ByGrain
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.models.select_statement import columns_of
from lakehouse.tables import commit, content, data_files, replace_table, views
from lakehouse.tables.appending import Replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from lakehouse.models.model import Model
    from lakehouse.tables.catalog import Table


def describe(model: Model, grains: int, rows: int) -> str:
    """Return which rows are computed."""
    by = columns_of(_grain(model))
    return f"{grains} of {rows} rows" if model.contract.key == by else f"rows of {grains} ({', '.join(by)})"


def load_stored(con: duckdb.DuckDBPyConnection, table: Table, model: Model) -> int:
    """Read the rows that the table has of the affected grains; return how many."""
    sql = f"SELECT {_cells(model)} FROM ({views.scan_sql(table)}) WHERE {_by(model)} IN {AFFECTED}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE stored AS {sql}")
    return _count(con, "stored")


def compute(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Compute the rows of the affected grains, and find which differ from those that are stored."""
    tables = {
        "computed": f"SELECT {_cells(model)} FROM ({model.sql}\n) WHERE {_by(model)} IN {AFFECTED}",
        "added": "FROM computed EXCEPT ALL FROM stored",
        "removed": "FROM stored EXCEPT ALL FROM computed",
    }
    for name, sql in tables.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")


def is_same(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether no row differs."""
    return _count(con, "added") == _count(con, "removed") == 0


def failures(con: duckdb.DuckDBPyConnection, table: Table, model: Model) -> list[str]:
    """Return what is wrong with the computed rows, among themselves and beside those that stay."""
    found = audits.failures(con, "FROM computed", model)
    if model.unique_key and not set(columns_of(_grain(model))) <= set(model.contract.key):
        key = ", ".join(map(identifier, model.contract.key))
        others = f"SELECT {key} FROM ({views.scan_sql(table)}) WHERE ({_by(model)} IN {AFFECTED}) IS NOT TRUE"
        (repeated,) = con.execute(
            f"SELECT count(*) FROM computed SEMI JOIN ({others}) AS o USING ({key})"
        ).fetchall()[0]
        if repeated:
            found.append(f"{repeated} of its rows have the key ({key}) of another row")
    return found


def replace(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    model: Model,
    computed_from: dict[str, str],
    costs: Callable[[], str] = str,
) -> Replaced:
    """Commit the rows that differ: the partitions that hold them are written anew, or the files.

    `costs` gives the note of what it took, once they are written: none, where it is not named.

    CannotTellError where the table has files of another kind than we write, CommitConflict when another run was first.
    """
    changed = "FROM added UNION ALL FROM removed"
    entries = replace_table.entries_of(table, data_files.partitions(con, table, changed))
    if entries is None:
        raise CannotTellError("it has delete files, or files of other partitions")
    if 1 < len(entries) <= 2 * IncrementalPolicy.most_files and not model.contract.partition:
        entries = replace_table.entries_holding(con, table, entries, model.contract.key, "removed")
    query = "FROM added"
    if entries:
        cells = ", ".join(identifier(column.name) for column in model.contract.columns)
        kept = data_files.read_sql(table, [entry.data_file.file_path for entry in entries])
        query += (
            f" UNION ALL (SELECT {cells} FROM ({kept}) WHERE {_by(model)} IN {AFFECTED} EXCEPT ALL FROM removed)"
            f" UNION ALL SELECT {cells} FROM ({kept}) WHERE ({_by(model)} IN {AFFECTED}) IS NOT TRUE"
        )
    base = table.current_snapshot()
    digest = content.digest_after(
        con, table, commit.content(table), added="FROM added", removed="FROM removed"
    )
    rows = content.row_count(table) + _count(con, "added") - _count(con, "removed")
    part = file_parts.part_of_row(model, rows)
    written = data_files.write(con, table, query, f"model-{uuid.uuid4()}", split=part)
    try:
        committed = replace_table.replace_some(
            table,
            entries,
            written.files,
            computed_from=computed_from,
            base=base.snapshot_id if base else None,
            content=digest,
            costs=costs(),
        )
    except CommitConflict:
        data_files.discard(table, written)
        raise
    return Replaced(committed, changed=True, rows=rows)


def _cells(model: Model) -> str:
    return ", ".join(
        f"CAST({identifier(column.name)} AS {column.duck_type}) AS {identifier(column.name)}"
        for column in model.contract.columns
    )


def _grain(model: Model) -> str:
    assert isinstance(model.incremental, ByGrain)  # noqa: S101 - says so to the type checker
    return model.incremental.by


def _by(model: Model) -> str:
    """Return the expression that says of a row of the model which grain it is of."""
    return f"({_grain(model)})"


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])
