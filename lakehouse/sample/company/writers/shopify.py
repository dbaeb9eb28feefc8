"""Shopify's export of orders: a row a line, the order's own columns in its first row alone, times with their offset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import PricePolicy
from lakehouse.sample.company.world.accounts import BOTH, WECHAT
from lakehouse.sample.company.world.places import CITY_NAMES, PROVINCE_CODES, STORE_IDS
from lakehouse.sample.company.world.shopping import STORE
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.company.writers.order_lines import OrderLines
from lakehouse.sample.company.writers.shared_columns import true_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Flags, Ints
    from lakehouse.sample.company.world.chunk import Chunk

_SHORT_PROVINCE_CODES = [code.removeprefix("CN-") for code in PROVINCE_CODES]
_SOURCES = ("web", "app", "pos")  # of the world's channels


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the orders that were made with Shopify, in the order of their lines."""
    if "shopify" not in chunk.scenario.shops:
        return
    lines = OrderLines(chunk, "shopify")
    is_later_line = lines.item_array("line") > 1
    in_first_row = {
        name: text.null_where(column, is_later_line) for name, column in _order_columns(lines).items()
    }
    columns = {
        "Name": lines.order_column("order_id"),
        **in_first_row,
        "Created at": _with_offset(lines.order_array("ordered_at")),
        **_line_columns(lines),
    }
    yield Export("shopify/orders", pa.table(columns), lines.order_array("person"))


def _with_offset(seconds: Ints) -> pa.Array:
    return text.joined(text.local(seconds), " +0800")


def _line_columns(lines: OrderLines) -> dict[str, pa.Array]:
    catalogue, product = lines.chunk.scenario.catalogue, lines.item_array("product")
    list_price, unit_price = lines.item_array("list_price"), lines.item_array("unit_price")
    return {
        "Lineitem quantity": text.integers(lines.item_array("quantity")),
        "Lineitem name": text.pick(catalogue.names, product),
        "Lineitem price": text.money(unit_price),
        "Lineitem compare at price": text.null_where(text.money(list_price), list_price == unit_price),
        "Lineitem sku": text.pick(catalogue.ids, product),
        "Lineitem requires shipping": pa.repeat("true", len(lines)),
    }


def _order_columns(lines: OrderLines) -> dict[str, pa.Array]:
    """Return the columns of an order's first row; an account with WeChat alone pays under its person's phone."""
    channel, in_store = lines.order_array("channel"), lines.order_array("channel") == STORE
    amount, is_returned = text.money(lines.order_array("amount")), lines.is_returned()
    coupon, carries = lines.order_array("coupon"), lines.account_array("carries")
    city = lines.person_array("city")
    phone, person = lines.person_column("phone"), true_names(lines.chunk, lines.order_array("row"))
    is_shipped = ~in_store & ~_ships_later(lines)
    return {
        "Email": text.null_where(lines.person_column("email"), carries != BOTH),
        "Financial Status": text.either(is_returned, "refunded", "paid"),
        "Paid at": _with_offset(lines.order_array("ordered_at")),
        "Fulfillment Status": text.either(in_store | is_shipped, "fulfilled", "unfulfilled"),
        "Fulfilled at": text.null_where(_with_offset(lines.order_array("shipped_at")), ~is_shipped),
        "Currency": pa.repeat("CNY", len(lines)),
        "Subtotal": amount,
        "Shipping": pa.repeat("0.00", len(lines)),
        "Taxes": pa.repeat("0.00", len(lines)),
        "Total": amount,
        "Discount Code": text.null_where(lines.account_column("coupon_id"), ~coupon),
        "Discount Amount": text.money(coupon * PricePolicy.coupon_fen),
        "Billing Name": text.null_where(person, in_store),
        "Billing Phone": text.null_where(phone, in_store),
        "Shipping Name": text.null_where(person, in_store),
        "Shipping Street": text.null_where(lines.person_column("address"), in_store),
        "Shipping City": text.pick(CITY_NAMES, city),
        "Shipping Province": text.pick(_SHORT_PROVINCE_CODES, city),
        "Shipping Country": pa.repeat("CN", len(lines)),
        "Payment Method": pa.repeat("WeChat Pay", len(lines)),
        "Payment Reference": text.joined("c", lines.order_column("order_id"), ".1"),
        "Refunded Amount": text.money(lines.order_array("amount") * is_returned),
        "Location": text.null_where(text.pick(STORE_IDS, lines.order_array("store")), ~in_store),
        "Tags": _tags(lines),
        "Source": text.pick(_SOURCES, channel),
        "Phone": text.null_where(phone, carries == WECHAT),
    }


def _ships_later(lines: OrderLines) -> Flags:
    """Return which orders are shipped after history."""
    history = lines.chunk.scenario.history
    flags: Flags = lines.order_array("shipped_at") >= history.zero + history.end
    return flags


def _tags(lines: OrderLines) -> pa.Array:
    is_promoted = pa.array(lines.order_array("promoted"))
    return pc.if_else(is_promoted, f"{GENERATED}, promotion", GENERATED)
