"""The ledger's rows, as live commit summaries and the notes of files without a table give them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger
from lakehouse.tables.catalog import RAW

if TYPE_CHECKING:
    from lakehouse.tables.catalog import Catalog

Rows = dict[str, dict[str, Any]]


def from_summaries(catalog: Catalog, tables: Collection[str] | None = None) -> Rows:
    """Return a row for each generation of a file that a live snapshot of these tables (None: all) names, by its id."""
    rows: Rows = {}
    names = catalogs.table_names(catalog, [RAW]) if tables is None else sorted(tables)
    raw_tables = [name for name in names if name.startswith(f"{RAW}.")]
    for name in raw_tables:  # every one there is: a source may be defined no longer
        for snapshot_id, committed_ms, record in ledger.in_summaries(catalogs.load(catalog, name)):
            committed_at = datetime.fromtimestamp(committed_ms / 1000, UTC).isoformat()
            commit = {"table_name": name, "snapshot_id": snapshot_id, "committed_at": committed_at}
            rows[record.id] = asdict(record) | commit
    return rows


def from_notes(bucket: str, known: Collection[str]) -> Rows:
    """Return a row for each file that was noted without a table, by its id, but for those that are known already."""
    noted = ledger.tableless(bucket, known)
    return {record.id: asdict(record) | {"committed_at": record.started_at} for record in noted}
