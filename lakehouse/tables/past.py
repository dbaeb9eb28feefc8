"""Tables as they were: the snapshots that are still kept, by day and by what another table was computed from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.tables import commit

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


def snapshot_at(table: Table, moment: datetime) -> Snapshot | None:
    """Return the snapshot that a table had at a moment; None where it had none, or it is not kept any more."""
    latest = int(moment.timestamp() * 1000)
    current = [entry for entry in table.metadata.snapshot_log if entry.timestamp_ms <= latest]
    if not current:
        return None
    return table.snapshot_by_id(current[-1].snapshot_id)


def snapshot_of(table: Table, head: str) -> Snapshot | None:
    """Return a snapshot that holds the rows of a head; None where none is kept."""
    kept = [snapshot for snapshot in table.metadata.snapshots if commit.head_of(snapshot) == head]
    return kept[-1] if kept else None


def oldest(table: Table) -> datetime | None:
    """Return the time of the oldest snapshot that is kept."""
    times = [snapshot.timestamp_ms for snapshot in table.metadata.snapshots]
    return datetime.fromtimestamp(min(times) / 1000, UTC) if times else None


def made_at(snapshot: Snapshot) -> datetime:
    """Return when a snapshot was made."""
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
