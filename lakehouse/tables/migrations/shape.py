"""A contract in Iceberg's terms: schema, partition spec, sort order, properties."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform, MonthTransform, YearTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from lakehouse.tables.contract import Column
from lakehouse.tables.policy import NewTablePolicy

if TYPE_CHECKING:
    from lakehouse.tables.contract import Contract

NUMBER = "lakehouse.migration"  # the newest migration that was applied to the table
_METRICS = "write.metadata.metrics.column."
_TYPES: dict[str, IcebergType] = {
    "string": StringType(),
    "int": IntegerType(),
    "long": LongType(),
    "float": FloatType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "timestamptz": TimestamptzType(),
}
TRANSFORMS = {
    "identity": IdentityTransform,
    "day": DayTransform,
    "month": MonthTransform,
    "year": YearTransform,
}
BY_FINENESS = ("day", "month", "year")
_PROPERTIES = {
    "write.parquet.compression-codec": "zstd",
    "commit.retry.num-retries": str(NewTablePolicy.commit_retries),
    "commit.retry.min-wait-ms": str(NewTablePolicy.commit_min_wait_ms),
    "commit.retry.max-wait-ms": str(NewTablePolicy.commit_max_wait_ms),
    "commit.retry.total-timeout-ms": str(NewTablePolicy.commit_timeout_ms),
    "write.metadata.delete-after-commit.enabled": "true",
    # Readers name the metadata file that was newest when they connected, so some old ones stay.
    "write.metadata.previous-versions-max": str(NewTablePolicy.previous_metadata_files),
}
_FIRST_PARTITION_FIELD_ID: Final = 1000  # Iceberg's spec: partition field ids begin there


def iceberg_type(name: str) -> IcebergType:
    """Return Iceberg's type of a contract's type name."""
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", name):
        return DecimalType(int(match[1]), int(match[2]))
    return _TYPES[name]


def type_name(iceberg: IcebergType) -> str:
    """Return the contract's name of an Iceberg type."""
    return str(iceberg).replace(" ", "")


def placeholder(field_id: int) -> Column:
    """Return the column that uses up the field id of a dropped one."""
    return Column(f"_dropped_{field_id}", "string", "Uses up the field id of a column that was dropped")


def schema(contract: Contract) -> Schema:
    """Return the schema to make a table with; placeholders keep dropped columns' ids, as catalogs number anew."""
    ids = contract.field_ids()
    fields = [
        NestedField(ids[column.name], column.name, iceberg_type(column.type), doc=column.doc)
        for column in contract.columns
    ]
    fields += [
        NestedField(field_id, placeholder(field_id).name, StringType()) for field_id in contract.dropped
    ]
    return Schema(*sorted(fields, key=lambda field: field.field_id))


def spec(contract: Contract) -> PartitionSpec:
    """Return the partition spec."""
    ids = contract.field_ids()
    fields = [
        PartitionField(ids[part.column], field_id, TRANSFORMS[part.transform](), part.name)
        for field_id, part in enumerate(contract.partition, start=_FIRST_PARTITION_FIELD_ID)
    ]
    return PartitionSpec(*fields)


def is_coarser(spec: PartitionSpec, target: PartitionSpec) -> bool:
    """Return whether a spec partitions by the target's columns, none of them more finely and some less, by time."""
    finest = {field.source_id: str(field.transform) for field in target.fields}
    transforms = {field.source_id: str(field.transform) for field in spec.fields}
    if transforms.keys() != finest.keys() or transforms == finest:
        return False
    return all(coarsens(finest[source_id], new, or_equal=True) for source_id, new in transforms.items())


def coarsens(old: str, new: str, *, or_equal: bool = False) -> bool:
    """Return whether all rows of a partition by transform `old` are in one partition by transform `new`."""
    if old == new:
        return or_equal
    by_time = {old, new} <= set(BY_FINENESS)
    return by_time and BY_FINENESS.index(old) < BY_FINENESS.index(new)


def sort_order(contract: Contract) -> SortOrder:
    """Return the sort order."""
    ids = contract.field_ids()
    return SortOrder(*(SortField(ids[name], transform=IdentityTransform()) for name in contract.sort))


def properties(contract: Contract) -> dict[str, str]:
    """Return the properties of the table, the number of its newest migration included.

    Personal data is kept out of manifests, which would hold bounds in clear text long after a row is erased.
    """
    hidden = {_METRICS + column.name: "none" for column in contract.columns if column.pii}
    return _PROPERTIES | hidden | contract.properties | {NUMBER: str(contract.number)}
