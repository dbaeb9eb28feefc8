"""Announced changes of one property become versions of the whole record: compared with a plain reading of the rule."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.sources.part_changes import whole_sql

COLUMNS = {
    "contact_id": "VARCHAR", "first_name": "VARCHAR", "city": "VARCHAR",
    "updated_at": "BIGINT", "sequence": "BIGINT", "deleted": "BOOLEAN",
}  # fmt: skip


def versions(whole, parts):
    """Whole versions (id, at, first name, city, deleted) and parts (id, at, column, value) → the parts, made whole."""
    with closing(duckdb.connect()) as con:
        con.execute("SET TimeZone = 'UTC'")
        listed = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        origin = "_loaded_at BIGINT, _file_id VARCHAR, _row BIGINT"
        con.execute(f"CREATE TABLE whole ({listed}, {origin})")
        con.execute(f"CREATE TABLE parts ({listed}, {origin}, _changes VARCHAR)")
        for row, (name, at, first, city, gone) in enumerate(whole):
            con.execute(
                "INSERT INTO whole VALUES (?, ?, ?, ?, NULL, ?, 0, 'w', ?)",
                [name, first, city, at, gone, row],
            )
        for row, (name, at, column, value) in enumerate(parts):
            con.execute(
                "INSERT INTO parts VALUES (?, ?, ?, ?, NULL, NULL, 1, 'p', ?, ?)",
                [name, value, value, at, row, column],
            )
        made = whole_sql("SELECT * FROM parts", ["SELECT * FROM whole"], COLUMNS, ("contact_id",))
        rows = con.execute(
            f"SELECT contact_id, updated_at, first_name, city, deleted, _row FROM {made}"
        ).fetchall()
    return sorted((row[:5] for row in rows), key=repr)


def plainly(whole, parts):
    """The same, record by record and moment by moment."""
    found = []
    for name in {part[0] for part in parts}:
        said = [(at, 0, row, None, (first, city, gone)) for row, (who, at, first, city, gone) in enumerate(whole)
                if who == name]  # fmt: skip
        said += [
            (at, 1, row, column, value) for row, (who, at, column, value) in enumerate(parts) if who == name
        ]
        known = None
        for at, _, _, column, value in sorted(said, key=lambda one: one[:3]):
            if column is None:
                known = dict(zip(("first_name", "city", "deleted"), value, strict=True))
            elif known is not None:
                known[column] = value
                found.append((name, at, known["first_name"], known["city"], known["deleted"]))
    return sorted(found, key=repr)


@pytest.mark.parametrize(
    ("whole", "parts", "made"),
    [
        ([("1", 1, "Ann", "Rome", None)], [("1", 2, "city", "Oslo")], [("1", 2, "Ann", "Oslo", None)]),
        ([("1", 1, "Ann", "Rome", None)], [("1", 2, "city", None)], [("1", 2, "Ann", None, None)]),
        ([("1", 1, "Ann", "Rome", None)], [("1", 2, "first_name", "Eve"), ("1", 2, "city", "Oslo")],
         [("1", 2, "Eve", "Oslo", None), ("1", 2, "Eve", "Rome", None)]),  # of one moment: the last has both
        ([], [("1", 2, "city", "Oslo")], []),
        ([("2", 1, "Bob", "Rome", None)], [("1", 2, "city", "Oslo")], []),
        ([("1", 3, "Ann", "Rome", None)], [("1", 2, "city", "Oslo")], []),  # nothing was known then
        ([("1", 1, "Ann", "Rome", None), ("1", 3, None, None, True)], [("1", 4, "city", "Oslo")],
         [("1", 4, None, "Oslo", True)]),  # gone stays gone
        ([("1", 1, "Ann", "Rome", None)], [("1", 2, None, "x")], []),  # of a property that stands nowhere
    ],
)  # fmt: skip
def test_a_change_leaves_the_rest_as_it_was(whole, parts, made):
    """And makes nobody of whom nothing else is known."""
    assert versions(whole, parts) == sorted(made, key=repr)


NAMES, MOMENTS = st.sampled_from("12"), st.integers(1, 5)
VALUES = st.one_of(st.none(), st.sampled_from("xyz"))


@tried(max_examples=60, deadline=None)
@given(
    whole=st.lists(st.tuples(NAMES, MOMENTS, VALUES, VALUES, st.sampled_from([None, True])), max_size=6),
    parts=st.lists(st.tuples(NAMES, MOMENTS, st.sampled_from(["first_name", "city"]), VALUES), max_size=6),
)
def test_any_order_of_arrival_makes_the_same(whole, parts):
    """Whatever comes when: what a record had at that moment counts."""
    assert versions(whole, parts) == plainly(whole, parts)


def test_a_source_that_sends_nothing_else_makes_no_version():
    """There is nothing that a part could be a part of."""
    assert whole_sql("SELECT 1", [], COLUMNS, ("contact_id",)) is None
