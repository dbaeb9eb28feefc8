"""Orders with their lines, payments, parcels and returns, made of the occasions of people's lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.id_series import IdSeries
from lakehouse.sample.company.policy import PricePolicy, ShopPolicy
from lakehouse.sample.company.random_arrays import (
    Flags,
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
)
from lakehouse.sample.company.units import DAY, HOUR
from lakehouse.sample.company.world.catalogue import APPAREL, COFFEE, COMPANIONS, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.places import STORES_A_CITY

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

ORDERS_A_PERSON: Final = 512  # more than four a week for two years; order ids count in steps of it
SITE, APP, STORE = range(3)
CHANNELS = ("site", "app", "store")
_ORDER_IDS = IdSeries("SO", 86_028_121, 11)
_PRODUCT_SHARES: Final = (
    0.30,
    0.22,
    0.18,
    0.14,
    0.10,
    0.06,
)  # of a category's products, the most popular first
_QUANTITY_SHARES: Final = (0.75, 0.18, 0.07)  # of lines with one, two, three pieces
_METHODS = ("wechat", "alipay", "unionpay", "cash")
_METHOD_SHARES_ONLINE: Final = (0.6, 0.4)
_METHOD_SHARES_IN_STORE: Final = (0.5, 0.3, 0.1, 0.1)
_NEXT_DAY_REASON = "尺码不合适"
_LATER_REASONS = ("质量问题", "不想要了", "与描述不符")


class Sales(NamedTuple):
    """What was sold: a row an order, line, payment and return."""

    orders: pa.Table
    items: pa.Table
    payments: pa.Table
    returns: pa.Table


def make_sales(
    scenario: Scenario, persons: pa.Table, accounts: pa.Table, occasions: pa.Table, rng: np.random.Generator
) -> Sales:
    """Return the sales of a chunk's people; `order` in lines, payments and returns is a row of `orders`.

    Orders are in order of person and time; money is in fen.
    """
    by_person_and_time = np.lexsort((column_array(occasions, "at"), column_array(occasions, "row")))
    occasions = occasions.take(pa.array(by_person_and_time))
    at = column_array(occasions, "at")
    items = _items(scenario, column_array(occasions, "category"), at // DAY, rng)
    orders = _orders(scenario, persons, accounts, occasions, _order_values(items, len(at)), rng)
    returns = _returns(scenario, orders, at, rng)
    return Sales(orders, items, _payments(scenario, orders, returns, at, rng), returns)


def _orders(
    scenario: Scenario,
    persons: pa.Table,
    accounts: pa.Table,
    occasions: pa.Table,
    value: Ints,
    rng: np.random.Generator,
) -> pa.Table:
    """Return an order for each occasion, given what its lines are worth in fen."""
    row, at = column_array(occasions, "row"), column_array(occasions, "at")
    key = column_array(persons, "person")[row] * ORDERS_A_PERSON + position_in_group(row)
    account = _account(scenario, accounts, occasions, rng.random(len(row)))
    redeems_coupon = _redeems_coupon(accounts, account, value)
    channel = choose(rng.random(len(row)), ShopPolicy.channels)
    shipped = at + integers_below(rng.random(len(row)), 34 * HOUR) + 6 * HOUR
    delivered = shipped + DAY + integers_below(rng.random(len(row)), 3 * DAY)
    store_of_city = rng.integers(0, STORES_A_CITY, len(row))
    return pa.table(
        {
            "row": row,
            "person": key // ORDERS_A_PERSON,
            "key": key,
            "order_id": _ORDER_IDS.ids(key),
            "account": account,
            "category": occasions["category"],
            "promoted": occasions["promoted"],
            "ordered_at": text.timestamps(scenario.history.zero + at),
            "channel": channel,
            "store": column_array(persons, "city")[row] * STORES_A_CITY + store_of_city,
            "coupon": redeems_coupon,
            "amount": value - PricePolicy.coupon_fen * redeems_coupon,
            "shipped_at": text.timestamps(scenario.history.zero + shipped),
            "delivered_at": text.timestamps(scenario.history.zero + delivered),
            "complained_at": occasions["complained_at"],
        }
    )


def _items(scenario: Scenario, category: Ints, day: Ints, rng: np.random.Generator) -> pa.Table:
    """Return the lines of all orders; a first line is of the order's category."""
    lines = 1 + choose(rng.random(len(category)), ShopPolicy.lines)
    order = np.repeat(np.arange(len(category)), lines)
    line = position_in_group(order)
    companions = np.asarray(COMPANIONS, np.int64)
    companion = companions[integers_below(rng.random(len(order)), len(companions))]
    is_companion = (line > 0) & (rng.random(len(order)) < ShopPolicy.companion)
    category_of_line = np.where(is_companion, companion, category[order])
    product = category_of_line * PRODUCTS_A_CATEGORY + choose(rng.random(len(order)), _PRODUCT_SHARES)
    return pa.table(
        {
            "order": order,
            "line": line + 1,
            "product": product,
            "quantity": 1 + choose(rng.random(len(order)), _QUANTITY_SHARES),
            "list_price": scenario.catalogue.list_price(product, day[order]),
            "unit_price": scenario.catalogue.unit_price(product, day[order]),
        }
    )


