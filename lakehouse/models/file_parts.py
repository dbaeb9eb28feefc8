"""Which rows of a table that is computed in part go into one file: an update of few writes few files anew.

A table that has partitions has its files by these. Any other has some files of equal size, a customer's rows in one of
them where rows say whose they are, else a grain's. No reader knows: files are found again by the rows that they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier
from lakehouse.models.model import ByGrain
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.tables import data_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from lakehouse.models.model import Model
    from lakehouse.tables.catalog import ManifestEntry, Table

_CUSTOMER = "customer_id"
_FILE = "_file_of_row"


def part_of_row(model: Model, rows: int) -> str:
    """Return the expression of the number of a row's file, of a table of about so many rows; "" for one file of all.

    Files are a power of two, so that with more of them the rows of one go into two, and of others none.
    """
    if not isinstance(model.incremental, ByGrain) or model.contract.partition:
        return ""
    wanted = min(rows // IncrementalPolicy.rows_of_file, IncrementalPolicy.most_files)
    parts = 1 << max(0, wanted.bit_length() - 1)
    names = {column.name for column in model.contract.columns}
    by = identifier(_CUSTOMER) if _CUSTOMER in names else model.incremental.by
    return f"CAST(hash({by}) % {parts} AS BIGINT)" if parts > 1 else ""


def holding(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    entries: Sequence[ManifestEntry],
    key: Sequence[str],
    rows: str,
) -> list[ManifestEntry]:
    """Return the data files that hold a row with the key of one of the relation `rows`; the smallest where none does.

    All are returned where there are far more than were written together: rows that came made new ones.
    """
    if len(entries) > 2 * IncrementalPolicy.most_files:
        return list(entries)
    names = ", ".join(map(identifier, key))
    held = data_files.read_sql(table, [entry.data_file.file_path for entry in entries], file_column=_FILE)
    found = con.execute(
        f"SELECT DISTINCT {_FILE} FROM ({held}) WHERE hash({names}) IN (SELECT hash({names}) FROM {rows})"
    ).fetchall()
    paths = {data_files.plain_path(path) for (path,) in found}
    touched = [entry for entry in entries if data_files.plain_path(entry.data_file.file_path) in paths]
    return touched or [min(entries, key=lambda entry: entry.data_file.record_count)]
