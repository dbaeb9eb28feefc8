"""What a table's metadata and manifests say, read once: the input of all plans about its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFileContent
from pyiceberg.types import PrimitiveType

from lakehouse.errors import Terminal
from lakehouse.tables.commit import live_entries
from lakehouse.tables.maintenance.coarser import partition_in

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.table import Table
    from pyiceberg.typedef import Record

    from lakehouse.tables.maintenance.policy import MaintenancePolicy


@dataclass(frozen=True)
class LiveFile:
    """A data file of the current snapshot; `sort_key` orders files by where they begin in the table's sort order.

    `partition` is the one of the table's current spec that all its rows are in; None where its own spec does not say.
    """

    file: DataFile
    sort_key: tuple[object, ...]
    partition: Record | None


@dataclass(frozen=True)
class ObservedTable:
    """A table as its current snapshot describes it.

    `columns` has the columns' names by field id; `delete_files` counts those by which other engines deleted rows.
    """

    target_file_bytes: int
    spec: PartitionSpec
    files: tuple[LiveFile, ...]
    manifests: tuple[ManifestFile, ...]
    snapshots: int
    columns: Mapping[int, str] = field(default_factory=dict)
    delete_files: int = 0


def observe(table: Table, policy: MaintenancePolicy) -> ObservedTable:
    """Read the current snapshot's manifests; Terminal for a target file size that is no size."""
    snapshot, specs, spec = table.current_snapshot(), table.specs(), table.spec()
    live = [entry.data_file for entry in live_entries(table)]
    files = [file for file in live if file.content == DataFileContent.DATA]
    return ObservedTable(
        target_file_bytes=_target_file_bytes(table, policy),
        spec=spec,
        files=tuple(
            LiveFile(file, _sort_key(table, file), partition_in(file, specs, spec)) for file in files
        ),
        manifests=tuple(snapshot.manifests(table.io)) if snapshot else (),
        snapshots=len(table.metadata.snapshots),
        columns={field.field_id: field.name for field in table.schema().fields},
        delete_files=len(live) - len(files),
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
