"""Writes the books anew from what they copy: each table in one commit that replaces what it held.

What cannot be read again is kept. The ledger's rows of expired snapshots are recorded nowhere else, and loading each
file exactly once depends on them. Each table is read before what it is copied from: what is deleted in between is
still in the table, and what another writer copies in between changes the table, so that this commit is refused.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.books import ledger_rows, load_lines
from lakehouse.books.book_sources import BookSource, json_lines_sql
from lakehouse.engine.escape import identifier, literals
from lakehouse.errors import Terminal
from lakehouse.tables import appending, data_files, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.data_files import Written

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table
    from lakehouse.tables.contract import Contract

_GENERATION_SQL = "file_id, coalesce(replay, 0)"


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
    load_lines.load_objects_table(con, ((json.dumps(row), "") for row in rows.values()))
    from_sources = json_lines_sql(LEDGER, "SELECT line FROM objects")
    newest = "table_name IS NULL, from_sources DESC, committed_at"
    query = (
        f"SELECT * EXCLUDE (from_sources) FROM (SELECT *, true AS from_sources FROM ({from_sources}) "
        f"UNION ALL BY NAME SELECT {_columns(LEDGER)}, false AS from_sources FROM {LEDGER.name}) "
        f"QUALIFY row_number() OVER (PARTITION BY {_GENERATION_SQL} ORDER BY {newest}) = 1"
    )
    return _replace(con, table, LEDGER, iter((query,)))


def rebuild_objects(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, sources: Sequence[BookSource]
) -> Rebuilt:
    """Write the table that these sources are copied into anew: what their objects say, and rows whose object is gone.

    Raises CommitConflict when another writer was first, Terminal for a damaged object: the books may know more.
    """
    contract = sources[0].contract
    table = _attached(con, catalog, contract)
    _attached(con, catalog, LEDGER)  # it says which objects count
    listings = [(source, list(source.list_objects(settings.ops_bucket))) for source in sources]
    con.execute("CREATE OR REPLACE TEMP TABLE existing_objects (key VARCHAR)")
    for _, objects in listings:
        con.execute("INSERT INTO existing_objects SELECT unnest(?)", [[listed.key for listed in objects]])

    def queries() -> Iterator[str]:
        yield (
            f"SELECT {_columns(contract)} FROM {contract.name} "
            f"WHERE coalesce({sources[0].origin_sql} NOT IN (SELECT key FROM existing_objects), true)"
        )
        for source, objects in listings:
            for batch in load_lines.commit_batches(source.to_copy(con, objects)):
                damaged = load_lines.load_objects_table(
                    con, load_lines.read_lines(settings.ops_bucket, batch)
                )
                if damaged:
                    keys = ", ".join(damaged)
                    raise Terminal(f"{contract.name} stays as it is; damaged: {keys}: {load_lines.RESTORE}")
                yield source.select_sql

    return _replace(con, table, contract, queries())


def delete_files(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, contract: Contract, file_ids: Collection[str]
) -> Rebuilt:
    """Write a table anew without the rows of these files; CommitConflict when another writer was first."""
    table = _attached(con, catalog, contract)
    deleted = literals(sorted(file_ids))
    query = f"SELECT {_columns(contract)} FROM {contract.name} WHERE NOT list_contains({deleted}, file_id)"
    return _replace(con, table, contract, iter((query,)))


def _attached(con: duckdb.DuckDBPyConnection, catalog: Catalog, contract: Contract) -> Table:
    """Make the table if need be, attach a view of it, and return it as the view shows it."""
    catalogs.ensure(catalog, contract)
    return views.attach(con, catalog, [contract.name])[contract.name]


def _columns(contract: Contract) -> str:
    return ", ".join(identifier(column.name) for column in contract.columns)


def _replace(
    con: duckdb.DuckDBPyConnection, table: Table, contract: Contract, queries: Iterator[str]
) -> Rebuilt:
    """Replace what `table`, as it was loaded, holds by the rows of the queries.

    Each query runs before the next one is taken. When anything fails, the files that were written are deleted.
    """
    (rows_before,) = con.execute(f"SELECT count(*) FROM {contract.name}").fetchone() or (0,)
    base = table.current_snapshot()
    written = Written([])
    try:
        for query in queries:
            written.files.extend(data_files.write(con, table, query, f"books-{uuid.uuid4()}").files)
    except BaseException:
        data_files.discard(table, written)
        raise
    appending.replace_written(con, table, written, computed_from={}, base=base.snapshot_id if base else None)
    return Rebuilt(rows_before, written.rows)
