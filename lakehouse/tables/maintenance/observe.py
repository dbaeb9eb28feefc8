"""What a table's metadata and manifests say, read once: the input of all plans about its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.conversions import from_bytes
from pyiceberg.types import PrimitiveType

from lakehouse.errors import Terminal
from lakehouse.tables.commit import live_files

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.table import Table

    from lakehouse.tables.maintenance.policy import MaintenancePolicy


@dataclass(frozen=True)
class LiveFile:
    """A data file of the current snapshot; `sort_key` orders files by where they begin in the table's sort order."""

    file: DataFile
    sort_key: tuple[object, ...]


@dataclass(frozen=True)
class ObservedTable:
    """A table as its current snapshot describes it."""

    target_file_bytes: int
    partition_spec_id: int
    files: tuple[LiveFile, ...]
    manifests: tuple[ManifestFile, ...]
    snapshots: int


def observe(table: Table, policy: MaintenancePolicy) -> ObservedTable:
    """Read the current snapshot's manifests; Terminal for a target file size that is no size."""
    snapshot = table.current_snapshot()
    return ObservedTable(
        target_file_bytes=_target_file_bytes(table, policy),
        partition_spec_id=table.spec().spec_id,
        files=tuple(LiveFile(file, _sort_key(table, file)) for file in live_files(table)),
        manifests=tuple(snapshot.manifests(table.io)) if snapshot else (),
        snapshots=len(table.metadata.snapshots),
    )


def _target_file_bytes(table: Table, policy: MaintenancePolicy) -> int:
    text = table.properties.get("write.target-file-size-bytes", str(policy.target_file_bytes))
    if not text.isdecimal() or int(text) == 0:
        raise Terminal(
            f"{'.'.join(table.name())}: write.target-file-size-bytes is {text!r}, not a number of bytes"
        )
    return int(text)


def _sort_key(table: Table, file: DataFile) -> tuple[object, ...]:
    """Return the lower bound of the first sort column; files without one come first, by path."""
    unknown = (0, file.file_path)
    sort_fields = table.sort_order().fields
    if not sort_fields:
        return unknown
    field_id = sort_fields[0].source_id
    field_type = table.schema().find_type(field_id)
    lower_bound = (file.lower_bounds or {}).get(field_id)
    if lower_bound is None or not isinstance(field_type, PrimitiveType):
        return unknown
    return (1, from_bytes(field_type, lower_bound))
