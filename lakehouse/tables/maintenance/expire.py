"""Expires snapshots that nobody needs, and deletes the files that only they referred to.

What holds a snapshot: it is among the newest, or young, or a branch or tag names it; its summary is the only record
of a raw file; or a consumer has not read it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.update.snapshot import ExpireSnapshots

from lakehouse.errors import CommitConflict, Transient
from lakehouse.retrying import retry_on_conflict
from lakehouse.tables import commit, ledger
from lakehouse.tables.maintenance import reachability
from lakehouse.tables.maintenance.policy import EXPIRY_RETRIES, MaintenancePolicy
from lakehouse.tables.maintenance.table_plan import (
    ExpiryPlan,
    ObservedSnapshots,
    plan_expiry,
    record_ids,
    unneeded_snapshots,
)
from lakehouse.tables.replace_files import stage_in_order

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table

DEFAULT = MaintenancePolicy()


@dataclass(frozen=True)
class Expired:
    """How many snapshots an expiry removed from a table, and how many files it deleted."""

    snapshots: int
    files: int


def watermarks(tables: Iterable[Table]) -> dict[str, dict[str, str]]:
    """Return for each table who reads it and up to which head it has come, as the readers' own snapshots say."""
    heads: dict[str, dict[str, str]] = defaultdict(dict)
    for table in tables:
        for name, head in commit.inputs(table).items():
            heads[name][".".join(table.name())] = head
    return dict(heads)


def expire(
    catalog: Catalog,
    table: Table,
    policy: MaintenancePolicy = DEFAULT,
    *,
    consumers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Expired:
    """Expire what nobody needs and say how much that was; see `expire_planned`."""
    return expire_planned(catalog, table, policy, consumers or {}, now or datetime.now(UTC))[1]


def expire_planned(
    catalog: Catalog, table: Table, policy: MaintenancePolicy, consumers: Mapping[str, str], now: datetime
) -> tuple[ExpiryPlan, Expired]:
    """Plan an expiry and apply it; when another writer was first, plan again. Return the plan that was applied.

    Files are deleted after the snapshots, and only those that no remaining snapshot refers to. Raises CommitConflict
    when the catalog refuses again and again; Transient when nobody knows whether it did.
    """

    def plan_and_apply() -> tuple[ExpiryPlan, Expired]:
        observed = observe_snapshots(catalog, table, policy, consumers, now)
        plan = plan_expiry(observed, policy, now)
        return plan, apply(table, plan)

    return retry_on_conflict(plan_and_apply, EXPIRY_RETRIES)


def observe_snapshots(
    catalog: Catalog, table: Table, policy: MaintenancePolicy, consumers: Mapping[str, str], now: datetime
) -> ObservedSnapshots:
    """Read the snapshots of the table as it was loaded, and ask the ledger about those that may go otherwise."""
    snapshots = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    referenced = {reference.snapshot_id for reference in table.metadata.refs.values()}
    observed = ObservedSnapshots(tuple(snapshots), frozenset(referenced), consumers)
    carried = record_ids(unneeded_snapshots(observed, policy, now))
    return replace(observed, in_ledger=frozenset(ledger.in_ledger(catalog, carried)))


def apply(table: Table, plan: ExpiryPlan) -> Expired:
    """Remove the plan's snapshots, then the files that no other snapshot refers to.

    Raises CommitConflict when another writer was first (nothing was done), and Transient when nobody knows whether
    the snapshots were removed.
    """
    if not plan.expirable:
        return Expired(0, 0)
    manifests = reachability.manifests_of(table, plan.expirable)
    _remove_snapshots(table, plan)
    freed = _unreachable_files(table, plan, manifests)
    reachability.delete(table, freed)
    return Expired(len(plan.expirable), len(freed))


def _unreachable_files(table: Table, plan: ExpiryPlan, manifests: dict[str, ManifestFile]) -> set[str]:
    """Return the files that the expired snapshots alone referred to; `manifests` are those of the expired ones."""
    live = reachability.manifests_of(table, table.metadata.snapshots)
    unreachable = [manifest for path, manifest in manifests.items() if path not in live]
    freed = {manifest.manifest_path for manifest in unreachable}
    freed |= {snapshot.manifest_list for snapshot in plan.expirable}
    if data_files := reachability.data_files_of(table, unreachable):
        freed |= data_files - reachability.data_files_of(table, live.values())
    return freed


def _remove_snapshots(table: Table, plan: ExpiryPlan) -> None:
    """Remove snapshots from the metadata; CommitConflict when another writer was first, so that one plans again."""
    name = ".".join(table.name())
    ids = [snapshot.snapshot_id for snapshot in plan.expirable]
    try:
        with table.transaction() as transaction:
            stage_in_order(transaction)
            ExpireSnapshots(transaction).by_ids(ids).commit()
    except (CommitFailedException, ValueError) as error:  # ValueError: somebody expired one of them
        table.refresh()
        raise CommitConflict(f"{name}: snapshots could not be expired beside other writers") from error
    except Exception as error:
        # The catalog may have done it and failed to say so.
        live = {snapshot.snapshot_id for snapshot in table.refresh().metadata.snapshots}
        if live & set(ids):
            raise Transient(f"{name}: the outcome of an expiry is unknown") from error
    table.refresh()
