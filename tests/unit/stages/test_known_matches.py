"""When the pairs that are stored are written again."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.stages.known_matches import _differ


@pytest.mark.parametrize(
    ("stored", "differ"),
    [
        ("VALUES ('a', 1.0), ('b', 2.0)", False),
        ("VALUES ('b', 2.0), ('a', 1.0)", False),
        ("VALUES ('a', 1.0)", True),
        ("VALUES ('a', 1.0), ('b', 2.0), ('c', 3.0)", True),
        ("VALUES ('a', 1.0), ('b', 2.5)", True),
    ],
)
def test_rows_in_any_order_are_the_same(stored, differ):
    """One more, one less, or another weight is another."""
    con = duckdb.connect()
    con.execute("CREATE TABLE matches_new AS FROM (VALUES ('a', 1.0), ('b', 2.0)) AS t(pair, bits)")
    assert _differ(con, f"SELECT * FROM ({stored})") is differ
    con.close()
