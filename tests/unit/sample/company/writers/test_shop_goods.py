"""Products, prices and stock."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.sample.company.policy import StockPolicy
from lakehouse.sample.company.world.scenario import Scenario
from lakehouse.sample.company.writers.shop_goods import of_company


@pytest.fixture(scope="module")
def goods(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """The three exports, as columns."""
    return {export.entity: export.rows.to_pydict() for export in of_company(scenario)}


def test_a_product_costs_more_from_its_rise_on(goods: Any) -> None:
    """The first price ends where the second begins; the second is that of the product now."""
    prices, products = goods["shop/prices"], goods["shop/products"]
    assert prices["product_id"][::2] == prices["product_id"][1::2] == products["product_id"]
    assert prices["priced_to"][::2] == prices["priced_from"][1::2]
    assert set(prices["priced_to"][1::2]) == {None}
    assert prices["price"][1::2] == products["list_price"]
    before_and_after = zip(prices["price"][::2], prices["price"][1::2], strict=True)
    assert all(float(after) > float(before) for before, after in before_and_after)


def test_stock_is_counted_in_the_evening(goods: Any) -> None:
    """On each of the last days, in one shop a city, of a product of each category; never below zero."""
    stock = goods["shop/stock"]
    assert len({moment[:10] for moment in stock["counted_at"]}) == StockPolicy.days
    assert {moment[11:] for moment in stock["counted_at"]} == {"22:00:00+08:00"}
    assert len(set(stock["place_id"])) == StockPolicy.stores
    assert len(set(stock["product_id"])) == 8
    assert min(map(int, stock["on_hand"])) >= 0
