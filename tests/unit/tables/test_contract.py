"""Contracts: what a table is, said once and without contradiction."""

from __future__ import annotations

import pytest

from lakehouse.tables.contract import Column, Contract, Migration, Partition, columns, partitions, wider


@pytest.mark.parametrize(
    "text", ["", "day", "day()", "day(a, b)", "hour(a)", "bucket(4, a)", "day(a)); --", "day(a) "]
)
def test_only_known_transforms(text):
    """What the writer cannot compute is no partition."""
    with pytest.raises(ValueError, match="is not identity"):
        Partition.parse(text)


def test_partition_names_are_sparks():
    """Engines show them."""
    assert [part.name for part in partitions("identity(a)", "day(b)", "month(c)", "year(d)")] == [
        "a", "b_day", "c_month", "d_year",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["money", "decimal", "decimal(0,0)", "decimal(39,1)", "decimal(2,3)", "decimal(1,1)x"]
)
def test_only_known_types(kind):
    """Iceberg, DuckDB and the contract must mean the same."""
    with pytest.raises(ValueError, match="a: "):
        _ = Column("a", kind, "A").duck_type


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": columns(("a", "long", "A"), ("a", "long", "A"))},
        {"key": ("b",)},
        {"sort": ("b",)},
        {"partition": partitions("day(b)")},
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(wrong):
    """When it is written, not when it is used."""
    with pytest.raises(ValueError, match=r"raw\.t"):
        Contract(**{"name": "raw.t", "doc": "", "grain": "", "columns": columns(("a", "long", "A"))} | wrong)


def test_field_ids_are_positions_and_a_dropped_id_is_never_used_again():
    """Old files hold the dropped column's values under it."""
    contract = Contract(
        "raw.t", "T", "one row a t",
        columns(("a", "long", "A"), ("c", "long", "C"), ("e", "long", "E")),
        migrations=(Migration(1, "no b", drop={"b": 2}), Migration(2, "no d", drop={"d": 4})),
    )  # fmt: skip
    assert contract.field_ids() == {"a": 1, "c": 3, "e": 5}
    assert (contract.number, contract.dropped) == (2, {2: "b", 4: "d"})


def test_names_are_followed_through_the_migrations_that_a_table_has_not_seen():
    """Swapped, renamed twice, dropped: by the number that the table has."""
    contract = Contract(
        "raw.t", "T", "one row a t", columns(("b", "long", "B"), ("a", "long", "A"), ("z", "long", "Z")),
        migrations=(
            Migration(1, "swap", rename={"a": "b", "b": "a"}),
            Migration(2, "z it is", rename={"x": "y"}),
            Migration(3, "z it is", rename={"y": "z"}, drop={"w": 4}),
        ),
    )  # fmt: skip
    assert [contract.renamed(name, after=0) for name in "abxw"] == ["b", "a", "z", None]
    assert [contract.renamed(name, after=2) for name in "aby"] == ["a", "b", "z"]
    assert contract.renamed("w", after=3) == "w"


@pytest.mark.parametrize(
    ("current", "target", "fits"),
    [
        ("int", "long", True), ("float", "double", True), ("decimal(5,2)", "decimal(6,2)", True),
        ("long", "int", False), ("double", "float", False), ("decimal(6,2)", "decimal(5,2)", False),
        ("decimal(5,2)", "decimal(9,3)", False), ("int", "double", False), ("long", "long", False),
        ("string", "decimal(5,2)", False), ("date", "timestamptz", False),
    ],
)  # fmt: skip
def test_which_type_is_wider(current, target, fits):
    """What Iceberg promotes, and nothing else: other engines read these tables."""
    assert wider(current, target) is fits
