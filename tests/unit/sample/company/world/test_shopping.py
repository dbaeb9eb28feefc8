"""Orders, returns and payments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.tolerances import four_errors

RETURNED = """
    SELECT count(*) FILTER (r.returned_at[:10]::DATE = moment::DATE + 1), count(*)
    FROM ordered AS o LEFT JOIN shop_returns AS r USING (order_id)
    WHERE (category = 'apparel') = ? AND moment::DATE < DATE '2026-06-29'
"""


def test_clothes_come_back_the_day_after(company: Any) -> None:
    """The planted share of apparel orders is returned on the next day; nothing else ever is."""
    back, orders = company.row(RETURNED, True)
    planted = company.truth["plants"]["next_day_returns"]
    assert back / orders == pytest.approx(planted, abs=four_errors(planted, orders))
    assert company.row(RETURNED, False)[0] == 0
    assert company.value("SELECT count(*) FROM shop_returns") > back  # others come back later


def test_nothing_comes_back_the_day_after_where_it_was_not_planted(bare: Any) -> None:
    """Without the plant, returns take two days or more."""
    assert bare.row(RETURNED, True)[0] == 0
    assert bare.value("SELECT count(*) FROM shop_returns") > 100


def test_amounts_add_up(either: Any) -> None:
    """An order is worth its lines less the coupon, and what was paid less what was refunded for returns."""
    wrong = either.value(
        """WITH lines AS (SELECT order_id, sum(amount::DECIMAL(12, 2)) AS amount FROM shop_order_items GROUP BY 1)
           SELECT count(*) FROM (SELECT DISTINCT order_id, amount, coupon_code FROM shop_orders) AS o
           JOIN lines USING (order_id)
           WHERE o.amount::DECIMAL(12, 2) <> lines.amount - CASE WHEN coupon_code IS NULL THEN 0 ELSE 10 END"""
    )
    unpaid = either.value(
        """WITH paid AS (
               SELECT order_id, sum(amount::DECIMAL(12, 2)) AS amount
               FROM (SELECT DISTINCT payment_id, order_id, amount FROM shop_payments) GROUP BY 1
           )
           SELECT count(*) FROM (SELECT DISTINCT order_id, amount FROM shop_orders) AS o
           LEFT JOIN paid USING (order_id) LEFT JOIN shop_returns AS r USING (order_id)
           WHERE paid.amount IS DISTINCT FROM CASE WHEN r.order_id IS NULL THEN o.amount::DECIMAL(12, 2) ELSE 0 END"""
    )
    assert (wrong, unpaid) == (0, 0)
