"""Orders with their lines, payments, parcels and returns, made of the occasions of people's lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import (
    Flags,
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
    scramble,
)
from lakehouse.sample.company.world.catalogue import APPAREL, COFFEE, COMPANIONS, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.places import STORES_A_CITY

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

ORDERS_A_PERSON = 512  # more than four a week for two years
SITE, APP, STORE = range(3)
CHANNELS = ("site", "app", "store")
_CHANNEL_SHARES = (0.22, 0.33, 0.45)
_LINES = (0.60, 0.28, 0.12)
_POPULAR = (0.30, 0.22, 0.18, 0.14, 0.10, 0.06)  # of a category's products
_COMPANION = 0.30  # of further lines are of another category
_COUPON, _COUPON_FROM = 1000, 5000  # fen off, for orders of at least so much
_DAY, _HOUR = 86_400, 3600
_LATE_RETURNS = 0.03  # of all other orders, after 2 to 14 days
_METHODS = ("wechat", "alipay", "unionpay", "cash")


class Sales(NamedTuple):
    """What was sold: a row an order, line, payment and return."""

    orders: pa.Table
    items: pa.Table
    payments: pa.Table
    returns: pa.Table


def sales(
    scenario: Scenario, persons: pa.Table, accounts: pa.Table, occasions: pa.Table, rng: np.random.Generator
) -> Sales:
    """Return the sales of a chunk's people; `order` in lines, payments and returns is a row of `orders`."""
    order = np.lexsort((column_array(occasions, "at"), column_array(occasions, "row")))
    occasions = occasions.take(pa.array(order))
    row, at = column_array(occasions, "row"), column_array(occasions, "at")
    key = column_array(persons, "person")[row] * ORDERS_A_PERSON + position_in_group(row)
    items, value = _items(scenario, column_array(occasions, "category"), at // _DAY, rng)
    account = _account(scenario, accounts, occasions, rng.random(len(row)))
    reduced = _redeems(accounts, account, value)
    channel = choose(rng.random(len(row)), _CHANNEL_SHARES)
    shipped = at + integers_below(rng.random(len(row)), 34 * _HOUR) + 6 * _HOUR
    delivered = shipped + _DAY + integers_below(rng.random(len(row)), 3 * _DAY)
    orders = pa.table(
        {
            "row": row,
            "person": key // ORDERS_A_PERSON,
            "key": key,
            "order_id": order_ids(key),
            "account": account,
            "category": occasions["category"],
            "promoted": occasions["promoted"],
            "ordered_at": text_columns.timestamps(scenario.history.zero + at),
            "channel": channel,
            "store": column_array(persons, "city")[row] * STORES_A_CITY
            + rng.integers(0, STORES_A_CITY, len(row)),
            "coupon": reduced,
            "amount": value - _COUPON * reduced,
            "shipped_at": text_columns.timestamps(scenario.history.zero + shipped),
            "delivered_at": text_columns.timestamps(scenario.history.zero + delivered),
            "complained_at": occasions["complained_at"],
        }
    )
    returns = _returns(scenario, orders, at, rng)
    return Sales(orders, items, _payments(scenario, orders, returns, at, rng), returns)


def order_ids(keys: Ints) -> pa.Array:
    """Return the shop's number of each order."""
    return text_columns.joined("SO", text_columns.digits(scramble(keys, 86_028_121, 10**11), 11))


def _items(scenario: Scenario, category: Ints, day: Ints, rng: np.random.Generator) -> tuple[pa.Table, Ints]:
    """Return the lines of all orders, and each order's value in fen; a first line is of the order's category."""
    order = np.repeat(np.arange(len(category)), 1 + choose(rng.random(len(category)), _LINES))
    line = position_in_group(order)
    companion = np.asarray(COMPANIONS, np.int64)[integers_below(rng.random(len(order)), len(COMPANIONS))]
    other = (line > 0) & (rng.random(len(order)) < _COMPANION)
    of = np.where(other, companion, category[order])
    product = of * PRODUCTS_A_CATEGORY + choose(rng.random(len(order)), _POPULAR)
    quantity = 1 + choose(rng.random(len(order)), (0.75, 0.18, 0.07))
    unit = scenario.catalogue.unit_price(product, day[order])
    value = np.bincount(order, weights=unit * quantity, minlength=len(category)).astype(np.int64)
    items = pa.table(
        {
            "order": order,
            "line": line + 1,
            "product": product,
            "quantity": quantity,
            "list_price": scenario.catalogue.list_price(product, day[order]),
            "unit_price": unit,
        }
    )
    return items, value


def _account(scenario: Scenario, accounts: pa.Table, occasions: pa.Table, draws: Floats) -> Ints:
    """Return the row of the account each order is made with: one that is registered by then.

    Coffee is always bought with the first account, so that a cycle is seen whole.
    """
    row, category = column_array(occasions, "row"), column_array(occasions, "category")
    owned = np.bincount(column_array(accounts, "row"))
    first = (np.cumsum(owned) - owned)[row]
    chosen = first + integers_below(draws, owned[row])
    registered: Ints = column_array(accounts, "registered_at")[chosen] - scenario.history.zero
    early: Flags = registered > column_array(occasions, "at")
    account: Ints = np.where((category == COFFEE) | early, first, chosen)
    return account


def _redeems(accounts: pa.Table, account: Ints, value: Ints) -> Flags:
    """Tell which orders redeem the welcome coupon: an account's first order, if it is worth enough."""
    first = np.zeros(len(account), np.bool_)
    first[np.unique(account, return_index=True)[1]] = True
    found: Flags = first & column_array(accounts, "uses_coupon")[account] & (value >= _COUPON_FROM)
    return found


def _returns(scenario: Scenario, orders: pa.Table, at: Ints, rng: np.random.Generator) -> pa.Table:
    """Return whole orders that came back: apparel the day after, at the planted rate; others later and seldom."""
    apparel = column_array(orders, "category") == APPAREL
    draws = rng.random(len(at))
    next_day = apparel & (draws < scenario.plants.next_day_returns)
    later = ~next_day & (draws > 1 - _LATE_RETURNS)
    delay = np.where(next_day, 1, 2 + integers_below(rng.random(len(at)), 13))
    when = (at // _DAY + delay) * _DAY + 9 * _HOUR + integers_below(rng.random(len(at)), 12 * _HOUR)
    order = np.flatnonzero((next_day | later) & (when < scenario.history.end))
    reasons = np.where(next_day[order], 0, 1 + integers_below(rng.random(len(order)), 3))
    return pa.table(
        {
            "order": order,
            "next_day": next_day[order],
            "reason": text_columns.pick(("尺码不合适", "质量问题", "不想要了", "与描述不符"), reasons),
            "returned_at": text_columns.timestamps(scenario.history.zero + when[order]),
        }
    )


def _payments(
    scenario: Scenario, orders: pa.Table, returns: pa.Table, at: Ints, rng: np.random.Generator
) -> pa.Table:
    """Return a payment an order, and a refund a return (its amount is negative)."""
    count, back = len(orders), column_array(returns, "order")
    in_store = column_array(orders, "channel") == STORE
    shares = np.where(
        in_store, choose(rng.random(count), (0.5, 0.3, 0.1, 0.1)), choose(rng.random(count), (0.6, 0.4))
    )
    amount = column_array(orders, "amount")
    paid = scenario.history.zero + np.minimum(
        at + integers_below(rng.random(count), 180), scenario.history.end - 1
    )
    order = np.r_[np.arange(count), back]
    return pa.table(
        {
            "order": order,
            "refund": np.r_[np.zeros(count, np.bool_), np.ones(len(back), np.bool_)],
            "method": text_columns.pick(_METHODS, shares[order]),
            "amount": np.r_[amount, -amount[back]],
            "paid_at": text_columns.timestamps(np.r_[paid, column_array(returns, "returned_at")]),
        }
    )
