"""Why a table is maintained: the sentences that `lakehouse maintain` prints, from the plan that is applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakehouse.tables.maintenance.coarser import CoarserPlan
    from lakehouse.tables.maintenance.policy import MaintenancePolicy
    from lakehouse.tables.maintenance.table_plan import (
        ExpiryPlan,
        MaintenancePlan,
        MergePlan,
        OrphanPlan,
        RewritePlan,
    )


def explain(plan: MaintenancePlan) -> list[str]:
    """Return a sentence for each thing that is done, or left for a reason; none where there is nothing to do."""
    return [
        *_explain_coarser(plan.coarser, plan.policy),
        *_explain_rewrite(plan.rewrite, plan.policy),
        *_explain_merge(plan.merge),
        *_explain_expiry(plan.expiry, plan.policy),
        *_explain_orphans(plan.orphans, plan.policy),
    ]


def _explain_coarser(plan: CoarserPlan, policy: MaintenancePolicy) -> Iterator[str]:
    if plan:
        yield (
            f"{plan.partitions} partitions by {plan.name}, of which a typical {plan.transform} has at most "
            f"{policy.coarser_partition_bytes:,} bytes: partition by {plan.transform}({plan.column})"
        )


def _explain_rewrite(plan: RewritePlan, policy: MaintenancePolicy) -> Iterator[str]:
    if plan.bins:
        yield (
            f"{plan.files} files under {policy.small_file_share:.0%} of {plan.target_file_bytes:,} bytes in "
            f"{plan.partitions} partitions: rewrite into {len(plan.bins)}"
        )
    if plan.delete_files:
        yield (
            f"{plan.delete_files} delete files of another engine, which has to rewrite its table first "
            "(Spark: CALL system.rewrite_data_files)"
        )
    if plan.lost_bins:
        yield f"{plan.lost_bins} rewrites lost every race against other writers; next time"


def _explain_merge(plan: MergePlan) -> Iterator[str]:
    if plan.manifests:
        yield f"{len(plan.manifests)} small manifests: merge"
    if plan.claims:
        yield f"{plan.claims} files claim to be sorted, which nobody has checked: take the claims out of the manifests"


def _explain_expiry(plan: ExpiryPlan, policy: MaintenancePolicy) -> Iterator[str]:
    if plan.expirable:
        yield (
            f"{len(plan.expirable)} snapshots beyond the newest {policy.min_snapshots_to_keep} are older than "
            f"{policy.max_snapshot_age}: expire"
        )
    if plan.kept_for_ledger:
        yield f"{plan.kept_for_ledger} older snapshots stay until `books` has copied what they say of files"
    for consumer, count in plan.kept_for_consumers.items():
        yield f"{count} older snapshots stay for {consumer}, which has not read them"


def _explain_orphans(plan: OrphanPlan, policy: MaintenancePolicy) -> Iterator[str]:
    if plan.files:
        yield (
            f"{len(plan.files)} files that nothing refers to are older than {policy.min_orphan_age.days} days: delete"
        )
