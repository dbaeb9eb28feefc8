"""Whether a commit took effect, asked after its answer was lost or was a refusal.

The catalog names a snapshot only while it is live. A process that slept between its commit and this question, as a
laptop's does overnight, may find its snapshot expired, and the files that it brought in the table all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.table.metadata import TableMetadataV1

from lakehouse.errors import Transient
from lakehouse.tables.maintenance import reachability

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata


@dataclass(frozen=True)
class Attempt:
    """A commit that was tried: its snapshot, what the table was before, and the files written for it.

    `base_sequence_number` is the table's last one when the attempt began: a commit that comes later has a larger one.
    """

    snapshot_id: int
    base_sequence_number: int
    manifests: Collection[str]
    data_files: Collection[str]


def took_effect(table: Table, attempt: Attempt) -> bool:
    """Return whether the attempt is in the table, which is loaded again.

    False also for one whose snapshot has expired and of whose files no live snapshot refers to any: they may be
    deleted, and who looks again finds what it brought in the ledger or in the table's rows. Raises Transient when the
    catalog, or a manifest that may tell, cannot be read.
    """
    name = ".".join(table.name())
    try:
        metadata = table.refresh().metadata
    except Exception as error:
        raise Transient(
            f"{name}: the outcome of a commit is unknown and the catalog does not answer"
        ) from error
    if metadata.snapshot_by_id(attempt.snapshot_id) is not None:
        return True
    if has_all_since(metadata, attempt.base_sequence_number):
        return False
    try:
        return _is_referred_to(table, attempt)
    except Exception as error:
        raise Transient(
            f"{name}: the outcome of a commit is unknown, snapshots have expired since, and manifests cannot be read"
        ) from error


def has_all_since(metadata: TableMetadata, base_sequence_number: int) -> bool:
    """Return whether every snapshot that was committed after the base is still live.

    Each takes the next sequence number, as the spec of Iceberg v2 says.
    """
    live = {snapshot.sequence_number for snapshot in metadata.snapshots}
    return live.issuperset(range(base_sequence_number + 1, last_sequence_number(metadata) + 1))


def last_sequence_number(metadata: TableMetadata) -> int:
    """Return the number of the newest commit; format version 1, which none of our tables has, counts none."""
    return 0 if isinstance(metadata, TableMetadataV1) else metadata.last_sequence_number


def _is_referred_to(table: Table, attempt: Attempt) -> bool:
    """Return whether a live snapshot refers to a file of the attempt; manifests are read only if their names do not."""
    manifests = reachability.manifests_of(table, table.metadata.snapshots)
    if not manifests.keys().isdisjoint(attempt.manifests):
        return True
    if not attempt.data_files:
        return False
    return not reachability.data_files_of(table, manifests.values()).isdisjoint(attempt.data_files)
