"""Removes the files below a table's location that no snapshot refers to: what failed and killed attempts left.

The location is listed first and reachability computed afterwards, so that what is committed in between counts as
reachable. A file younger than some days may belong to a commit that is under way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.tables.maintenance import reachability
from lakehouse.tables.maintenance.listing import stored_files
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.table_plan import ObservedFiles, OrphanPlan, plan_orphans

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

DEFAULT = MaintenancePolicy()


def remove(
    table: Table,
    policy: MaintenancePolicy = DEFAULT,
    *,
    neighbours: Collection[str] = (),
    now: datetime | None = None,
) -> OrphanPlan:
    """Delete what `find` returns, but for what was committed since; return what was deleted."""
    return apply(table, find(table, policy, neighbours=neighbours, now=now))


def find(
    table: Table,
    policy: MaintenancePolicy = DEFAULT,
    *,
    neighbours: Collection[str] = (),
    now: datetime | None = None,
) -> OrphanPlan:
    """Return the orphans that were last modified more than `min_orphan_age` ago; raises like `observe_files`."""
    return plan_orphans(observe_files(table, neighbours), policy, now or datetime.now(UTC))


def observe_files(table: Table, neighbours: Collection[str]) -> ObservedFiles:
    """List the table's location, and compute which files the table refers to.

    `neighbours` are the locations of all other tables: Terminal when one of them shares files with this one. Terminal,
    too, when the listing lacks a file that the table refers to: then it is incomplete, or of another location.
    Whatever else fails on the way is raised.
    """
    _refuse_shared_location(table, neighbours)
    ids_before = _snapshot_ids(table.refresh())
    stored = tuple(stored_files(_location(table)))
    snapshots = table.refresh().metadata.snapshots
    reachable = _reachable(table, [snapshot for snapshot in snapshots if snapshot.snapshot_id in ids_before])
    _refuse_incomplete_listing(table, {file.path for file in stored}, reachable)
    added = [snapshot for snapshot in snapshots if snapshot.snapshot_id not in ids_before]
    reachable |= _reachable(table, added)
    reachable |= _metadata_files(table)
    return ObservedFiles(stored, frozenset(reachable), _snapshot_ids(table))


def apply(table: Table, plan: OrphanPlan) -> OrphanPlan:
    """Delete the plan's files, without those that a snapshot refers to which was committed since; return the rest."""
    if not plan.files:
        return plan
    added = [
        snapshot
        for snapshot in table.refresh().metadata.snapshots
        if snapshot.snapshot_id not in plan.snapshot_ids
    ]
    committed_since = _reachable(table, added)
    still_orphans = tuple(file for file in plan.files if file.path not in committed_since)
    reachability.delete(table, [file.path for file in still_orphans])
    return replace(plan, files=still_orphans)


def _refuse_shared_location(table: Table, neighbours: Iterable[str]) -> None:
    location = _location(table)
    shared = sorted(other for other in neighbours if _overlap(location, other.rstrip("/")))
    if shared:
        raise Terminal(
            f"{'.'.join(table.name())}: its location is shared with another table's, {shared[0]}; "
            "orphans are not removed"
        )


def _refuse_incomplete_listing(table: Table, listed: set[str], reachable: set[str]) -> None:
    below_location = {path for path in reachable if path.startswith(f"{_location(table)}/")}
    if missing := below_location - listed:
        raise Terminal(
            f"{'.'.join(table.name())}: {len(missing)} files that the table refers to are not in the listing of its "
            f"location, such as {min(missing)}; no orphan was removed"
        )


def _location(table: Table) -> str:
    return table.location().rstrip("/")


def _snapshot_ids(table: Table) -> frozenset[int]:
    return frozenset(snapshot.snapshot_id for snapshot in table.metadata.snapshots)


def _reachable(table: Table, snapshots: list[Snapshot]) -> set[str]:
    manifests = reachability.manifests_of(table, snapshots)
    data_files = reachability.data_files_of(table, manifests.values())
    return data_files | manifests.keys() | {snapshot.manifest_list for snapshot in snapshots}


def _metadata_files(table: Table) -> set[str]:
    """Return the metadata files that readers and the catalog may name, and the statistics they name."""
    metadata = table.metadata
    statistics = [*metadata.statistics, *metadata.partition_statistics]
    return (
        {table.metadata_location}
        | {entry.metadata_file for entry in metadata.metadata_log}
        | {file.statistics_path for file in statistics}
    )


def _overlap(location: str, other: str) -> bool:
    return location == other or location.startswith(f"{other}/") or other.startswith(f"{location}/")
