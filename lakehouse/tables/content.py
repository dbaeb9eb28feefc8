"""A digest of rows: two sets of rows have the same one if they are equal, whatever their order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb

from lakehouse.engine.escape import identifier
from lakehouse.tables import data_files

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from lakehouse.tables.data_files import Written


def digest(con: duckdb.DuckDBPyConnection, table: Table, written: Written) -> str:
    """Return the digest of the rows of data files, as they are in the files.

    It speaks of the table's columns, too: a column more makes other rows. DuckDB may hash otherwise in another
    version, and then the same rows have another digest.
    """
    fields = [(field.field_id, str(field.field_type)) for field in table.schema().fields]
    rows = _sums(con, table, written) if written.files else (0, 0, 0)
    return hashlib.sha256(repr((duckdb.__version__, fields, rows)).encode()).hexdigest()


def _sums(con: duckdb.DuckDBPyConnection, table: Table, written: Written) -> tuple[int, ...]:
    """Return the number of rows and two independent sums of their hashes, which no order changes."""
    query = data_files.read_sql(table, (file.file_path for file in written.files))
    columns = ", ".join(identifier(field.name) for field in table.schema().fields)
    (sums,) = con.execute(
        f"SELECT count(*), sum(hash({columns})), sum(hash('other', {columns})) FROM ({query})"
    ).fetchall()
    return tuple(int(number) for number in sums)
