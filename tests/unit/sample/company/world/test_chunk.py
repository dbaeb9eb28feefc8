"""A chunk is the same in a company of any size, and its tables refer to rows that are there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lakehouse.sample.company.world.chunk import PEOPLE, Chunk, make_chunk

# table, column, and the table that the column names rows of
REFERENCES = [
    ("accounts", "row", "persons"),
    ("devices", "row", "persons"),
    ("contacts", "row", "persons"),
    ("leads", "row", "persons"),
    ("orders", "row", "persons"),
    ("orders", "account", "accounts"),
    ("items", "order", "orders"),
    ("payments", "order", "orders"),
    ("returns", "order", "orders"),
    ("tickets", "order", "orders"),
    ("tickets", "agent", "staff"),
    ("deals", "contact", "contacts"),
    ("stages", "deal", "deals"),
    ("activities", "contact", "contacts"),
    ("activities", "deal", "deals"),
    ("contacts", "owner", "staff"),
    ("events", "device", "devices"),
    ("events", "account", "accounts"),
]


@pytest.mark.parametrize(("table", "column", "other"), REFERENCES)
def test_references_name_rows_that_are_there(chunk: Chunk, table: str, column: str, other: str) -> None:
    """-1 stands for none in activities without a deal; elsewhere all rows exist."""
    rows = chunk.array(table, column)
    lowest = -1 if (table, column) == ("activities", "deal") else 0
    assert len(rows) > 0
    assert rows.min() >= lowest
    assert rows.max() < len(chunk.tables[other])


@pytest.mark.parametrize("table", ["accounts", "contacts", "leads", "orders", "tickets"])
def test_a_person_and_a_row_of_persons_are_the_same(chunk: Chunk, table: str) -> None:
    """Who a record belongs to stands in it as number and as row."""
    person = chunk.array("persons", "person")[chunk.array(table, "row")]
    assert np.array_equal(person, chunk.array(table, "person"))


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("accounts", "customer_id"),
        ("accounts", "coupon_id"),
        ("contacts", "contact_id"),
        ("leads", "lead_id"),
        ("deals", "deal_id"),
        ("activities", "activity_id"),
        ("orders", "order_id"),
        ("tickets", "ticket_id"),
        ("devices", "anonymous_id"),
        ("persons", "second_phone"),
    ],
)
def test_ids_are_unique(chunk: Chunk, table: str, column: str) -> None:
    """No two records share one."""
    ids = chunk.column(table, column)
    assert len(ids.unique()) == len(ids)


def test_a_chunk_does_not_depend_on_the_size(chunk: Chunk) -> None:
    """Another company of the same seed has the same people; another chunk has others."""
    larger = dataclasses.replace(chunk.scenario, customers=10 * PEOPLE)
    again, second = make_chunk(larger, 0), make_chunk(larger, 1)
    assert all(again.tables[name].equals(table) for name, table in chunk.tables.items())
    assert second.array("persons", "person").min() == PEOPLE
    assert not second.tables["accounts"].equals(chunk.tables["accounts"])


def test_columns_come_whole_or_by_rows(chunk: Chunk) -> None:
    """Rows may repeat and stand in any order."""
    names = chunk.column("staff", "name").to_pylist()
    assert chunk.column("staff", "name", np.array([2, 0, 2])).to_pylist() == [names[2], names[0], names[2]]
