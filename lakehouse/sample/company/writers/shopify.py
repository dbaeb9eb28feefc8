"""Shopify's export of orders: a row a line, the order's own columns in its first row alone, times with their offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.world.accounts import BOTH, WECHAT
from lakehouse.sample.company.world.places import CITIES, stores
from lakehouse.sample.company.world.shopping import STORE
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.company.writers.system_records import is_sold_by, true_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk

_CITIES = [city.name for city in CITIES]
_PROVINCES = [city.province_code[-2:] for city in CITIES]
_STORES = [store.store_id for store in stores()]
_COUPON = 1000  # fen


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the orders that were made with Shopify, in the order of their lines."""
    own = is_sold_by(chunk, "shopify")
    if "shopify" not in chunk.scenario.shops:
        return
    line = np.flatnonzero(own[chunk.array("items", "order")])
    order, product = chunk.array("items", "order")[line], chunk.array("items", "product")[line]
    catalogue, first = chunk.scenario.catalogue, chunk.array("items", "line")[line] == 1
    list_price, unit = chunk.array("items", "list_price")[line], chunk.array("items", "unit_price")[line]
    columns = {
        "Name": chunk.column("orders", "order_id", order),
        **{name: text.null_where(told, ~first) for name, told in _order(chunk, order).items()},
        "Created at": _offset(chunk.array("orders", "ordered_at")[order]),
        "Lineitem quantity": text.integers(chunk.array("items", "quantity")[line]),
        "Lineitem name": text.pick(catalogue.names, product),
        "Lineitem price": text.money(unit),
        "Lineitem compare at price": text.null_where(text.money(list_price), list_price == unit),
        "Lineitem sku": text.pick(catalogue.ids, product),
        "Lineitem requires shipping": pa.repeat("true", len(line)),
    }
    yield Export("shopify/orders", pa.table(columns), chunk.array("orders", "person")[order])


def _offset(seconds: Ints) -> pa.Array:
    return text.joined(text.local(seconds), " +0800")


def _order(chunk: Chunk, order: Ints) -> dict[str, Any]:
    """Return what stands in an order's first row; who has an account with WeChat alone pays under the own phone."""
    row, account = chunk.array("orders", "row")[order], chunk.array("orders", "account")[order]
    carries, in_store = (
        chunk.array("accounts", "carries")[account],
        chunk.array("orders", "channel")[order] == STORE,
    )
    city, amount = chunk.array("persons", "city")[row], chunk.array("orders", "amount")[order]
    coupon, end = (
        chunk.array("orders", "coupon")[order],
        chunk.scenario.history.zero + chunk.scenario.history.end,
    )
    back = np.isin(order, chunk.array("returns", "order"))
    shipped = chunk.array("orders", "shipped_at")[order]
    unsent = in_store | (shipped >= end)
    phone, ordered = (
        chunk.column("persons", "phone", row),
        _offset(chunk.array("orders", "ordered_at")[order]),
    )
    person = true_names(chunk, row)
    channel = text.pick(("web", "app", "pos"), chunk.array("orders", "channel")[order])
    promotion = pc.if_else(pa.array(chunk.array("orders", "promoted")[order]), "promotion", "")
    return {
        "Email": text.null_where(chunk.column("persons", "email", row), carries != BOTH),
        "Financial Status": text.either(back, "refunded", "paid"),
        "Paid at": ordered,
        "Fulfillment Status": text.pick(("fulfilled", "unfulfilled"), (unsent & ~in_store).astype(np.int64)),
        "Fulfilled at": text.null_where(_offset(shipped), unsent),
        "Currency": pa.repeat("CNY", len(order)),
        "Subtotal": text.money(amount),
        "Shipping": pa.repeat("0.00", len(order)),
        "Taxes": pa.repeat("0.00", len(order)),
        "Total": text.money(amount),
        "Discount Code": text.null_where(chunk.column("accounts", "coupon_id", account), ~coupon),
        "Discount Amount": text.money(coupon * _COUPON),
        "Billing Name": text.null_where(person, in_store),
        "Billing Phone": text.null_where(phone, in_store),
        "Shipping Name": text.null_where(person, in_store),
        "Shipping Street": text.null_where(chunk.column("persons", "address", row), in_store),
        "Shipping City": text.pick(_CITIES, city),
        "Shipping Province": text.pick(_PROVINCES, city),
        "Shipping Country": pa.repeat("CN", len(order)),
        "Payment Method": pa.repeat("WeChat Pay", len(order)),
        "Payment Reference": text.joined("c", chunk.column("orders", "order_id", order), ".1"),
        "Refunded Amount": text.money(amount * back),
        "Location": text.null_where(text.pick(_STORES, chunk.array("orders", "store")[order]), ~in_store),
        "Tags": text.joined(GENERATED, pc.if_else(pc.equal(promotion, ""), "", ", "), promotion),
        "Source": channel,
        "Phone": text.null_where(phone, carries == WECHAT),
    }
