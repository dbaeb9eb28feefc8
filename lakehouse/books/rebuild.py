"""Writes the books anew from what they copy: each table in one commit that replaces what it held.

What cannot be read again is kept. The ledger's rows of expired snapshots stand nowhere else, and exactly once rests
on them. Each table is read before what it is copied from: what goes in between is still in the table, and what
another writer copies in between moves the table, so that this commit is refused.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.books import ledger_rows, load_lines
from lakehouse.books.book_sources import Objects, typed
from lakehouse.engine.escape import identifier, literals
from lakehouse.tables import appending, data_files, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.data_files import Written

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table
    from lakehouse.tables.contract import Contract

_ID = "file_id, coalesce(replay, 0)"


@dataclass(frozen=True)
class Rebuilt:
    """A table's rows before and after."""

    before: int
    after: int


def rebuild_ledger(con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog) -> Rebuilt:
    """Write `ops.ingest_ledger` anew: what summaries and notes say, and what only the ledger says.

    A file that was noted without a table and loaded later has one row, its table's. Raises CommitConflict when
    another writer was first.
    """
    table = _attached(con, catalog, LEDGER)
    rows = ledger_rows.from_summaries(catalog)
    rows |= ledger_rows.from_notes(settings.ops_bucket, rows)
    load_lines.stage(con, ((json.dumps(row), "") for row in rows.values()))
    query = (
        f"SELECT * EXCLUDE (fresh) FROM (SELECT *, true AS fresh FROM ({typed(LEDGER, 'SELECT line FROM objects')}) "
        f"UNION ALL BY NAME SELECT {_columns(LEDGER)}, false AS fresh FROM {LEDGER.name}) "
        f"QUALIFY row_number() OVER (PARTITION BY {_ID} ORDER BY table_name IS NULL, fresh DESC, committed_at) = 1"
    )
    return _replace(con, table, LEDGER, iter((query,)))


def rebuild_objects(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, kinds: Sequence[Objects]
) -> Rebuilt:
    """Write the table that these kinds of objects are copied into anew: what they say, and rows whose object is gone.

    Raises CommitConflict when another writer was first.
    """
    contract = kinds[0].contract
    table = _attached(con, catalog, contract)
    _attached(con, catalog, LEDGER)  # it says which objects count
    there = [(kind, list(kind.listed(settings.ops_bucket))) for kind in kinds]
    con.execute("CREATE OR REPLACE TEMP TABLE there (key VARCHAR)")
    for _, found in there:
        con.execute("INSERT INTO there SELECT unnest(?)", [[one.key for one in found]])

    def queries() -> Iterator[str]:
        yield (
            f"SELECT {_columns(contract)} FROM {contract.name} "
            f"WHERE coalesce({kinds[0].origin} NOT IN (SELECT key FROM there), true)"
        )
        for kind, found in there:
            for part in load_lines.parts(kind.counting(con, iter(found))):
                load_lines.stage(con, load_lines.read(settings.ops_bucket, part))
                yield kind.select

    return _replace(con, table, contract, queries())


def take_out(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, contract: Contract, file_ids: Collection[str]
) -> Rebuilt:
    """Write a table anew without the rows of some files; CommitConflict when another writer was first."""
    table = _attached(con, catalog, contract)
    meant = literals(sorted(file_ids))
    query = f"SELECT {_columns(contract)} FROM {contract.name} WHERE NOT list_contains({meant}, file_id)"
    return _replace(con, table, contract, iter((query,)))


def _attached(con: duckdb.DuckDBPyConnection, catalog: Catalog, contract: Contract) -> Table:
    """Return the table as the view on it shows it."""
    catalogs.ensure(catalog, contract)
    return views.attach(con, catalog, [contract.name])[contract.name]


def _columns(contract: Contract) -> str:
    return ", ".join(identifier(column.name) for column in contract.columns)


def _replace(
    con: duckdb.DuckDBPyConnection, table: Table, contract: Contract, queries: Iterator[str]
) -> Rebuilt:
    """Replace what `table`, as it was loaded, holds by the rows of the queries; each is run before the next is made."""
    counted = con.execute(f"SELECT count(*) FROM {contract.name}").fetchone() or (0,)
    base = table.current_snapshot()
    written = Written([])
    try:
        for query in queries:
            written.files.extend(data_files.write(con, table, query, f"books-{uuid.uuid4()}").files)
    except BaseException:
        data_files.discard(table, written)
        raise
    appending.replace_written(table, written, computed_from={}, base=base.snapshot_id if base else None)
    return Rebuilt(counted[0], written.rows)
