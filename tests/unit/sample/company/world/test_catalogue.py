"""Prices and promotions."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_promotion_lowers_the_price(company: Any) -> None:
    """The first line of an order in a promotion costs a fifth less than the list says, others exactly that."""
    prices = """SELECT round(avg(unit_price::DOUBLE / list_price::DOUBLE), 2)
                FROM ordered JOIN shop_order_items AS i USING (order_id)
                WHERE line_id = '1' AND (promotion IS NULL) = ?"""
    assert company.value(prices, False) == pytest.approx(1 - company.truth["plants"]["discount"], abs=0.005)
    assert company.value(prices, True) == 1
    listed = """SELECT count(*) FROM ordered JOIN shop_order_items AS i USING (order_id) ANTI JOIN shop_prices AS p
                ON p.product_id = i.product_id AND p.price = i.list_price
                AND moment::DATE >= p.priced_from[:10]::DATE
                AND moment::DATE < coalesce(p.priced_to[:10]::DATE, DATE '9999-12-31')"""
    assert company.value(listed) == 0
