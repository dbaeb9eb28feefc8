"""The time of a table: each commit is later than the one before it, whatever the clock says.

Iceberg's readers and catalogs refuse metadata whose log of snapshots, or of metadata files, goes back by more than a
minute. A clock that was set back would stop every commit until it has caught up, or, where the catalog lets pyiceberg
write the metadata (Glue, SQLite), leave a table that Spark cannot open.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pyiceberg.table.snapshots import Snapshot, Summary
from pyiceberg.table.update import AddSnapshotUpdate, TableUpdate

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata

CLOCK = "lakehouse.clock"  # of a snapshot that is dated after its writer's clock: what that said, in ms
_TOLERATED_MS: Final = 30_000  # readers bear a minute; clocks of several machines differ by less than this


def last_ms(metadata: TableMetadata) -> int:
    """Return the latest time (epoch ms) that a table's metadata names for a change of the table."""
    of_snapshots = [entry.timestamp_ms for entry in metadata.snapshot_log[-1:]]
    of_files = [entry.timestamp_ms for entry in metadata.metadata_log[-1:]]
    return max([metadata.last_updated_ms, *of_snapshots, *of_files])


def is_behind(metadata: TableMetadata) -> bool:
    """Return whether the clock stands so far before the table's last change that readers would refuse its time."""
    return _clock_ms() < last_ms(metadata) - _TOLERATED_MS


def dated(updates: Sequence[TableUpdate], metadata: TableMetadata) -> tuple[TableUpdate, ...]:
    """Return a commit's updates with its snapshot dated after all that the table's `metadata` names."""
    earliest = last_ms(metadata) + 1
    return tuple(
        AddSnapshotUpdate(snapshot=_dated(update.snapshot, earliest))
        if isinstance(update, AddSnapshotUpdate)
        else update
        for update in updates
    )


def _dated(snapshot: Snapshot, earliest: int) -> Snapshot:
    if snapshot.timestamp_ms >= earliest:
        return snapshot
    summary = snapshot.summary
    if summary is not None:
        noted = {**summary.additional_properties, CLOCK: str(snapshot.timestamp_ms)}
        summary = Summary(summary.operation, **noted)
    return snapshot.model_copy(update={"timestamp_ms": earliest, "summary": summary})


def milliseconds(now: datetime, age: timedelta = timedelta()) -> float:
    """Return the moment at which something was committed that has this age now, as snapshots state it."""
    return (now - age).timestamp() * 1000


def committed_ms(snapshots: Sequence[Snapshot], now_ms: float) -> dict[int, float]:
    """Return by when (epoch ms) each snapshot had been committed; `snapshots` are in their order.

    That is its own time. Of one that is dated after `now_ms`, its writer's clock counts, and it is no younger than
    those after it: else what was committed while the clock ran ahead would never be old.
    """
    times: dict[int, float] = {}
    latest = now_ms
    for snapshot in reversed(snapshots):
        own: float = snapshot.timestamp_ms
        if own > now_ms and snapshot.summary is not None:
            own = float(snapshot.summary.additional_properties.get(CLOCK, own))
        latest = min(latest, own)
        times[snapshot.snapshot_id] = latest
    return times


def _clock_ms() -> float:
    return time.time() * 1000
