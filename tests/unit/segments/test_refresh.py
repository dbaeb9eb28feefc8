"""What a segment's condition becomes, and which tables an audience cannot do without."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.segments.definition import Segment
from lakehouse.segments.refresh import members_sql


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
