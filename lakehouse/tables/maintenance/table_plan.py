"""What should be done about a table: one plan, made of pure decisions over what was observed.

Nothing here reads or changes a table. `explain` says why in words; `rewrite`, `merge`, `expire` and `orphans` apply
their part, and look again at what other writers did meanwhile before they do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pyiceberg.typedef import Record

from lakehouse.tables import commit, table_time
from lakehouse.tables.commit import file_records
from lakehouse.tables.maintenance.coarser import CoarserPlan, in_spec, plan_coarser, spec_of
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_files import small_manifests

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.table.snapshots import Snapshot

    from lakehouse.tables.maintenance.listing import StoredFile
    from lakehouse.tables.maintenance.observe import LiveFile, ObservedTable

# What writers of Iceberg tables make; a file of any other kind belongs to somebody else.
_TABLE_FILE_SUFFIXES = (".parquet", ".avro", ".metadata.json", ".puffin", ".stats")


@dataclass(frozen=True)
class TableState:
    """How many files, manifests and snapshots a table has. `orphans` is None where nobody looked for them."""

    files: int
    small_files: int
    bytes: int
    manifests: int
    snapshots: int
    orphans: int | None = None


@dataclass(frozen=True)
class Bin:
    """Small files of one partition that become one."""

    partition: Record
    files: tuple[DataFile, ...]

    @property
    def bytes(self) -> int:
        """Return how many bytes are read."""
        return sum(file.file_size_in_bytes for file in self.files)


@dataclass(frozen=True)
class RewritePlan:
    """Which files become which; `target_file_bytes` is what they were measured by.

    `lost_bins` counts those that were planned, too, and lost every race against other writers. Nothing is rewritten
    while the table has `delete_files` of another engine.
    """

    bins: tuple[Bin, ...] = ()
    target_file_bytes: int = 0
    lost_bins: int = 0
    delete_files: int = 0

    @property
    def files(self) -> int:
        """Return how many files are read."""
        return sum(len(each.files) for each in self.bins)

    @property
    def bytes(self) -> int:
        """Return how many bytes are read."""
        return sum(each.bytes for each in self.bins)

    @property
    def partitions(self) -> int:
        """Return how many partitions the files are in."""
        return len({str(each.partition) for each in self.bins})


@dataclass(frozen=True)
class MergePlan:
    """Small manifests to be written as few.

    `claims` counts the data files that claim to be sorted, as those of older releases do and are not: the manifests
    that say so are written anew without it.
    """

    manifests: tuple[ManifestFile, ...] = ()
    claims: int = 0


@dataclass(frozen=True)
class ObservedSnapshots:
    """A table's snapshots, oldest first, and what may hold them.

    `referenced` are the ids that a branch or tag names, `consumers` the readers' names with the head that each has
    come to, `in_ledger` the generations of raw files that the ledger lists.
    """

    snapshots: tuple[Snapshot, ...]
    referenced: frozenset[int] = frozenset()
    consumers: Mapping[str, str] = field(default_factory=dict)
    in_ledger: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ExpiryPlan:
    """Which snapshots expire, and how many older ones stay until the ledger, or a consumer, has read them."""

    expirable: tuple[Snapshot, ...] = ()
    kept_for_ledger: int = 0
    kept_for_consumers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ObservedFiles:
    """The files below a table's location, and the paths that its snapshots, those with these ids, refer to."""

    stored: tuple[StoredFile, ...]
    reachable: frozenset[str]
    snapshot_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class OrphanPlan:
    """Files that nothing referred to when the table had the snapshots with these ids; old enough to be deleted."""

    files: tuple[StoredFile, ...] = ()
    snapshot_ids: frozenset[int] = frozenset()

    @property
    def paths(self) -> list[str]:
        """Return where they are."""
        return [file.path for file in self.files]

    @property
    def bytes(self) -> int:
        """Return the sum of their sizes."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True)
class MaintenancePlan:
    """All that is to be done about one table, in this order, and by which policy."""

    coarser: CoarserPlan
    rewrite: RewritePlan
    merge: MergePlan
    expiry: ExpiryPlan
    orphans: OrphanPlan
    policy: MaintenancePolicy


def plan_maintenance(
    table: ObservedTable,
    snapshots: ObservedSnapshots,
    files: ObservedFiles,
    policy: MaintenancePolicy,
    now: datetime,
) -> MaintenancePlan:
    """Return what should be done about a table as it was observed.

    Each step frees something for the next (a rewrite makes snapshots that will expire), so a run plans each step when
    it gets there, by the functions below.
    """
    coarser = plan_coarser(table, policy)
    return MaintenancePlan(
        coarser,
        plan_rewrite(in_spec(table, spec_of(table, coarser)), policy),
        plan_merge(table, policy),
        plan_expiry(snapshots, policy, now),
        plan_orphans(files, policy, now),
        policy,
    )


def table_state(table: ObservedTable, policy: MaintenancePolicy) -> TableState:
    """Count what there is."""
    small_below = table.target_file_bytes * policy.small_file_share
    sizes = [live.file.file_size_in_bytes for live in table.files]
    return TableState(
        files=len(sizes),
        small_files=sum(size < small_below for size in sizes),
        bytes=sum(sizes),
        manifests=len(table.manifests),
        snapshots=table.snapshots,
    )


def expected_state(before: TableState, plan: MaintenancePlan) -> TableState:
    """Return what the counts will be once the plan is applied, but for what its own commits add."""
    fewer_files = plan.rewrite.files - len(plan.rewrite.bins)
    fewer_manifests = max(len(plan.merge.manifests) - 1, 0)
    return replace(
        before,
        files=before.files - fewer_files,
        small_files=before.small_files - fewer_files,
        manifests=before.manifests - fewer_manifests,
        snapshots=before.snapshots - len(plan.expiry.expirable),
        orphans=0,
    )


# ------------------------------------------------------------------ data files


def plan_rewrite(table: ObservedTable, policy: MaintenancePolicy) -> RewritePlan:
    """Return which files should be rewritten with which others, smallest bins first.

    Small files of an older spec are rewritten however few they are: not every engine reads a table of two specs. Those
    whose rows may be in several partitions, and files that nothing is known about (no counts of nulls, by which a
    rewrite checks itself), stay as they are.
    """
    if table.delete_files:
        return RewritePlan(target_file_bytes=table.target_file_bytes, delete_files=table.delete_files)
    partitions: dict[tuple[object, ...], list[LiveFile]] = defaultdict(list)
    for live in table.files:
        if live.partition is not None and live.file.null_value_counts:
            partitions[_values(live.partition)].append(live)
    bins, sizes = list[Bin](), _Sizes(table.target_file_bytes, table.spec.spec_id, policy)
    for values, files in partitions.items():
        bins += _bins_of_partition(Record(*values), files, sizes)
    return RewritePlan(tuple(sorted(bins, key=lambda each: each.bytes)), table.target_file_bytes)


def _values(partition: Record) -> tuple[object, ...]:
    return tuple(partition[position] for position in range(len(partition)))


@dataclass(frozen=True)
class _Sizes:
    """What the files of a table are measured by: small ones of another spec than the current one are outdated."""

    target_bytes: int
    spec_id: int
    policy: MaintenancePolicy

    def is_outdated(self, file: DataFile) -> bool:
        is_small = file.file_size_in_bytes < self.target_bytes * self.policy.small_file_share
        return is_small and file.spec_id != self.spec_id


def _bins_of_partition(partition: Record, files: list[LiveFile], sizes: _Sizes) -> Iterator[Bin]:
    """Yield the bins of one partition; neighbours in the sort order meet in a bin."""
    worth = _worth_rewriting([live.file for live in files], sizes.target_bytes, sizes.policy)
    outdated = {live.file for live in files if sizes.is_outdated(live.file)}
    chosen = outdated | (worth if len(worth) >= sizes.policy.min_files_to_rewrite else set())
    in_order = [live.file for live in sorted(files, key=lambda live: live.sort_key) if live.file in chosen]
    least_rest = int(sizes.target_bytes * sizes.policy.min_last_file_share)
    for group in _cut_at_target(in_order, sizes.target_bytes, least_rest):
        if len(group) > 1 or not outdated.isdisjoint(group):
            yield Bin(partition, tuple(group))


def _worth_rewriting(
    files: Iterable[DataFile], target_bytes: int, policy: MaintenancePolicy
) -> set[DataFile]:
    """Return the small files, without those that are large beside all smaller ones.

    So a file is rewritten only after its partition has grown by a third of it: however many small files come, a row
    is written a few times on its way to the target size.
    """
    small_below = target_bytes * policy.small_file_share
    chosen: set[DataFile] = set()
    chosen_bytes = 0
    for file in sorted(files, key=lambda file: file.file_size_in_bytes):
        file_bytes = file.file_size_in_bytes
        if file_bytes >= small_below:
            break
        if chosen and file_bytes > policy.max_size_ratio * chosen_bytes:
            break
        chosen.add(file)
        chosen_bytes += file_bytes
    return chosen


def _cut_at_target(files: list[DataFile], target_bytes: int, least_rest: int) -> Iterator[list[DataFile]]:
    """Cut files into groups of about the target size; a rest of fewer bytes than `least_rest` joins the last one."""
    remaining_bytes = sum(file.file_size_in_bytes for file in files)
    group: list[DataFile] = []
    group_bytes = 0
    for file in files:
        group.append(file)
        group_bytes += file.file_size_in_bytes
        rest_bytes = remaining_bytes - group_bytes
        if group_bytes >= target_bytes and rest_bytes >= least_rest:
            yield group
            remaining_bytes = rest_bytes
            group, group_bytes = [], 0
    if group:
        yield group


# ------------------------------------------------------------------ manifests


def plan_merge(table: ObservedTable, policy: MaintenancePolicy) -> MergePlan:
    """Return the small manifests, if they are enough to be worth a commit, and how many files claim an order."""
    if table.delete_files:
        return MergePlan()
    small = small_manifests(table.manifests)
    claims = sum(bool(live.file.sort_order_id) for live in table.files)
    return MergePlan(tuple(small) if len(small) > policy.max_small_manifests else (), claims)


# ------------------------------------------------------------------ snapshots


def plan_expiry(observed: ObservedSnapshots, policy: MaintenancePolicy, now: datetime) -> ExpiryPlan:
    """Return which snapshots nobody needs.

    A snapshot whose summary names a raw file that the ledger does not list yet stays: the summary is the only record
    of that file. So does one that a consumer has not read, until it is `max_consumer_lag` old.
    """
    unread = _unread_by_consumer(observed, policy, now)
    unneeded = unneeded_snapshots(observed, policy, now)
    expirable = [snapshot for snapshot in unneeded if record_ids([snapshot]) <= observed.in_ledger]
    kept_for_consumers = {name: len(snapshots) for name, snapshots in unread.items() if snapshots}
    return ExpiryPlan(tuple(expirable), len(unneeded) - len(expirable), kept_for_consumers)


def unneeded_snapshots(
    observed: ObservedSnapshots, policy: MaintenancePolicy, now: datetime
) -> list[Snapshot]:
    """Return the old snapshots that every consumer has read; only the ledger may still hold them."""
    held: set[int] = set()
    for snapshot_ids in _unread_by_consumer(observed, policy, now).values():
        held |= snapshot_ids
    return [
        snapshot for snapshot in _old_snapshots(observed, policy, now) if snapshot.snapshot_id not in held
    ]


def record_ids(snapshots: Iterable[Snapshot]) -> set[str]:
    """Return the ids of the generations of raw files that the snapshots' summaries name."""
    return {record.id for snapshot in snapshots for record in file_records(snapshot)}


