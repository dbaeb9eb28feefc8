"""What a table lacks to be what its contract says, decided from metadata alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyiceberg.table.metadata import new_table_metadata

from lakehouse.errors import Terminal
from lakehouse.tables.contract import Contract, Migration, columns, partitions
from lakehouse.tables.migrations import shape
from lakehouse.tables.migrations.schema_diff import Changes, number, plan

OLD = Contract(
    "raw.t", "T", "one row a t", columns(("a", "int", "A"), ("b", "string", "B"), ("c", "string", "C"))
)


def metadata_of(contract):
    """Return the metadata of a table that was made by a contract."""
    return new_table_metadata(
        schema=shape.schema(contract),
        partition_spec=shape.spec(contract),
        sort_order=shape.sort_order(contract),
        location="file:///t",
        properties=shape.properties(contract),
    )


def migrated(*migrations, **more):
    numbered = (replace(migration, number=at) for at, migration in enumerate(migrations, start=1))
    return replace(OLD, migrations=tuple(numbered), **more)


def test_a_table_of_its_contract_lacks_nothing():
    """Nor does one that a newer contract has changed."""
    assert not plan(metadata_of(OLD), OLD)
    newer = migrated(
        Migration(0, "why", rename={"c": "d"}),
        columns=columns(("a", "int", "A"), ("b", "string", "B"), ("d", "string", "C")),
    )
    assert plan(metadata_of(newer), OLD) == Changes()
    assert (number(metadata_of(OLD)), number(metadata_of(newer))) == (0, 1)


def test_columns_at_the_end_and_wider_types_need_no_migration():
    """A type that is wider in the table is a newer contract's: it stays."""
    rows = columns(("a", "long", "A"), ("b", "string", "B"), ("c", "string", "C"), ("d", "date", "D"))
    grown = replace(OLD, columns=rows)
    changes = plan(metadata_of(OLD), grown)
    assert changes == Changes(widened=(rows[0],), added=(rows[3],))
    assert not plan(metadata_of(grown), OLD)


def test_renames_and_drops_come_from_migrations():
    """With the layout, and the number that says that they were applied."""
    rows = columns(("a", "int", "A"), ("x", "string", "B"), ("d", "date", "D"))
    contract = migrated(Migration(0, "why", rename={"b": "x"}, drop={"c": 3}), columns=rows)
    assert plan(metadata_of(OLD), contract) == Changes(
        drops=("c",), renames={"b": "x"}, added=(rows[2],), properties={shape.NUMBER: "1"}, layout=True
    )


def test_ids_that_were_dropped_before_the_table_had_them_are_used_up():
    """A catalog gives the next id to the next column."""
    rows = columns(*((name, "string", name) for name in "abcf"))
    first = replace(OLD, columns=rows[:3])
    contract = replace(first, columns=rows, migrations=(Migration(1, "why", drop={"d": 4, "e": 5}),))
    changes = plan(metadata_of(first), contract)
    assert [column.name for column in changes.added] == ["_dropped_4", "_dropped_5", "f"]


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (replace(OLD, columns=columns(("z", "int", "Z"))), "field id 1 is a int in the catalog and z int"),
        (replace(OLD, columns=columns(("a", "date", "A"))), "field id 1 is a int in the catalog and a date"),
        (
            migrated(
                Migration(0, "why", drop={"b": 1}),
                columns=columns(("b", "string", "B"), ("c", "string", "C")),
            ),
            "drops b as field id 1, which is a",
        ),
    ],
)
def test_contradictions_are_refused(contract, message):
    """With the field id, and both sides of it."""
    with pytest.raises(Terminal, match=message):
        plan(metadata_of(OLD), contract)


def test_a_column_that_files_are_partitioned_by_is_not_dropped():
    """Their partition values would be read as those of nothing."""
    parted = replace(OLD, partition=partitions("identity(c)"))
    contract = migrated(Migration(0, "why", drop={"c": 3}), columns=OLD.columns[:2])
    with pytest.raises(Terminal, match="c cannot be dropped"):
        plan(metadata_of(parted), contract)


def test_properties_that_somebody_set_stay_until_a_migration():
    """Missing ones come at once."""
    table = metadata_of(replace(OLD, properties={"x": "theirs"}))
    assert plan(table, replace(OLD, properties={"x": "ours", "y": "new"})).properties == {"y": "new"}
    due = migrated(Migration(0, "why"), properties={"x": "ours"})
    assert plan(table, due).properties == {"x": "ours", shape.NUMBER: "1"}
