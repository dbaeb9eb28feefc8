"""Which files snapshots refer to, and how files are deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from lakehouse.tables.maintenance.policy import FileAccessPolicy

if TYPE_CHECKING:
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


def manifests_of(table: Table, snapshots: Iterable[Snapshot]) -> dict[str, ManifestFile]:
    """Return the manifests that snapshots list, by path; raises where a manifest list cannot be read."""
    with ThreadPoolExecutor(FileAccessPolicy.threads) as pool:
        manifest_lists = pool.map(lambda snapshot: snapshot.manifests(table.io), snapshots)
        return {manifest.manifest_path: manifest for manifests in manifest_lists for manifest in manifests}


def data_files_of(table: Table, manifests: Iterable[ManifestFile]) -> set[str]:
    """Return the paths that manifests hold as live; raises where one of them cannot be read."""

    def paths(manifest: ManifestFile) -> set[str]:
        entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        return {entry.data_file.file_path for entry in entries}

    with ThreadPoolExecutor(FileAccessPolicy.threads) as pool:
        return set().union(*pool.map(paths, manifests))


def delete(table: Table, paths: Collection[str]) -> None:
    """Delete files; one that has gone already counts as deleted.

    A file that cannot be deleted does not stop the others; its error is raised once all were tried.
    """

    def delete_one(path: str) -> None:
        with suppress(FileNotFoundError):
            table.io.delete(path)

    with ThreadPoolExecutor(FileAccessPolicy.threads) as pool:
        deletions = [pool.submit(delete_one, path) for path in paths]
    for deletion in deletions:
        deletion.result()
