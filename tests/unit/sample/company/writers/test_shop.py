"""The shop's exports, where it has all channels and where it has the stores alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lakehouse.sample.company.world.chunk import Chunk
from lakehouse.sample.company.writers import shop


def _exports(chunk: Chunk, *shops: str) -> dict[str, dict[str, Any]]:
    company = dataclasses.replace(chunk, scenario=dataclasses.replace(chunk.scenario, shops=shops))
    return {export.entity: export.rows.to_pydict() for export in shop.exports(company)}


def test_all_channels_are_the_shop_s_where_no_other_sells(chunk: Chunk) -> None:
    """Then it sends parcels too."""
    exports = _exports(chunk, "shop")
    assert set(exports["shop/orders"]["channel"]) == {"site", "app", "store"}
    assert set(exports["shop/shipments"]["status"]) == {"delivered", "on its way"}


def test_the_stores_are_left_where_others_sell_online(chunk: Chunk) -> None:
    """Orders of a store name no receiver, and nothing is sent."""
    exports = _exports(chunk, "shop", "shopify")
    assert set(exports["shop/orders"]["channel"]) == {"store"}
    assert set(exports["shop/orders"]["receiver_name"]) == {None}
    assert "shop/shipments" not in exports


def test_accounts_are_the_shop_s_wherever_orders_are_made(chunk: Chunk) -> None:
    """Coupons and members too."""
    assert _exports(chunk, "shopify").keys() == {"shop/customers", "shop/coupons", "loyalty/memberships"}


@pytest.mark.parametrize("entity", ["order_items", "payments", "returns", "redemptions"])
def test_what_belongs_to_orders_names_orders_that_are_exported(chunk: Chunk, entity: str) -> None:
    """Of the channels that are the shop's."""
    for shops in (("shop",), ("shop", "shopify")):
        exports = _exports(chunk, *shops)
        assert set(exports[f"shop/{entity}"]["order_id"]) <= set(exports["shop/orders"]["order_id"])


def test_a_coupon_is_worth_what_its_redemption_was(chunk: Chunk) -> None:
    """Ten yuan, off an order of fifty or more."""
    exports = _exports(chunk, "shop")
    assert set(exports["shop/coupons"]["value"]) == set(exports["shop/redemptions"]["amount"]) == {"10.00"}
    assert set(exports["shop/coupons"]["minimum"]) == {"50.00"}
    assert set(exports["shop/redemptions"]["coupon_id"]) <= set(exports["shop/coupons"]["coupon_id"])


def test_what_an_account_knows_ties_it_to_its_person(chunk: Chunk) -> None:
    """A phone or WeChat's unionid is in every row."""
    customers = _exports(chunk, "shop")["shop/customers"]
    assert all(
        phone or unionid
        for phone, unionid in zip(customers["phone"], customers["wechat_unionid"], strict=True)
    )
