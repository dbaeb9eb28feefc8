"""A digest of rows: two sets of rows have the same one if they are equal, whatever their order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import duckdb

from lakehouse.engine.escape import identifier
from lakehouse.tables import commit, data_files

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from lakehouse.tables.data_files import Written

_PARTS: Final = 4  # of a digest: what the columns are, and three sums


def digest(con: duckdb.DuckDBPyConnection, table: Table, written: Written) -> str:
    """Return the digest of the rows of data files, as they are in the files.

    It speaks of the table's columns, too: a column more makes other rows. DuckDB may hash otherwise in another
    version, and then the same rows have another digest.
    """
    rows: tuple[int, ...] = (0, 0, 0)
    if written.files:
        rows = _sums(con, table, data_files.read_sql(table, (file.file_path for file in written.files)))
    return _as_text(table, rows)


def digest_after(
    con: duckdb.DuckDBPyConnection, table: Table, before: str, *, added: str, removed: str
) -> str:
    """Return the digest of rows whose digest was `before` once some went and others came.

    `added` and `removed` are SELECTs of them, "" of none. "" is returned where `before` is none, or of other columns.
    """
    parts = before.split(":")
    if len(parts) != _PARTS or parts[0] != _columns(table):
        return ""
    came, went = _sums(con, table, added), _sums(con, table, removed)
    return _as_text(table, tuple(int(was) + a - r for was, a, r in zip(parts[1:], came, went, strict=True)))


def _as_text(table: Table, sums: tuple[int, ...]) -> str:
    return ":".join([_columns(table), *map(str, sums)])


def _columns(table: Table) -> str:
    fields = [(field.field_id, str(field.field_type)) for field in table.schema().fields]
    return hashlib.sha256(repr((duckdb.__version__, fields)).encode()).hexdigest()[:32]


def _sums(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> tuple[int, ...]:
    """Return the number of rows and two independent sums of their hashes, which no order changes."""
    if not query:
        return (0,) * (_PARTS - 1)
    columns = ", ".join(identifier(field.name) for field in table.schema().fields)
    (sums,) = con.execute(
        f"SELECT count(*), coalesce(sum(hash({columns})), 0), coalesce(sum(hash('other', {columns})), 0) FROM ({query})"
    ).fetchall()
    return tuple(int(number) for number in sums)


def row_count(table: Table) -> int:
    """Return how many rows the table's current snapshot holds."""
    snapshot = table.current_snapshot()
    if snapshot is None:
        return 0
    noted = snapshot.summary["total-records"] if snapshot.summary else None
    return int(noted) if noted is not None else sum(file.record_count for file in commit.live_files(table))
