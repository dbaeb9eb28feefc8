"""Coarser partitions for small days: months, or years, where all rows of one fit into a file.

A file is in one partition, so a table of many small days is as many small files, whatever is merged. Iceberg lets the
partition spec change: new files are written by the new one, and old ones follow as they are merged.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.typedef import Record

from lakehouse.errors import CommitConflict, Transient
from lakehouse.tables.migrations import shape
from lakehouse.tables.replace_files import stage_in_order

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

    from lakehouse.tables.maintenance.observe import ObservedTable
    from lakehouse.tables.maintenance.policy import MaintenancePolicy

_EPOCH_YEAR: Final = 1970
_MONTHS: Final = 12
_NOT_YET: Final = -1  # the id of a spec that no table has
_EPOCH = dt.date(_EPOCH_YEAR, 1, 1)


@dataclass(frozen=True)
class CoarserPlan:
    """Which partition field becomes coarser; without one (`name` is empty) the spec stays.

    `partitions` counts those that there are now, `column` is what both fields partition by.
    """

    name: str = ""
    column: str = ""
    transform: str = ""
    partitions: int = 0

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.name)


def partition_in(file: DataFile, specs: dict[int, PartitionSpec], spec: PartitionSpec) -> Record | None:
    """Return the partition of `spec` that all rows of a file are in; None where the file's own spec does not say."""
    return _converted(file.partition, specs[file.spec_id], spec)


def plan_coarser(table: ObservedTable, policy: MaintenancePolicy) -> CoarserPlan:
    """Return the coarsest partition field of which a typical partition still fits into a file of the policy's size.

    Days and months become coarser, if there are many partitions and one field of the spec is by time.
    """
    current = {str(live.partition) for live in table.files if live.partition is not None}
    position = _time_field(table.spec)
    if position is None or len(current) < policy.min_partitions_to_coarsen:
        return CoarserPlan()
    field = table.spec.fields[position]
    finer = shape.BY_FINENESS.index(str(field.transform))
    for transform in reversed(shape.BY_FINENESS[finer + 1 :]):
        spec = _with_transform(table.spec, position, transform)
        sizes: dict[str, int] = defaultdict(int)
        for live in in_spec(table, spec).files:
            if live.partition is not None:
                sizes[str(live.partition)] += live.file.file_size_in_bytes
        if median(sizes.values()) <= policy.coarser_partition_bytes:
            return CoarserPlan(field.name, table.columns[field.source_id], transform, len(current))
    return CoarserPlan()


def in_spec(table: ObservedTable, spec: PartitionSpec) -> ObservedTable:
    """Return the table as it would be with another spec: each file in the partition that its rows would be in."""
    files = tuple(
        replace(live, partition=live.partition and _converted(live.partition, table.spec, spec))
        for live in table.files
    )
    return replace(table, files=files, spec=spec)


def spec_of(table: ObservedTable, plan: CoarserPlan) -> PartitionSpec:
    """Return the table's spec once the plan is applied."""
    if not plan:
        return table.spec
    names = [field.name for field in table.spec.fields]
    return _with_transform(table.spec, names.index(plan.name), plan.transform)


def apply(table: Table, plan: CoarserPlan) -> None:
    """Change the partition spec. Writers who have loaded the table go on with the old one: both may stand in a table.

    Raises CommitConflict when the table was changed by others, and Transient when the outcome is unknown.
    """
    name = ".".join(table.name())
    new_name = f"{plan.column}_{plan.transform}"
    try:
        with table.transaction() as transaction:
            stage_in_order(transaction)
            with transaction.update_spec() as update:
                update.remove_field(plan.name)
                update.add_field(plan.column, shape.TRANSFORMS[plan.transform](), new_name)
    except Exception as error:
        if new_name in {field.name for field in table.refresh().spec().fields}:
            return
        if isinstance(error, CommitFailedException):
            raise CommitConflict(
                f"{name}: the table was changed while its partitions were made coarser"
            ) from error
        raise Transient(f"{name}: the outcome of a change of its partitions is unknown") from error


def _time_field(spec: PartitionSpec) -> int | None:
    """Return the position of the one field that is by time and may be coarser; None where there is none, or two."""
    positions = [
        position
        for position, field in enumerate(spec.fields)
        if str(field.transform) in shape.BY_FINENESS[:-1]
    ]
    return positions[0] if len(positions) == 1 else None


def _with_transform(spec: PartitionSpec, position: int, transform: str) -> PartitionSpec:
    fields = list(spec.fields)
    old = fields[position]
    fields[position] = PartitionField(old.source_id, old.field_id, shape.TRANSFORMS[transform](), old.name)
    return PartitionSpec(*fields, spec_id=_NOT_YET)


def _converted(partition: Record, old: PartitionSpec, new: PartitionSpec) -> Record | None:
    """Return the partition of a new spec that a partition of an old one lies in; None where it may be several."""
    by_source = {field.source_id: position for position, field in enumerate(old.fields)}
    values = []
    for field in new.fields:
        position = by_source.get(field.source_id)
        if position is None:
            return None
        was, will_be = str(old.fields[position].transform), str(field.transform)
        if not shape.coarsens(was, will_be, or_equal=True):
            return None
        try:
            values.append(_coarser_value(partition[position], was, will_be))
        except OverflowError:  # a day that no calendar of Python has
            return None
    return Record(*values)


def _coarser_value(value: Any, was: str, will_be: str) -> Any:
    """Return the value of a coarser transform; Iceberg counts days, months and years from 1970, null is null."""
    if value is None or was == will_be:
        return value
    months = value
    if was == "day":
        day = value if isinstance(value, dt.date) else _EPOCH + dt.timedelta(days=value)
        months = (day.year - _EPOCH_YEAR) * _MONTHS + day.month - 1
    return months if will_be == "month" else months // _MONTHS
