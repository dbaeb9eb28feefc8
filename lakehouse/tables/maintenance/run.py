"""One table from end to end: what there is, what is worth doing and why, what was done, what there is now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.tables.maintenance import expire, orphans
from lakehouse.tables.maintenance.expire import Doomed, Expired
from lakehouse.tables.maintenance.orphans import Orphans
from lakehouse.tables.maintenance.rewrite import Rewritten, rewrite
from lakehouse.tables.maintenance.table_plan import Bin, Policy, State, observe, plan_bins, target_bytes
from lakehouse.tables.replace_files import replace_manifests, small_manifests

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from lakehouse.settings import Settings


@dataclass
class Report:
    """What was found and done (with `dry_run`: would be done) on a table, and why."""

    before: State
    after: State
    rewritten: Rewritten = field(default_factory=Rewritten)
    manifests: int = 0  # merged
    expired: Expired = field(default_factory=lambda: Expired(0, 0))
    removed: dict[str, int] = field(default_factory=lambda: {"files": 0, "bytes": 0})
    why: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return asdict(self)


@dataclass(frozen=True)
class Surroundings:
    """What one table's maintenance must respect: its readers, the other tables' locations, the clock."""

    consumers: Mapping[str, str] = field(default_factory=dict)
    neighbours: Collection[str] = ()
    now: datetime | None = None


def maintain(
    settings: Settings,
    catalog: Catalog,
    table: Table,
    policy: Policy,
    around: Surroundings,
    on: Callable[[int, int], None] = lambda *_: None,
) -> Report:
    """Maintain a table: rewrite, merge manifests, expire, remove orphans; in this order, since each frees the next."""
    before = observe(table, policy)
    report = Report(before, before)
    bins = plan_bins(table, policy)
    _explain_rewrite(report, table, policy, bins)
    if bins:
        report.rewritten = rewrite(settings, table, policy, on)
        if report.rewritten.lost:
            report.why.append(
                f"{report.rewritten.lost} rewrites lost every race against other writers; next time"
            )
    if count := _manifests_due(table, policy):
        report.why.append(f"{count} small manifests: merge")
        replace_manifests(table)
        report.manifests = count
    _explain_expiry(
        report, policy, expire.doomed(catalog, table, policy, consumers=around.consumers, now=around.now)
    )
    report.expired = expire.expire(catalog, table, policy, consumers=around.consumers, now=around.now)
    found = orphans.remove(table, policy, neighbours=around.neighbours, now=around.now)
    _explain_orphans(report, policy, found)
    report.before = replace(before, orphans=len(found.paths))
    report.after = replace(observe(table, policy), orphans=0)
    return report


def look(catalog: Catalog, table: Table, policy: Policy, around: Surroundings) -> Report:
    """Return what `maintain` would do, without doing any of it; `after` is what is to be expected."""
    before = observe(table, policy)
    report = Report(before, before)
    bins = plan_bins(table, policy)
    _explain_rewrite(report, table, policy, bins)
    files = sum(len(each.files) for each in bins)
    report.rewritten = Rewritten(files, len(bins), sum(each.bytes for each in bins), 0)
    if count := _manifests_due(table, policy):
        report.why.append(f"{count} small manifests: merge")
        report.manifests = count
    going = expire.doomed(catalog, table, policy, consumers=around.consumers, now=around.now)
    _explain_expiry(report, policy, going)
    report.expired = Expired(len(going.snapshots), 0)
    found = orphans.find(table, policy, neighbours=around.neighbours, now=around.now)
    _explain_orphans(report, policy, found)
    report.before = replace(before, orphans=len(found.paths))
    report.after = replace(
        before,
        files=before.files - files + len(bins),
        small_files=before.small_files - files + len(bins),
        manifests=before.manifests - max(report.manifests - 1, 0),
        snapshots=before.snapshots - len(going.snapshots),
        orphans=0,
    )
    return report


def _manifests_due(table: Table, policy: Policy) -> int:
    """Return how many small manifests the table has, if they are enough to be worth a commit."""
    snapshot = table.current_snapshot()
    small = small_manifests(snapshot.manifests(table.io)) if snapshot else []
    return len(small) if len(small) > policy.manifests else 0


def _explain_rewrite(report: Report, table: Table, policy: Policy, bins: list[Bin]) -> None:
    if bins:
        files = sum(len(each.files) for each in bins)
        report.why.append(
            f"{files} files under {policy.small:.0%} of {target_bytes(table, policy):,} bytes in "
            f"{len({str(each.partition) for each in bins})} partitions: rewrite into {len(bins)}"
        )


def _explain_expiry(report: Report, policy: Policy, going: Doomed) -> None:
    if going.snapshots:
        report.why.append(
            f"{len(going.snapshots)} snapshots beyond the newest {policy.keep_snapshots} are older than "
            f"{policy.keep_for}: expire"
        )
    if going.unlisted:
        report.why.append(
            f"{going.unlisted} older snapshots stay until `books` has copied what they say of files"
        )
    for consumer, count in going.held.items():
        report.why.append(f"{count} older snapshots stay for {consumer}, which has not read them")


def _explain_orphans(report: Report, policy: Policy, found: Orphans) -> None:
    report.removed = {"files": len(found.paths), "bytes": found.bytes}
    if found.paths:
        report.why.append(
            f"{len(found.paths)} files that nothing refers to are older than {policy.orphan_age.days} days: delete"
        )
