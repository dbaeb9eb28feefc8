"""A digest of rows: two sets of rows have the same one if they are equal, whatever their order.

It is made of sums over the rows, so that of a table some of whose files are replaced it follows from these files alone.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import duckdb

from lakehouse.engine.escape import identifier
from lakehouse.tables import data_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

    from lakehouse.tables.data_files import Written

_SUMS: Final = 3  # numbers that a digest ends with
_ABOUT_DIGITS: Final = 32  # hexadecimal, of what else it speaks of: columns, and DuckDB's version


def digest(con: duckdb.DuckDBPyConnection, table: Table, written: Written) -> str:
    """Return the digest of the rows of data files, as they are in the files.

    It speaks of the table's columns, too: a column more makes other rows. DuckDB may hash otherwise in another
    version, and then the same rows have another digest.
    """
    return _text(table, _sums(con, table, written.files))


def digest_after(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    before: str,
    removed: Sequence[DataFile],
    added: Sequence[DataFile],
) -> str:
    """Return the digest of a table whose digest was `before`, once it has `added` files in place of `removed` ones.

    Empty where `before` is none, or was made of other columns or by another version.
    """
    about, *sums = before.split("-")
    if about != _about(table) or len(sums) != _SUMS:
        return ""
    gone, come = _sums(con, table, removed), _sums(con, table, added)
    return _text(table, tuple(int(a) - b + c for a, b, c in zip(sums, gone, come, strict=True)))


def _text(table: Table, sums: tuple[int, ...]) -> str:
    return "-".join([_about(table), *map(str, sums)])


def _about(table: Table) -> str:
    fields = [(field.field_id, str(field.field_type)) for field in table.schema().fields]
    return hashlib.sha256(repr((duckdb.__version__, fields)).encode()).hexdigest()[:_ABOUT_DIGITS]


def _sums(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile]) -> tuple[int, ...]:
    """Return the number of rows and two independent sums of their hashes, which no order changes."""
    if not files:
        return (0,) * _SUMS
    query = data_files.read_sql(table, (file.file_path for file in files))
    columns = ", ".join(identifier(field.name) for field in table.schema().fields)
    (sums,) = con.execute(
        f"SELECT count(*), sum(hash({columns})), sum(hash('other', {columns})) FROM ({query})"
    ).fetchall()
    return tuple(int(number or 0) for number in sums)