def _old_snapshots(observed: ObservedSnapshots, policy: MaintenancePolicy, now: datetime) -> list[Snapshot]:
    """Return the snapshots that are beyond the newest, older than readers need, and named by no branch or tag."""
    beyond_newest = max(len(observed.snapshots) - policy.min_snapshots_to_keep, 0)
    before_ms = table_time.milliseconds(now, policy.max_snapshot_age)
    committed_ms = table_time.committed_ms(observed.snapshots, table_time.milliseconds(now))
    return [
        snapshot
        for snapshot in observed.snapshots[:beyond_newest]
        if committed_ms[snapshot.snapshot_id] < before_ms and snapshot.snapshot_id not in observed.referenced
    ]


def _unread_by_consumer(
    observed: ObservedSnapshots, policy: MaintenancePolicy, now: datetime
) -> dict[str, set[int]]:
    """Return the ids of the old snapshots that each consumer has not read, without those it has lagged too long for."""
    old = {snapshot.snapshot_id for snapshot in _old_snapshots(observed, policy, now)}
    since_ms = table_time.milliseconds(now, policy.max_consumer_lag)
    committed_ms = table_time.committed_ms(observed.snapshots, table_time.milliseconds(now))
    unread = {}
    for consumer, head in observed.consumers.items():
        watched = {snapshot.snapshot_id for snapshot in _from_watermark(observed.snapshots, head)}
        unread[consumer] = {each for each in watched & old if committed_ms[each] >= since_ms}
    return unread


def _from_watermark(snapshots: tuple[Snapshot, ...], head: str) -> tuple[Snapshot, ...]:
    """Return the snapshots from a consumer's watermark on; all where none has that head."""
    positions = [
        position
        for position, snapshot in enumerate(snapshots)
        if head in (commit.head_of(snapshot), str(snapshot.snapshot_id))
    ]
    return snapshots[positions[-1] if positions else 0 :]


# ------------------------------------------------------------------ orphans


def plan_orphans(observed: ObservedFiles, policy: MaintenancePolicy, now: datetime) -> OrphanPlan:
    """Return the files of Iceberg's kinds that are old enough and that nothing refers to."""
    modified_before = now - policy.min_orphan_age
    orphans = [
        file
        for file in observed.stored
        if file.path not in observed.reachable
        and file.modified < modified_before
        and file.path.endswith(_TABLE_FILE_SUFFIXES)
    ]
    return OrphanPlan(tuple(orphans), observed.snapshot_ids)
