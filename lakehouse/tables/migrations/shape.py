"""A contract in Iceberg's words: schema, partition spec, sort order, properties."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from lakehouse.tables.contract import Contract

NUMBER = "lakehouse.migration"  # the newest migration that the table has seen
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
# Eight writers on one table failed with the default of 4 retries; with these they did not. Readers name the
# metadata file that was newest when they connected, so some old ones stay; each costs every commit 0.2 ms.
_PROPERTIES = {
    "write.parquet.compression-codec": "zstd",
    "commit.retry.num-retries": "20",
    "commit.retry.min-wait-ms": "100",
    "commit.retry.max-wait-ms": "2000",
    "commit.retry.total-timeout-ms": "120000",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}


def iceberg_type(name: str) -> IcebergType:
    """Return Iceberg's type of a contract's type name."""
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", name):
        return DecimalType(int(match[1]), int(match[2]))
    return _TYPES[name]


def type_name(kind: IcebergType) -> str:
    """Return the contract's name of an Iceberg type."""
    return str(kind).replace(" ", "")


def placeholder(number: int) -> Column:
    """Return the column that uses up the field id of a dropped one."""
    return Column(f"_dropped_{number}", "string", "Uses up the field id of a column that was dropped")


def schema(contract: Contract) -> Schema:
    """Return the schema to make a table with; dropped columns hold their places, as catalogs count ids anew."""
    ids = contract.field_ids()
    fields = [
        NestedField(ids[column.name], column.name, iceberg_type(column.type), doc=column.doc)
        for column in contract.columns
    ]
    fields += [NestedField(number, placeholder(number).name, StringType()) for number in contract.dropped]
    return Schema(*sorted(fields, key=lambda field: field.field_id))


def spec(contract: Contract) -> PartitionSpec:
    """Return the partition spec."""
    ids = contract.field_ids()
    return PartitionSpec(
        *(
            PartitionField(ids[part.column], 1000 + number, TRANSFORMS[part.transform](), part.name)
            for number, part in enumerate(contract.partition)
        )
    )


def sort_order(contract: Contract) -> SortOrder:
    """Return the sort order."""
    ids = contract.field_ids()
    return SortOrder(*(SortField(ids[name], transform=IdentityTransform()) for name in contract.sort))


def properties(contract: Contract) -> dict[str, str]:
    """Return the properties of the table, the number of its newest migration included.

    Personal data is kept out of manifests: bounds stand there in clear long after a row is erased.
    """
    hidden = {_METRICS + column.name: "none" for column in contract.columns if column.pii}
    return _PROPERTIES | hidden | contract.properties | {NUMBER: str(contract.number)}
