"""A contract in Iceberg's terms."""

from __future__ import annotations

import pytest
from pyiceberg.types import DecimalType, LongType

from lakehouse.tables.contract import Contract, Migration, columns, partitions
from lakehouse.tables.migrations import shape
from lakehouse.tables.policy import NewTablePolicy

CONTRACT = Contract(
    "raw.t", "T", "one row a t",
    columns(("at", "timestamptz", "When"), ("email", "string", "E-mail", "pii"), ("n", "long", "N")),
    partition=partitions("day(at)", "identity(n)"), sort=("n", "at"), properties={"x": "y"},
    migrations=(Migration(1, "no b", drop={"b": 2}),),
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "string",
        "int",
        "long",
        "float",
        "double",
        "boolean",
        "date",
        "timestamptz",
        "decimal(5,2)",
        "decimal(38,0)",
    ],
)
def test_every_type_goes_to_iceberg_and_back(name):
    """By the contract's name."""
    assert shape.type_name(shape.iceberg_type(name)) == name


def test_types_of_iceberg():
    """Precision and scale are kept."""
    assert shape.iceberg_type("decimal(5,2)") == DecimalType(5, 2)
    assert shape.iceberg_type("long") == LongType()


def test_a_dropped_column_keeps_its_id():
    """Catalogs number columns anew, so a placeholder uses the id up."""
    fields = shape.schema(CONTRACT).fields
    assert [(field.field_id, field.name) for field in fields] == [
        (1, "at"), (2, "_dropped_2"), (3, "email"), (4, "n"),
    ]  # fmt: skip


def test_partition_fields_are_numbered_as_iceberg_does():
    """From 1000, by the columns' field ids."""
    fields = shape.spec(CONTRACT).fields
    assert [(field.source_id, field.field_id, str(field.transform), field.name) for field in fields] == [
        (1, 1000, "day", "at_day"), (4, 1001, "identity", "n"),
    ]  # fmt: skip
    assert [field.source_id for field in shape.sort_order(CONTRACT).fields] == [4, 1]


def test_properties_name_the_migration_and_keep_personal_data_out_of_manifests():
    """And say how often a commit is tried again."""
    properties = shape.properties(CONTRACT)
    assert properties[shape.NUMBER] == "1"
    assert properties["x"] == "y"
    assert properties["commit.retry.num-retries"] == str(NewTablePolicy.commit_retries) == "20"
    hidden = [name for name, value in properties.items() if value == "none"]
    assert hidden == ["write.metadata.metrics.column.email"]
