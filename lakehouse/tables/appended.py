"""What became of a table since somebody read it: the data files that were added, or those that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyiceberg.manifest import DataFileContent, ManifestEntryStatus
from pyiceberg.table.snapshots import Operation

from lakehouse.tables.commit import head_of, live_manifests, rewrites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


class Files(NamedTuple):
    """Data files of a table, and how many rows they hold."""

    paths: list[str]
    rows: int


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


def differing_files(table: Table, snapshot_id: int) -> tuple[Files, Files] | None:
    """Return the data files that a snapshot has and the current one has not, and those that came instead.

    Rows of files that both have are the same. None where either has another engine's delete files: then not all rows
    of a file are the table's.
    """
    went = _files(table, table.metadata.snapshot_by_id(snapshot_id))
    here = _files(table, table.current_snapshot())
    if went is None or here is None:
        return None
    return _besides(went, here), _besides(here, went)


def current_files(table: Table) -> Files | None:
    """Return the data files of the current snapshot; None where it has another engine's delete files."""
    found = _files(table, table.current_snapshot())
    return None if found is None else Files(list(found), sum(found.values()))


def _besides(files: Mapping[str, int], others: Mapping[str, int]) -> Files:
    left = {path: rows for path, rows in files.items() if path not in others}
    return Files(list(left), sum(left.values()))


def _files(table: Table, snapshot: Snapshot | None) -> dict[str, int] | None:
    """Return a snapshot's data files by path, with their rows; None where it has delete files."""
    found: dict[str, int] = {}
    for manifest in [] if snapshot is None else live_manifests(snapshot, table.io):
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            if entry.data_file.content != DataFileContent.DATA:
                return None
            found[entry.data_file.file_path] = entry.data_file.record_count
    return found


def _added(table: Table, snapshot: Snapshot) -> Iterator[str]:
    """Yield the data files that a snapshot's commit added."""
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot.snapshot_id:
            continue
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            if entry.status == ManifestEntryStatus.ADDED:
                yield entry.data_file.file_path
