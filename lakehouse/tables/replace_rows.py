"""Replaces some rows of a table by others: only the files that hold a row that differs are written anew."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lakehouse.batching import batches
from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.errors import CommitConflict
from lakehouse.tables import appending, commit, content, data_files, replace_table, views
from lakehouse.tables.appending import Replaced
from lakehouse.tables.policy import RowReplacePolicy
from lakehouse.tables.replace_files import replace_some

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

_FILE = "_file_of_row"
_WENT = "replaced_went"  # temp table: rows that may go, each with its file
_COME = "replaced_come"  # temp table: rows that may come
_DIFFERING = "replaced_keys"  # temp table: keys of which other rows come than go
_GONE = "replaced_gone"  # temp table: those of them whose rows go
_PLACED = "replaced_placed"  # temp table: rows that come, each with the file that it goes to
_VECTOR: Final = 2_048  # rows that DuckDB handles at once: a row group is a multiple of it


@dataclass(frozen=True)
class RowChange:
    """Rows that go and rows that come, of a table without partitions.

    Of the table those go whose `key` columns are those of a row of the relation `gone`; `come` is the SELECT of the
    others. `attempt` names the folder of the data files. `held`, where the caller has read them, is a relation of the
    rows that go, each with the name of its file (`views.scan_with_files_sql`); it may hold others.
    """

    key: tuple[str, ...]
    gone: str
    come: str
    attempt: str
    held: str | None = None

    @property
    def keys(self) -> str:
        """Return the key columns, escaped."""
        return ", ".join(map(identifier, self.key))


def replace_rows(
    con: duckdb.DuckDBPyConnection, table: Table, change: RowChange, *, computed_from: dict[str, str]
) -> Replaced:
    """Replace rows, and note what the table's rows were computed from; what is equal is only noted.

    Of the keys those count of which other rows come than go: a caller may name far more than it has changed. The table
    is read once, of what is named, and files are written anew that hold a row that goes; all of them, in the table's
    order, where a file is far larger than `RowReplacePolicy.file_rows`.
    The change was planned with `table` as it was loaded: raises CommitConflict when it has changed since.
    """
    files = commit.live_files(table)
    if not files and (commit.inputs(table) != computed_from or _has_rows(con, change.come)):
        return _replace_all(con, table, change, computed_from)
    if not files:
        return Replaced(_note(table, computed_from), changed=False, rows=0)
    if not _find_differing(con, table, change):
        return Replaced(_note(table, computed_from), changed=False, rows=_rows(files))
    return _replace_some(con, table, _to_rewrite(con, files, change), change, computed_from)


def _note(table: Table, computed_from: dict[str, str]) -> commit.Committed:
    """Note what the rows are computed from; where that is noted already nothing is committed."""
    snapshot = table.current_snapshot()
    assert snapshot is not None  # noqa: S101 - it has files, or inputs
    if commit.inputs(table) == computed_from:
        return commit.Committed(".".join(table.name()), snapshot.snapshot_id)
    return replace_table.note_inputs(table, computed_from=computed_from, base=snapshot.snapshot_id)


def _replace_all(
    con: duckdb.DuckDBPyConnection, table: Table, change: RowChange, computed_from: dict[str, str]
) -> Replaced:
    return appending.replace_query(
        con,
        table,
        change.come,
        change.attempt,
        computed_from=computed_from,
        file_rows=RowReplacePolicy.file_rows,
    )


def _replace_some(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rewritten: Sequence[DataFile],
    change: RowChange,
    computed_from: Mapping[str, str],
) -> Replaced:
    """Write these files anew with the rows that come, a few at a time: to sort all at once takes memory."""
    base = table.current_snapshot()
    assert base is not None  # noqa: S101 - it has files
    went = f"SELECT * EXCLUDE ({_FILE}) FROM {_WENT} SEMI JOIN {_DIFFERING} USING ({change.keys})"
    come = f"SELECT * FROM {_COME} SEMI JOIN {_DIFFERING} USING ({change.keys})"
    in_order = _place(con, table, rewritten, change)
    at_once = len(rewritten) if _is_uncut(rewritten) else RowReplacePolicy.files_at_once
    written = data_files.Written([])
    for number, group in enumerate(batches(in_order, count=at_once)):
        held = data_files.read_sql(table, (file.file_path for file in group))
        there = f"WHERE list_contains({literals(_names(group))}, {_FILE})"
        placed = f"SELECT * EXCLUDE ({_FILE}) FROM {_PLACED} {there}"
        query = f"SELECT * FROM ({held}) ANTI JOIN {_GONE} USING ({change.keys}) UNION ALL BY NAME {placed}"
        gone = f"FROM {_WENT} SEMI JOIN {_DIFFERING} USING ({change.keys}) {there}"
        split = _rows_a_file(group, _rows(group) - _count(con, gone) + _count(con, placed))
        part = data_files.write(con, table, query, f"{change.attempt}-{number}", split=split)
        written.files.extend(part.files)
    digest = content.digest_after(con, table, commit.content(table), added=come, removed=went)
    noted = {commit.INPUTS: json.dumps(dict(computed_from), sort_keys=True)}
    try:
        committed = replace_some(
            table,
            rewritten,
            written.files,
            noted=noted | ({commit.CONTENT: digest} if digest else {}),
            base=base.snapshot_id,
        )
    except CommitConflict:
        data_files.discard(table, written)
        raise
    return Replaced(committed, changed=True, rows=_rows(commit.live_files(table)))


def _place(
    con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile], change: RowChange
) -> list[DataFile]:
    """Make the table of rows that come, each with the file that it goes to; return the files in their order.

    It is the file of the row that goes next before it, in the table's order: so what changes stays where it was, and
    what is new stands among its like. Where none goes it is the first of the files.
    """
    order = ", ".join(data_files.order(table) or [change.keys])
    marks = f"SELECT * FROM {_WENT} SEMI JOIN {_DIFFERING} USING ({change.keys})"
    rows = f"SELECT *, NULL AS {_FILE} FROM {_COME} SEMI JOIN {_DIFFERING} USING ({change.keys})"
    before = f"last_value({_FILE} IGNORE NULLS) OVER (ORDER BY {order}, {_FILE} NULLS LAST)"
    [first, *_] = _names(files)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_PLACED} AS SELECT * EXCLUDE (_before) "
        f"REPLACE (coalesce(_before, {literal(first)}) AS {_FILE}) FROM (SELECT *, {before} AS _before "
        f"FROM ({marks} UNION ALL BY NAME {rows})) WHERE {_FILE} IS NULL"
    )
    found = con.execute(
        f"SELECT {_FILE} FROM (SELECT DISTINCT ON ({_FILE}) * FROM ({marks}) ORDER BY {order}) ORDER BY {order}"
    ).fetchall()
    places = {name: place for place, (name,) in enumerate(found)}
    return sorted(files, key=lambda file: places.get(data_files.plain_path(file.file_path), -1))


def _names(files: Sequence[DataFile]) -> list[str]:
    """Return the files as DuckDB names them."""
    return [data_files.plain_path(file.file_path) for file in files]


def _rows_a_file(files: Sequence[DataFile], rows: int) -> int:
    """Return how many of these rows a file gets, so that no small rest becomes a file of its own."""
    file_rows = min(RowReplacePolicy.file_rows, RowReplacePolicy.file_bytes * _rows(files) // _bytes(files))
    file_rows = max(file_rows, _VECTOR)
    parts = max(1, rows // file_rows)
    return max(1, math.ceil(rows / parts / _VECTOR)) * _VECTOR


def _find_differing(con: duckdb.DuckDBPyConnection, table: Table, change: RowChange) -> bool:
    """Make the tables of rows that may go and come, and of keys of which they differ; return if there are any."""
    names = ", ".join(identifier(field.name) for field in table.schema().fields)
    columns = ", ".join(
        f"CAST({identifier(field.name)} AS {data_files.duck_type(field.field_type)}) AS {identifier(field.name)}"
        for field in table.schema().fields
    )
    file = f"regexp_replace(filename, '^file://', '') AS {_FILE}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_WENT} AS SELECT {columns}, {file} "
        f"FROM {change.held or views.scan(table)} SEMI JOIN {change.gone} USING ({change.keys})"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_COME} AS SELECT {columns} FROM ({change.come})")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_DIFFERING} AS SELECT DISTINCT {change.keys} FROM (SELECT {names} FROM ("
        f"SELECT {names}, -1 AS _times FROM {_WENT} UNION ALL SELECT {names}, 1 FROM {_COME}) "
        "GROUP BY ALL HAVING sum(_times) <> 0)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_GONE} AS SELECT DISTINCT {change.keys} FROM {change.gone} "
        f"SEMI JOIN {_DIFFERING} USING ({change.keys})"
    )
    return _has_rows(con, f"SELECT * FROM {_DIFFERING}")


def _to_rewrite(
    con: duckdb.DuckDBPyConnection, files: Sequence[DataFile], change: RowChange
) -> Sequence[DataFile]:
    """Return the files that hold a row that goes; where none does, the smallest, for what comes; or all of them."""
    query = f"SELECT DISTINCT {_FILE} FROM {_WENT} SEMI JOIN {_DIFFERING} USING ({change.keys})"
    found = {row[0] for row in con.execute(query).fetchall()}
    if found.difference(_names(files)):
        raise CommitConflict("rows that go were read of another snapshot than the table's; look again")
    affected = [file for file in files if data_files.plain_path(file.file_path) in found]
    rewritten = affected or [min(files, key=lambda file: (file.record_count, file.file_path))]
    return files if _is_uncut(files) else rewritten


def _is_uncut(files: Sequence[DataFile]) -> bool:
    """Return whether one of the files is far larger than the table's files should be."""
    largest = max(file.record_count for file in files)
    return largest > RowReplacePolicy.largest_file * _rows_a_file(files, _rows(files))


def _has_rows(con: duckdb.DuckDBPyConnection, query: str) -> bool:
    return con.execute(f"SELECT 1 FROM ({query}) LIMIT 1").fetchone() is not None


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(f"SELECT count(*) FROM ({query})").fetchone()
    return int(row[0]) if row else 0


def _bytes(files: Sequence[DataFile]) -> int:
    return sum(file.file_size_in_bytes for file in files)


def _rows(files: Sequence[DataFile]) -> int:
    return sum(file.record_count for file in files)
