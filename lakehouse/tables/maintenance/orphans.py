"""Removes the files below a table's location that no snapshot refers to: what failed and killed attempts left.

The location is listed first and reachability found afterwards, so that what is committed in between counts as
reachable. A file younger than some days may belong to a commit that is under way.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.tables.maintenance import reachability
from lakehouse.tables.maintenance.listing import stored_files
from lakehouse.tables.maintenance.table_plan import Policy

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

# What writers of Iceberg tables make; a file of any other kind is not ours to delete.
_KINDS = (".parquet", ".avro", ".metadata.json", ".puffin", ".stats")
DEFAULT = Policy()


@dataclass(frozen=True)
class Orphans:
    """Files that nothing refers to, old enough to go."""

    paths: list[str] = field(default_factory=list)
    bytes: int = 0


def remove(
    table: Table, policy: Policy = DEFAULT, *, neighbours: Collection[str] = (), now: datetime | None = None
) -> Orphans:
    """Delete what `find` returns, and return it."""
    found = find(table, policy, neighbours=neighbours, now=now)
    reachability.delete(table, found.paths)
    return found


def find(
    table: Table, policy: Policy = DEFAULT, *, neighbours: Collection[str] = (), now: datetime | None = None
) -> Orphans:
    """Return the table's orphans that were last modified more than `orphan_age` ago.

    `neighbours` are the locations of all other tables: Terminal when one of them shares files with this one. Terminal,
    too, when the listing lacks a file that the table refers to: then it is not the whole, or of another place.
    Whatever else fails on the way is raised; nothing has been deleted by then.
    """
    location = table.location().rstrip("/")
    name = ".".join(table.name())
    if shared := sorted(other for other in neighbours if _share(location, other.rstrip("/"))):
        raise Terminal(
            f"{name}: its location is shared with another table's, {shared[0]}; orphans are not removed"
        )
    before = table.refresh().metadata
    limit = (now or datetime.now(UTC)) - policy.orphan_age
    listed = {file.path: file for file in stored_files(location)}
    after = table.refresh().metadata
    then = {snapshot.snapshot_id for snapshot in before.snapshots}
    still = _reachable(table, [snapshot for snapshot in after.snapshots if snapshot.snapshot_id in then])
    if missing := {path for path in still if path.startswith(f"{location}/")} - listed.keys():
        raise Terminal(
            f"{name}: {len(missing)} files that the table refers to are not in the listing of its location, such as "
            f"{min(missing)}; no orphan was removed"
        )
    live = still | _reachable(
        table, [snapshot for snapshot in after.snapshots if snapshot.snapshot_id not in then]
    )
    live |= _metadata_files(table)
    orphans = [
        file
        for path, file in listed.items()
        if path not in live and file.modified < limit and path.endswith(_KINDS)
    ]
    return Orphans([file.path for file in orphans], sum(file.bytes for file in orphans))


def _reachable(table: Table, snapshots: list[Snapshot]) -> set[str]:
    manifests = reachability.manifests_of(table, snapshots)
    data = reachability.data_files_of(table, manifests.values())
    return data | manifests.keys() | {snapshot.manifest_list for snapshot in snapshots}


def _metadata_files(table: Table) -> set[str]:
    """Return the metadata files that readers and the catalog may name, and the statistics they name."""
    metadata = table.metadata
    statistics = [*metadata.statistics, *metadata.partition_statistics]
    return (
        {table.metadata_location}
        | {entry.metadata_file for entry in metadata.metadata_log}
        | {file.statistics_path for file in statistics}
    )


def _share(location: str, other: str) -> bool:
    return location == other or location.startswith(f"{other}/") or other.startswith(f"{location}/")
