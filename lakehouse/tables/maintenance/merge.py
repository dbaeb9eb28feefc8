"""Merges small manifests: each of them costs every reader a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.tables.maintenance.table_plan import MergePlan, plan_merge
from lakehouse.tables.replace_files import replace_manifests

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from lakehouse.tables.maintenance.policy import MaintenancePolicy


def merge_manifests(table: Table, policy: MaintenancePolicy) -> MergePlan:
    """Merge the small manifests of the current snapshot, if they are enough, and return which they were.

    The commit merges what is small at its moment: a manifest that another writer adds meanwhile is merged as well.
    Raises CommitConflict, or Transient when the outcome is unknown.
    """
    snapshot = table.current_snapshot()
    plan = plan_merge(snapshot.manifests(table.io) if snapshot else [], policy)
    if plan.manifests:
        replace_manifests(table)
    return plan
