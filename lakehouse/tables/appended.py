"""What was added to a table since somebody read it: new data files only, or nothing that can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.table.snapshots import Operation

from lakehouse.tables.commit import head_of, rewrites

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


def paths_since(table: Table, head: str) -> list[str] | None:
    """Return the data files that hold the rows which came after `head` (see `commit.head`), each row once.

    None where that cannot be told: rows were deleted or replaced meanwhile, or that snapshot has expired. Rewrites of
    files bring no rows, and the files named here may have been rewritten since; while `head` is kept, so are they.
    """
    added: list[str] = []
    snapshot = table.current_snapshot()
    while snapshot is not None and head_of(snapshot) != head:
        if not rewrites(snapshot):
            if snapshot.summary is None or snapshot.summary.operation != Operation.APPEND:
                return None
            added.extend(_added(table, snapshot))
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else table.metadata.snapshot_by_id(parent)
    return None if snapshot is None else added


def _added(table: Table, snapshot: Snapshot) -> Iterator[str]:
    """Yield the data files that a snapshot's commit added."""
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot.snapshot_id:
            continue
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            if entry.status == ManifestEntryStatus.ADDED:
                yield entry.data_file.file_path
