"""Merges small manifests, each of which costs every reader a request, and writes those anew that say what is not so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.tables.maintenance.observe import observe
from lakehouse.tables.maintenance.table_plan import MergePlan, plan_merge
from lakehouse.tables.replace_files import replace_manifests

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from lakehouse.tables.maintenance.policy import MaintenancePolicy


def merge_manifests(table: Table, policy: MaintenancePolicy) -> MergePlan:
    """Merge the small manifests of the current snapshot, if they are enough, and return which they were.

    Files that claim a sort order claim it no more. The commit merges what is small at its moment: a manifest that
    another writer adds meanwhile is merged as well. Raises CommitConflict, or Transient when the outcome is unknown.
    """
    plan = plan_merge(observe(table, policy), policy)
    if plan.manifests:
        replace_manifests(table)
    elif plan.claims:
        replace_manifests(table, merge=False)
    return plan
