"""Replaces some rows of a table by others: only the files that hold one of them are written anew."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier
from lakehouse.errors import CommitConflict
from lakehouse.tables import appending, commit, content, data_files, replace_table
from lakehouse.tables.appending import Replaced
from lakehouse.tables.data_files import Written
from lakehouse.tables.policy import RowReplacePolicy
from lakehouse.tables.replace_files import replace_some

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

_FILE = "_file_of_row"


@dataclass(frozen=True)
class RowChange:
    """Rows that go and rows that come, of a table without partitions.

    Of the table those go whose `key` columns are those of a row of the relation `gone`; `come` is the SELECT of the
    others. `attempt` names the folder of the data files.
    """

    key: tuple[str, ...]
    gone: str
    come: str
    attempt: str

    def which(self, how: str) -> str:
        """Return a join that keeps rows that go (SEMI) or stay (ANTI)."""
        return f"{how} JOIN {self.gone} USING ({', '.join(map(identifier, self.key))})"


def replace_rows(
    con: duckdb.DuckDBPyConnection, table: Table, change: RowChange, *, computed_from: dict[str, str]
) -> Replaced:
    """Replace rows, and note what the table's rows were computed from; what is equal is only noted.

    All files are written anew, of about `RowReplacePolicy.file_bytes`, where most of them hold rows that go, or there
    is but one. The change was planned with `table` as it was loaded: raises CommitConflict when it has changed since.
    """
    files = commit.live_files(table)
    if not files:
        return _replace_all(con, table, change.come, change, computed_from)
    held = data_files.read_sql(table, (file.file_path for file in files))
    if _is_nothing(con, table, held, change):
        snapshot = table.current_snapshot()
        base = snapshot.snapshot_id if snapshot else None
        noted = replace_table.note_inputs(table, computed_from=computed_from, base=base)
        return Replaced(noted, changed=False, rows=_rows(files))
    affected = _affected(con, table, files, change)
    target = min(affected or files, key=lambda file: (file.record_count, file.file_path))
    rewritten = affected or [target]
    if _rows(rewritten) > RowReplacePolicy.largest_share * _rows(files):
        stays = f"SELECT * FROM ({held}) {change.which('ANTI')} UNION ALL BY NAME {change.come}"
        return _replace_all(con, table, stays, change, computed_from)
    return _replace_some(con, table, rewritten, target, change, computed_from)


def _replace_all(
    con: duckdb.DuckDBPyConnection, table: Table, query: str, change: RowChange, computed_from: dict[str, str]
) -> Replaced:
    return appending.replace_query(
        con, table, query, change.attempt, computed_from=computed_from, file_bytes=RowReplacePolicy.file_bytes
    )


def _replace_some(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rewritten: Sequence[DataFile],
    target: DataFile,
    change: RowChange,
    computed_from: Mapping[str, str],
) -> Replaced:
    """Write these files anew, one for one, the rows that come into the place of `target`."""
    base = table.current_snapshot()
    assert base is not None  # noqa: S101 - it has files
    written: list[DataFile] = []
    for number, file in enumerate(rewritten):
        query = f"SELECT * FROM ({data_files.read_sql(table, [file.file_path])}) {change.which('ANTI')}"
        if file is target:
            query += f" UNION ALL BY NAME {change.come}"
        written += data_files.write(con, table, query, f"{change.attempt}-{number}").files
    went, came = (
        data_files.read_sql(table, (file.file_path for file in files)) if files else ""
        for files in (rewritten, written)
    )
    rows = content.digest_after(con, table, commit.content(table), added=came, removed=went)
    noted = {commit.INPUTS: json.dumps(dict(computed_from), sort_keys=True)}
    try:
        committed = replace_some(
            table,
            rewritten,
            written,
            noted=noted | ({commit.CONTENT: rows} if rows else {}),
            base=base.snapshot_id,
        )
    except CommitConflict:
        data_files.discard(table, Written(written))
        raise
    return Replaced(committed, changed=True, rows=_rows(commit.live_files(table)))


def _is_nothing(con: duckdb.DuckDBPyConnection, table: Table, held: str, change: RowChange) -> bool:
    """Return whether the rows that come are those that go."""
    columns = ", ".join(
        f"CAST({identifier(field.name)} AS {data_files.duck_type(field.field_type)}) AS {identifier(field.name)}"
        for field in table.schema().fields
    )
    gone = f"SELECT {columns} FROM ({held}) {change.which('SEMI')}"
    come = f"SELECT {columns} FROM ({change.come})"
    differing = f"({gone} EXCEPT ALL {come}) UNION ALL ({come} EXCEPT ALL {gone})"
    return con.execute(f"SELECT count(*) FROM ({differing})").fetchone() == (0,)


def _affected(
    con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile], change: RowChange
) -> list[DataFile]:
    """Return the files that hold a row that goes."""
    by_path = {_plain(file.file_path): file for file in files}
    key = ", ".join(map(identifier, (*change.key, _FILE)))
    held = data_files.read_sql(table, (file.file_path for file in files), file_column=_FILE)
    query = f"SELECT DISTINCT {identifier(_FILE)} FROM (SELECT {key} FROM ({held})) {change.which('SEMI')}"
    found = {_plain(row[0]) for row in con.execute(query).fetchall()}
    return [by_path[path] for path in sorted(found)]


def _plain(path: str) -> str:
    """Return a path as DuckDB and the table's metadata both write it: DuckDB leaves the scheme of a local one out."""
    return path.removeprefix("file://")


def _rows(files: Sequence[DataFile]) -> int:
    return sum(file.record_count for file in files)
