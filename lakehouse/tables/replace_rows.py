"""Replaces some rows of a table by others: only the files that hold a row that differs are written anew."""

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
_DIFFERING = "replaced_keys"  # temp table: keys of which other rows come than go
_GONE = "replaced_gone"  # temp table: those of them whose rows go


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

    Of the keys those count of which other rows come than go: a caller may name far more than it has changed. All files
    are written anew, of about `RowReplacePolicy.file_bytes`, where most of them hold rows that go, or there is but one.
    The change was planned with `table` as it was loaded: raises CommitConflict when it has changed since.
    """
    files = commit.live_files(table)
    if not files and (commit.inputs(table) != computed_from or _has_rows(con, change.come)):
        return _replace_all(con, table, change.come, change, computed_from)
    if not files:
        return Replaced(_note(table, computed_from), changed=False, rows=0)
    held = data_files.read_sql(table, (file.file_path for file in files))
    differing = _differing(con, table, held, change)
    if differing is None:
        return Replaced(_note(table, computed_from), changed=False, rows=_rows(files))
    affected = _affected(con, table, files, differing)
    target = min(affected or files, key=lambda file: (file.record_count, file.file_path))
    rewritten = affected or [target]
    if _rows(rewritten) > RowReplacePolicy.largest_share * _rows(files):
        stays = f"SELECT * FROM ({held}) {differing.which('ANTI')} UNION ALL BY NAME {differing.come}"
        return _replace_all(con, table, stays, change, computed_from)
    return _replace_some(con, table, rewritten, target, differing, computed_from)


def _note(table: Table, computed_from: dict[str, str]) -> commit.Committed:
    """Note what the rows are computed from; where that is noted already nothing is committed."""
    snapshot = table.current_snapshot()
    assert snapshot is not None  # noqa: S101 - it has files, or inputs
    if commit.inputs(table) == computed_from:
        return commit.Committed(".".join(table.name()), snapshot.snapshot_id)
    return replace_table.note_inputs(table, computed_from=computed_from, base=snapshot.snapshot_id)


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


def _differing(
    con: duckdb.DuckDBPyConnection, table: Table, held: str, change: RowChange
) -> RowChange | None:
    """Return the part of a change that is one: of keys with other rows than before; None where there are none."""
    names = [identifier(field.name) for field in table.schema().fields]
    columns = ", ".join(
        f"CAST({name} AS {data_files.duck_type(field.field_type)}) AS {name}"
        for name, field in zip(names, table.schema().fields, strict=True)
    )
    key = ", ".join(map(identifier, change.key))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_DIFFERING} AS SELECT DISTINCT {key} FROM (SELECT {', '.join(names)} FROM ("
        f"SELECT {columns}, -1 AS _times FROM ({held}) {change.which('SEMI')} UNION ALL "
        f"SELECT {columns}, 1 FROM ({change.come})) GROUP BY ALL HAVING sum(_times) <> 0)"
    )
    if con.execute(f"SELECT count(*) FROM {_DIFFERING}").fetchone() == (0,):
        return None
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_GONE} AS SELECT DISTINCT {key} FROM {change.gone} "
        f"SEMI JOIN {_DIFFERING} USING ({key})"
    )
    come = f"SELECT * FROM ({change.come}) SEMI JOIN {_DIFFERING} USING ({key})"
    return RowChange(change.key, _GONE, come, change.attempt)


def _has_rows(con: duckdb.DuckDBPyConnection, query: str) -> bool:
    return con.execute(f"SELECT 1 FROM ({query}) LIMIT 1").fetchone() is not None


def _affected(
    con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile], change: RowChange
) -> list[DataFile]:
    """Return the files that hold a row that goes."""
    by_path = {data_files.plain_path(file.file_path): file for file in files}
    key = ", ".join(map(identifier, (*change.key, _FILE)))
    held = data_files.read_sql(table, (file.file_path for file in files), file_column=_FILE)
    query = f"SELECT DISTINCT {identifier(_FILE)} FROM (SELECT {key} FROM ({held})) {change.which('SEMI')}"
    found = {data_files.plain_path(row[0]) for row in con.execute(query).fetchall()}
    return [by_path[path] for path in sorted(found)]


def _rows(files: Sequence[DataFile]) -> int:
    return sum(file.record_count for file in files)
