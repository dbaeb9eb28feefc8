"""Tables as they were: the snapshots that are still kept, by day and by what another table was computed from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.tables import commit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot, SnapshotLogEntry


def snapshot_at(table: Table, moment: datetime) -> Snapshot | None:
    """Return the snapshot that a table had at a moment; None where it had none, or it is not kept any more.

    Expiry takes a snapshot out of the log, too, so that the one before seems to have stood longer than it did. What
    stood next does not name it as its parent then.
    """
    latest = int(moment.timestamp() * 1000)
    log = table.metadata.snapshot_log
    position = sum(entry.timestamp_ms <= latest for entry in log) - 1
    if position < 0:
        return None
    found = table.snapshot_by_id(log[position].snapshot_id)
    following = log[position + 1 :]
    if found is None or not following or _follows(table, following[0].snapshot_id, log[: position + 1]):
        return found
    return None


def _follows(table: Table, next_id: int, before: Sequence[SnapshotLogEntry]) -> bool:
    """Return whether a snapshot was the next after those before: the last one's child, or a return to one of them."""
    if next_id in {entry.snapshot_id for entry in before}:
        return True
    snapshot = table.snapshot_by_id(next_id)
    return snapshot is not None and snapshot.parent_snapshot_id == before[-1].snapshot_id


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
