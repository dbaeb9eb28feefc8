"""Expires snapshots that nobody needs, and deletes the files that only they referred to.

What holds a snapshot: it is among the newest, or young, or a branch or tag names it; its summary is the only word on
a raw file; or a consumer has not come past it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyiceberg.exceptions import CommitFailedException

from lakehouse.errors import CommitConflict, Transient
from lakehouse.tables import commit, ledger
from lakehouse.tables.commit import file_records
from lakehouse.tables.maintenance import reachability
from lakehouse.tables.maintenance.table_plan import Policy

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

_ATTEMPTS = 10
DEFAULT = Policy()


@dataclass(frozen=True)
class Expired:
    """What an expiry removed from a table."""

    snapshots: int
    files: int


@dataclass(frozen=True)
class Doomed:
    """What may go, and how many older ones stay for the ledger's or for a consumer's sake."""

    snapshots: list[Snapshot] = field(default_factory=list)
    unlisted: int = 0
    held: dict[str, int] = field(default_factory=dict)


def watermarks(tables: Iterable[Table]) -> dict[str, dict[str, str]]:
    """Return for each table who reads it and up to which head it has come, as the readers' own snapshots say."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table in tables:
        for name, head in commit.inputs(table).items():
            found[name][".".join(table.name())] = head
    return dict(found)


def expire(
    catalog: Catalog,
    table: Table,
    policy: Policy = DEFAULT,
    *,
    consumers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Expired:
    """Expire the snapshots that `doomed` returns; files go after them, and only those that none left refers to.

    Raises CommitConflict when the catalog refuses again and again; Transient when nobody knows whether it did.
    """
    for _ in range(_ATTEMPTS):
        going = doomed(catalog, table, policy, consumers=consumers, now=now).snapshots
        if not going:
            return Expired(0, 0)
        manifests = reachability.manifests_of(table, going)
        if _expire(table, [snapshot.snapshot_id for snapshot in going]):
            break
    else:
        raise CommitConflict(f"{'.'.join(table.name())}: snapshots could not be expired beside other writers")
    live = reachability.manifests_of(table, table.metadata.snapshots)
    gone = [manifest for path, manifest in manifests.items() if path not in live]
    freed = {manifest.manifest_path for manifest in gone} | {snapshot.manifest_list for snapshot in going}
    if data := reachability.data_files_of(table, gone):
        freed |= data - reachability.data_files_of(table, live.values())
    reachability.delete(table, freed)
    return Expired(len(going), len(freed))


def doomed(
    catalog: Catalog,
    table: Table,
    policy: Policy,
    *,
    consumers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Doomed:
    """Return which snapshots may go: beyond the newest `keep_snapshots`, older than `keep_for`, needed by nobody.

    A snapshot whose summary names a raw file that the ledger does not list yet stays: the summary is the only word on
    that file. So does what a consumer (name and head it has come to) has not seen, until it is `hold_for` old.
    """
    now = now or datetime.now(UTC)
    snapshots = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    named = {ref.snapshot_id for ref in table.metadata.refs.values()}
    limit = _ms(now - policy.keep_for)
    newest = snapshots[max(len(snapshots) - policy.keep_snapshots, 0) :]
    kept = named | {snapshot.snapshot_id for snapshot in newest}
    old = [s for s in snapshots if s.snapshot_id not in kept and s.timestamp_ms < limit]
    held: dict[str, int] = {}
    free = {snapshot.snapshot_id for snapshot in old}
    for consumer, head in (consumers or {}).items():
        unseen = {
            s.snapshot_id for s in _unseen(snapshots, head) if s.timestamp_ms >= _ms(now - policy.hold_for)
        }
        if count := sum(snapshot.snapshot_id in unseen for snapshot in old):
            held[consumer] = count
        free -= unseen
    old = [snapshot for snapshot in old if snapshot.snapshot_id in free]
    copied = ledger.in_ledger(catalog, {record.id for s in old for record in file_records(s)})
    listed = [s for s in old if {record.id for record in file_records(s)} <= copied]
    return Doomed(listed, len(old) - len(listed), held)


def _unseen(snapshots: list[Snapshot], head: str) -> list[Snapshot]:
    """Return the snapshots from a consumer's watermark on, oldest first as given; all where none has that head."""
    places = [
        n
        for n, snapshot in enumerate(snapshots)
        if head in (commit.head_of(snapshot), str(snapshot.snapshot_id))
    ]
    return snapshots[places[-1] if places else 0 :]


def _expire(table: Table, ids: list[int]) -> bool:
    """Remove snapshots from the metadata; return False when another writer was first, so that one looks again."""
    try:
        table.maintenance.expire_snapshots().by_ids(ids).commit()
    except (CommitFailedException, ValueError):  # ValueError: somebody expired one of them
        table.refresh()
        return False
    except Exception as error:
        # The catalog may have done it and failed to say so.
        live = {snapshot.snapshot_id for snapshot in table.refresh().metadata.snapshots}
        if live & set(ids):
            raise Transient(f"{'.'.join(table.name())}: the outcome of an expiry is unknown") from error
    table.refresh()
    return True


def _ms(moment: datetime) -> float:
    return moment.timestamp() * 1000
