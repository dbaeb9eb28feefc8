"""Copies into `ops.*` what stands elsewhere: ledger rows from commit summaries, the rest from objects.

There is one writer (a FIFO queue with one group); should a second one run all the same, the exclusive commit refuses
the slower.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.books import ledger_rows, load_lines, rebuild
from lakehouse.books.book_sources import Objects, typed
from lakehouse.engine import duck
from lakehouse.tables import appending, ledger, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import LEDGER, QUARANTINE

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table


@dataclass(frozen=True)
class Copied:
    """How many rows each table gained."""

    rows: Counter[str] = field(default_factory=Counter)


def run(settings: Settings, objects: Iterable[Objects], copied: Copied | None = None) -> Copied:
    """Copy what is new; raises CommitConflict when another writer was first.

    What was copied is added to `copied`, where that is given, also by a run that ends in an error.
    """
    copied = copied or Copied()
    catalog = catalogs.open_catalog(settings)
    con = duck.connect(settings)
    try:
        copied.rows[LEDGER.name] += _copy_ledger(con, settings, catalog)
        for kind in objects:
            copied.rows[kind.contract.name] += 0
            for rows in _copy_objects(con, settings, catalog, kind):
                copied.rows[kind.contract.name] += rows
    finally:
        con.close()
    return copied


def _copy_ledger(con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog) -> int:
    table = catalogs.ensure(catalog, LEDGER)
    rows = ledger_rows.from_summaries(catalog)
    listed = ledger.listed(catalog, rows.keys() | set(ledger.noted(settings.ops_bucket)))
    loaded_later = {n for n, tables in listed.items() if "" in tables and (n in rows or tables != {""})}
    if loaded_later:
        return _put_right(con, settings, catalog, loaded_later)
    rows |= ledger_rows.from_notes(settings.ops_bucket, rows.keys() | listed.keys())
    fresh = [row for name, row in rows.items() if name not in listed]
    if not fresh:
        return 0
    load_lines.stage(con, ((json.dumps(row), "") for row in fresh))
    return _append(con, table, typed(LEDGER, "SELECT line FROM objects"))


def _put_right(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, loaded_later: set[str]
) -> int:
    """Take out what the books say of files that no table took at first; they are in one by now.

    Quarantine comes first: after a crash between the two the ledger still tells that there is something to do.
    """
    rebuild.take_out(con, catalog, QUARANTINE, loaded_later)
    rebuilt = rebuild.rebuild_ledger(con, settings, catalog)
    return rebuilt.after - rebuilt.before


def _copy_objects(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, kind: Objects
) -> Iterator[int]:
    """Copy the objects that the table does not have, a bounded number a commit; yield each commit's rows."""
    table = catalogs.ensure(catalog, kind.contract)
    views.attach(con, catalog, [kind.contract.name, LEDGER.name])
    origins = con.execute(f"SELECT DISTINCT {kind.origin} FROM {kind.contract.name}").fetchall()
    known = {row[0] for row in origins}
    fresh = (one for one in kind.listed(settings.ops_bucket) if one.key not in known)
    for part in load_lines.parts(kind.counting(con, fresh)):
        load_lines.stage(con, load_lines.read(settings.ops_bucket, part))
        yield _append(con, table, kind.select)


def _append(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> int:
    """Append rows that `table`, as it was loaded, does not have; CommitConflict when others came in meanwhile."""
    rows = appending.append_query(con, table, query, f"books-{uuid.uuid4()}")
    if rows:
        telemetry.info("books copied", table=".".join(table.name()), rows=rows)
    return rows
