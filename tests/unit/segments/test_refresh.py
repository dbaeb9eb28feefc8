"""What a segment's condition becomes, and which tables an audience cannot do without."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.segments.definition import Segment
from lakehouse.segments.refresh import changes_sql, compared_sql, members_sql


@pytest.fixture
def marts():
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA marts")
        con.execute(
            "CREATE TABLE marts.customer_360 AS SELECT * FROM (VALUES "
            "('ann', DATE '2026-03-01', 5, 10), ('bob', DATE '2026-03-01', 1, 400)) "
            "AS v(customer_id, as_of, purchase_days, recency_days)"
        )
        con.execute(
            "CREATE TABLE marts.rfm AS SELECT * FROM (VALUES ('ann', DATE '2026-03-01', 10, 5)) "
            "AS v(customer_id, as_of, recency_days, m)"
        )
        yield con


@pytest.mark.parametrize(
    ("where", "members"),
    [
        ("purchase_days >= 1", ["ann", "bob"]),
        ("m = 5 AND recency_days < 30", ["ann"]),
        ("m IS NULL", ["bob"]),
        ("as_of > DATE '2026-03-01'", []),
    ],
)
def test_a_condition_sees_the_columns_of_both_marts(marts, where, members):
    """Those who have no row in rfm have nulls there; a name that both have is customer_360's."""
    segment = Segment(name="s", title="S", doc="D", where=where)
    rows = marts.execute(f"SELECT customer_id FROM ({members_sql(segment)}) ORDER BY 1").fetchall()
    assert [customer for (customer,) in rows] == members


def text(values: list[tuple[str, ...]], columns: str) -> str:
    """Rows as a table in SQL, none of them too."""
    nothing = ", ".join(f"NULL::VARCHAR AS {name}" for name in columns.split(", "))
    rows = ", ".join("(" + ", ".join(f"'{value}'" for value in row) + ")" for row in values)
    return f"SELECT {nothing} WHERE false" + (f" UNION ALL SELECT * FROM (VALUES {rows})" if rows else "")


@pytest.mark.parametrize(
    ("members", "noted", "fulfilling", "changes"),
    [
        ([], [], ["ann"], [("entered", "ann")]),
        (["ann"], [], ["ann"], []),
        (["ann"], [], [], [("left", "ann")]),
        ([], [("5-x", "ann", "entered")], ["ann"], []),
        (["ann"], [("5-x", "ann", "left")], [], []),
        ([], [("5-x", "ann", "entered")], [], [("left", "ann")]),
        (["ann"], [("5-x", "ann", "left")], ["ann"], [("entered", "ann")]),
        ([], [("4-x", "ann", "entered")], ["ann"], [("entered", "ann")]),
    ],
)
def test_changes_are_noted_once_whatever_a_crash_left(marts, members, noted, fulfilling, changes):
    """What an earlier refresh noted against the same members counts; what was noted before those is in them."""
    marts.execute("CREATE SCHEMA ops")
    inside = text(
        [("vip", name, "2026-01-01", "2026-01-01", "false") for name in members],
        "segment, customer_id, as_of, entered_on, control",
    )
    marts.execute(
        f"CREATE TABLE ops.segment_members AS SELECT * REPLACE (control::BOOLEAN AS control) FROM ({inside})"
    )
    log = text(
        [(run, "vip", name, change) for run, name, change in noted], "run, segment, customer_id, change"
    )
    marts.execute(f"CREATE TABLE ops.segment_changes AS {log}")
    now = text([("vip", name, "2026-03-01") for name in fulfilling], "segment, customer_id, as_of")
    marts.execute(f"CREATE TABLE fulfilling AS {now}")
    marts.execute(f"CREATE TABLE compared AS {compared_sql([])}")
    found = marts.execute(f"SELECT run, change, customer_id FROM ({changes_sql('5-y', '5-')})").fetchall()
    assert found == [("5-y", *change) for change in changes]
