"""One table from end to end: plan each step, apply it, and report what was done and why; or only plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.progress import Progress, no_progress
from lakehouse.retrying import retry_on_conflict
from lakehouse.tables.maintenance import coarser, expire, orphans
from lakehouse.tables.maintenance.coarser import CoarserPlan
from lakehouse.tables.maintenance.expire import Expired
from lakehouse.tables.maintenance.explain import explain
from lakehouse.tables.maintenance.merge import merge_manifests
from lakehouse.tables.maintenance.observe import observe
from lakehouse.tables.maintenance.policy import REWRITE_RETRIES
from lakehouse.tables.maintenance.rewrite import Rewritten, rewrite
from lakehouse.tables.maintenance.table_plan import (
    MaintenancePlan,
    TableState,
    expected_state,
    plan_maintenance,
    table_state,
)

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from lakehouse.settings import Settings
    from lakehouse.tables.maintenance.policy import MaintenancePolicy


@dataclass(frozen=True)
class Report:
    """A table before and after, and the plan that was applied; of a dry run, the plan that would be."""

    before: TableState
    after: TableState
    plan: MaintenancePlan
    expired: Expired
    rewrite_commits: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the report in the shape of `maintain --json`."""
        return {
            "before": asdict(self.before),
            "after": asdict(self.after),
            "rewritten": Rewritten(self.plan.rewrite, self.rewrite_commits).as_json(),
            "manifests": len(self.plan.merge.manifests),
            "expired": asdict(self.expired),
            "removed": {"files": len(self.plan.orphans.files), "bytes": self.plan.orphans.bytes},
            "why": explain(self.plan),
        }


@dataclass(frozen=True)
class MaintenanceContext:
    """What one table's maintenance must respect: its readers, the other tables' locations, the clock.

    `consumers` are the readers' names with the head that each has come to.
    """

    consumers: Mapping[str, str] = field(default_factory=dict)
    neighbours: Collection[str] = ()
    now: datetime | None = None

    @property
    def moment(self) -> datetime:
        """Return the time by which ages are measured."""
        return self.now or datetime.now(UTC)


def maintain(
    settings: Settings,
    catalog: Catalog,
    table: Table,
    policy: MaintenancePolicy,
    context: MaintenanceContext,
    progress: Progress = no_progress,
) -> Report:
    """Maintain a table: coarsen, rewrite, merge manifests, expire, remove orphans; each frees something for the next.

    Each step is planned when the one before is done. The report holds the plans that were applied in the end, so
    what it explains is what happened, whatever other writers did meanwhile.
    """
    before = table_state(observe(table, policy), policy)
    coarser_plan = coarsen(table, policy)
    rewritten = rewrite(settings, table, policy, progress)
    merge_plan = merge_manifests(table, policy)
    expiry_plan, expired = expire.expire_planned(catalog, table, policy, context.consumers, context.moment)
    orphan_plan = orphans.remove(table, policy, neighbours=context.neighbours, now=context.moment)
    plan = MaintenancePlan(coarser_plan, rewritten.plan, merge_plan, expiry_plan, orphan_plan, policy)
    after = table_state(observe(table, policy), policy)
    return Report(
        replace(before, orphans=len(orphan_plan.files)),
        replace(after, orphans=0),
        plan,
        expired,
        rewritten.commits,
    )


def coarsen(table: Table, policy: MaintenancePolicy) -> CoarserPlan:
    """Make the partitions coarser where that is worth it, and return what was planned."""

    def plan_and_apply() -> CoarserPlan:
        plan = coarser.plan_coarser(observe(table.refresh(), policy), policy)
        if plan:
            coarser.apply(table, plan)
        return plan

    return retry_on_conflict(plan_and_apply, REWRITE_RETRIES)


def look(catalog: Catalog, table: Table, policy: MaintenancePolicy, context: MaintenanceContext) -> Report:
    """Return what `maintain` would do, without doing any of it; `after` is what is to be expected."""
    observed = observe(table, policy)
    now = context.moment
    snapshots = expire.observe_snapshots(catalog, table, policy, context.consumers, now)
    files = orphans.observe_files(table, context.neighbours)
    plan = plan_maintenance(observed, snapshots, files, policy, now)
    before = replace(table_state(observed, policy), orphans=len(plan.orphans.files))
    expired = Expired(len(plan.expiry.expirable), 0)
    return Report(before, expected_state(before, plan), plan, expired)