def _order_values(items: pa.Table, orders: int) -> Ints:
    """Return what the lines of each order are worth, in fen."""
    value = column_array(items, "unit_price") * column_array(items, "quantity")
    return np.bincount(column_array(items, "order"), weights=value, minlength=orders).astype(np.int64)


def _account(scenario: Scenario, accounts: pa.Table, occasions: pa.Table, draws: Floats) -> Ints:
    """Return the row of the account each order is made with: one that is registered by then.

    Coffee is always bought with the first account, so that all of a cycle can be seen.
    """
    row, category = column_array(occasions, "row"), column_array(occasions, "category")
    accounts_of_each = np.bincount(column_array(accounts, "row"))
    first = (np.cumsum(accounts_of_each) - accounts_of_each)[row]
    drawn = first + integers_below(draws, accounts_of_each[row])
    registered: Ints = column_array(accounts, "registered_at")[drawn] - scenario.history.zero
    is_too_early: Flags = registered > column_array(occasions, "at")
    account: Ints = np.where((category == COFFEE) | is_too_early, first, drawn)
    return account


def _redeems_coupon(accounts: pa.Table, account: Ints, value: Ints) -> Flags:
    """Return which orders redeem the welcome coupon: an account's first order, if it is worth enough."""
    is_first = np.zeros(len(account), np.bool_)
    is_first[np.unique(account, return_index=True)[1]] = True
    uses_coupon = column_array(accounts, "uses_coupon")[account]
    redeems: Flags = is_first & uses_coupon & (value >= PricePolicy.coupon_minimum_fen)
    return redeems


def _returns(scenario: Scenario, orders: pa.Table, at: Ints, rng: np.random.Generator) -> pa.Table:
    """Return orders that came back with all lines: apparel the day after, at the planted rate; others later, seldom."""
    is_apparel = column_array(orders, "category") == APPAREL
    draws = rng.random(len(at))
    is_next_day = is_apparel & (draws < scenario.plants.next_day_returns)
    is_later = ~is_next_day & (draws > 1 - ShopPolicy.late_returns)
    days = np.where(is_next_day, 1, 2 + integers_below(rng.random(len(at)), 13))
    returned = (at // DAY + days) * DAY + 9 * HOUR + integers_below(rng.random(len(at)), 12 * HOUR)
    order = np.flatnonzero((is_next_day | is_later) & (returned < scenario.history.end))
    later_reason = 1 + integers_below(rng.random(len(order)), len(_LATER_REASONS))
    reason = np.where(is_next_day[order], 0, later_reason)
    return pa.table(
        {
            "order": order,
            "next_day": is_next_day[order],
            "reason": text.pick((_NEXT_DAY_REASON, *_LATER_REASONS), reason),
            "returned_at": text.timestamps(scenario.history.zero + returned[order]),
        }
    )


def _payments(
    scenario: Scenario, orders: pa.Table, returns: pa.Table, at: Ints, rng: np.random.Generator
) -> pa.Table:
    """Return a payment an order, and a refund a return (its amount is negative)."""
    count, returned = len(orders), column_array(returns, "order")
    in_store = column_array(orders, "channel") == STORE
    method_in_store = choose(rng.random(count), _METHOD_SHARES_IN_STORE)
    method_online = choose(rng.random(count), _METHOD_SHARES_ONLINE)
    method = np.where(in_store, method_in_store, method_online)
    amount = column_array(orders, "amount")
    paid = np.minimum(at + integers_below(rng.random(count), 180), scenario.history.end - 1)
    paid_at = np.r_[scenario.history.zero + paid, column_array(returns, "returned_at")]
    order = np.r_[np.arange(count), returned]
    return pa.table(
        {
            "order": order,
            "refund": np.arange(len(order)) >= count,
            "method": text.pick(_METHODS, method[order]),
            "amount": np.r_[amount, -amount[returned]],
            "paid_at": text.timestamps(paid_at),
        }
    )
