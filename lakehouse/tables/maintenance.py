"""Expires snapshots that nobody needs, and deletes the files that only they referred to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.tables import ledger
from lakehouse.tables.commit import file_records

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

KEEP_SNAPSHOTS = 50
KEEP_FOR = timedelta(hours=1)  # readers pin a snapshot when they connect


@dataclass(frozen=True)
class Expired:
    """What an expiry removed from a table."""

    snapshots: int
    files: int


def expire(
    catalog: Catalog,
    table: Table,
    *,
    now: datetime | None = None,
    keep: int = KEEP_SNAPSHOTS,
    keep_for: timedelta = KEEP_FOR,
) -> Expired:
    """Expire a table's snapshots beyond the newest `keep` that are older than `keep_for`.

    A snapshot whose summary names a raw file that the ledger does not list yet stays: the summary is the only
    word on that file. Files go after the snapshots have gone, and only those that no live snapshot reaches.
    """
    doomed = _doomed(catalog, table, (now or datetime.now(UTC)) - keep_for, keep)
    if not doomed:
        return Expired(0, 0)
    candidates = _reachable(table, doomed)
    table.maintenance.expire_snapshots().by_ids([snapshot.snapshot_id for snapshot in doomed]).commit()
    table.refresh()
    freed = candidates - _reachable(table, table.metadata.snapshots)
    for path in freed:
        table.io.delete(path)
    return Expired(len(doomed), len(freed))


def _doomed(catalog: Catalog, table: Table, before: datetime, keep: int) -> list[Snapshot]:
    newest_first = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms, reverse=True)
    current = table.metadata.current_snapshot_id
    limit = before.timestamp() * 1000
    old = [s for s in newest_first[keep:] if s.snapshot_id != current and s.timestamp_ms < limit]
    named = {record.file_id for snapshot in old for record in file_records(snapshot)}
    copied = ledger.in_ledger(catalog, named)
    return [s for s in old if {record.file_id for record in file_records(s)} <= copied]


def _reachable(table: Table, snapshots: Iterable[Snapshot]) -> set[str]:
    """Return the manifest lists, manifests and data files that snapshots refer to."""
    paths: set[str] = set()
    for snapshot in snapshots:
        paths.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in paths:
                continue
            paths.add(manifest.manifest_path)
            entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
            paths |= {entry.data_file.file_path for entry in entries}
    return paths
