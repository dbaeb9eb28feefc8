"""Which products were bought by a day, and after it."""

from __future__ import annotations

from datetime import date

import pytest

from lakehouse.scores import purchases
from tests.support.score_tables import on, tables

CUTOFF, UNTIL = date(2026, 3, 31), date(2026, 6, 29)
ORDERS = """
SELECT 'shop' AS source, * FROM (VALUES
    ('1', 'ann', DATE '2026-01-01', true, NULL), ('2', 'ann', DATE '2026-03-02', true, NULL),
    ('3', 'ann', DATE '2026-05-01', true, NULL), ('4', 'bob', DATE '2026-01-01', true, DATE '2026-02-01'),
    ('5', 'bob', DATE '2026-01-01', false, NULL), ('6', 'bob', DATE '2020-01-01', true, NULL),
    ('7', NULL, DATE '2026-01-01', true, NULL), ('8', 'cat', DATE '2026-02-02', true, DATE '2026-04-01')
) AS v(order_id, customer_id, ordered_on, is_order, taken_back_on)
"""
ITEMS = """
SELECT source, order_id, product_id, quantity, amount, row_number() OVER () AS line_id FROM (VALUES
    ('shop', '1', 'tea', 2, 5), ('shop', '1', 'tea', 1, 3), ('shop', '2', 'tea', 1, 3),
    ('shop', '2', 'cup', NULL, NULL),
    ('shop', '2', 'back', -1, -3), ('shop', '2', NULL, 1, 1), ('shop', '3', 'pot', 1, 9), ('shop', '4', 'tea', 1, 3),
    ('shop', '5', 'tea', 1, 3), ('shop', '6', 'tea', 1, 3), ('shop', '7', 'tea', 1, 3), ('shop', '8', 'tea', 1, 3),
    ('other', '1', 'tea', 1, 3)
) AS v(source, order_id, product_id, quantity, amount)
"""


@pytest.fixture(scope="module")
def con():
    with tables(core__order_values=ORDERS, core__order_items=ITEMS) as con:
        yield con


def test_what_was_bought_by_then(con):
    """On how many days, and how long ago; not what was cancelled, taken back by then, returned, or long ago."""
    rows = on(con, purchases.BOUGHT, CUTOFF).to_pylist()
    found = {(row["customer_id"], row["product"].split("\x1f")[1]): (row["days"], row["ago"]) for row in rows}
    assert found == {("ann", "tea"): (2, 29), ("ann", "cup"): (1, 29), ("cat", "tea"): (1, 57)}


def test_what_was_bought_since(con):
    """By the second day."""
    rows = on(con, purchases.SINCE, CUTOFF, UNTIL).to_pylist()
    assert [(row["customer_id"], row["product"]) for row in rows] == [("ann", "shop\x1fpot")]


def test_a_product_is_split_into_shop_and_id(con):
    """As the table has it, whatever else the id holds."""
    row = "SELECT 'a' AS customer_id, 'shop' || chr(31) || 'x' || chr(31) AS product"
    con.execute(f"CREATE OR REPLACE TEMP TABLE scored AS {row}")
    assert con.execute(purchases.COLUMNS).fetchall() == [("a", "shop", "x\x1f")]
