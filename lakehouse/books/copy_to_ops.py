"""Copies into `ops.*` what is recorded elsewhere: ledger rows from commit summaries, the rest from objects.

There is one writer (a FIFO queue with one group); should a second one run all the same, the exclusive commit refuses
the slower.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.books import ledger_rows, load_lines, rebuild
from lakehouse.books.book_sources import BookSource, json_lines_sql
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


def run(
    settings: Settings,
    sources: Iterable[BookSource],
    copied: Copied | None = None,
    tables: Collection[str] | None = None,
) -> Copied:
    """Copy what is new; raises CommitConflict when another writer was first.

    What was copied is added to `copied`, where that is given, also by a run that ends in an error. `tables` are
    those whose commits are looked at (None: all there are).
    """
    copied = copied or Copied()
    catalog = catalogs.open_catalog(settings)
    con = duck.connect(settings)
    try:
        copied.rows[LEDGER.name] += _copy_ledger(con, settings, catalog, tables)
        for source in sources:
            name = source.contract.name
            copied.rows[name] += 0
            for rows in _copy_objects(con, settings, catalog, source):
                copied.rows[name] += rows
    finally:
        con.close()
    return copied


def _copy_ledger(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, tables: Collection[str] | None
) -> int:
    table = catalogs.ensure(catalog, LEDGER)
    rows = ledger_rows.from_summaries(catalog, tables)
    listed = ledger.listed(catalog, rows.keys() | set(ledger.noted(settings.ops_bucket)))
    loaded_later = files_loaded_later(listed, rows)
    if loaded_later:
        return _correct_books(con, settings, catalog, loaded_later)
    rows |= ledger_rows.from_notes(settings.ops_bucket, rows.keys() | listed.keys())
    missing = [row for generation, row in rows.items() if generation not in listed]
    if not missing:
        return 0
    load_lines.load_objects_table(con, ((json.dumps(row), "") for row in missing))
    return _append(con, table, json_lines_sql(LEDGER, "SELECT line FROM objects"))


def files_loaded_later(listed: Mapping[str, set[str]], in_summaries: Collection[str]) -> set[str]:
    """Return the generations that the ledger lists without a table, and that are in one by now.

    `listed` are the tables under which the ledger lists each, "" for none; `in_summaries` those that commits name.
    """
    return {
        generation
        for generation, tables in listed.items()
        if "" in tables and (generation in in_summaries or len(tables) > 1)
    }


def _correct_books(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, loaded_later: set[str]
) -> int:
    """Delete what the books say of files that no table took at first; they are in one by now.

    Quarantine comes first: after a crash between the two the ledger still shows that there is something to correct.
    """
    rebuild.delete_files(con, catalog, QUARANTINE, loaded_later)
    rebuilt = rebuild.rebuild_ledger(con, settings, catalog)
    return rebuilt.after - rebuilt.before


def _copy_objects(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, source: BookSource
) -> Iterator[int]:
    """Copy the objects that the table does not have, a bounded number a commit; yield each commit's rows."""
    bucket = settings.ops_bucket
    name = source.contract.name
    table = catalogs.ensure(catalog, source.contract)
    objects = source.list_objects(bucket)
    first = next(objects, None)
    if first is None:
        return  # without asking the table: of most kinds there is nothing while files are loaded
    views.attach(con, catalog, [name, LEDGER.name])
    origins = con.execute(f"SELECT DISTINCT {source.origin_sql} FROM {name}").fetchall()
    copied = {key for (key,) in origins}
    missing = (listed for listed in chain([first], objects) if listed.key not in copied)
    for batch in load_lines.commit_batches(source.to_copy(con, missing)):
        for key in load_lines.load_objects_table(con, load_lines.read_lines(bucket, batch)):
            telemetry.warn("an object is damaged and not copied", key=key, reason=load_lines.RESTORE)
        yield _append(con, table, source.select_sql)


def _append(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> int:
    """Append rows that `table`, as it was loaded, does not have; CommitConflict when others were added meanwhile."""
    rows = appending.append_query(con, table, query, f"books-{uuid.uuid4()}")
    if rows:
        telemetry.info("books copied", table=".".join(table.name()), rows=rows)
    return rows
