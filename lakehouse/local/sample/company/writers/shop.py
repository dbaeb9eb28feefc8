"""The shop's exports: CSV with English headers; orders say their zone, payments and returns are in local time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.local.sample.company import text
from lakehouse.local.sample.company.arrays import Ints, stream
from lakehouse.local.sample.company.world.accounts import BOTH, SECOND_PHONE, WECHAT
from lakehouse.local.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.local.sample.company.world.places import CITIES, STORES_A_CITY, stores
from lakehouse.local.sample.company.world.shopping import CHANNELS, STORE
from lakehouse.local.sample.company.writers.export import GENERATED, Dirt, Export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.local.sample.company.world.chunk import Chunk
    from lakehouse.local.sample.company.world.frame import Frame

_STOCK_DAYS, _STOCK_STORES = 90, 12
_NAMES = [city.name for city in CITIES]
_STORES = [store.store_id for store in stores()]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the shop writes of its customers."""
    yield _customers(chunk)
    yield _orders(chunk)
    yield _items(chunk)
    yield _payments(chunk)
    yield _returns(chunk)
    yield _coupons(chunk)


def _label(rows: int) -> pa.Array:
    return pa.repeat(GENERATED, rows)


def _customers(chunk: Chunk) -> Export:
    """Accounts, with what each knows of its person."""
    row, carries = chunk.of("accounts", "row"), chunk.of("accounts", "carries")
    dirt = Dirt(chunk, "shop/customers")
    phone = pc.if_else(
        pa.array(carries == SECOND_PHONE),
        chunk.texts("persons", "second_phone", row),
        chunk.texts("persons", "phone", row),
    )
    columns = {
        "customer_id": chunk.texts("accounts", "customer_id"),
        "name": dirt.words("name", _full_names(chunk, row)),
        "phone": dirt.phones("phone", text.blank(phone, carries == WECHAT)),
        "email": text.blank(chunk.texts("persons", "email", row), carries != BOTH),
        "openid": chunk.texts("accounts", "openid"),
        "unionid": text.blank(chunk.texts("persons", "unionid", row), (carries != WECHAT) & (row % 2 == 0)),
        "member_level": chunk.texts("accounts", "level"),
        "marketing_consent": chunk.texts("accounts", "consent"),
        "city": text.pick(_NAMES, chunk.of("persons", "city")[row]),
        "registered_at": text.zoned(chunk.of("accounts", "registered_at")),
        "source": _label(len(row)),
    }
    return dirt.export(columns, chunk.of("accounts", "person"))


def _full_names(chunk: Chunk, row: Ints) -> pa.Array:
    return text.joined(
        *(chunk.texts("persons", part, row) for part in ("family", "given_first", "given_second"))
    )


def _orders(chunk: Chunk) -> Export:
    """Orders; those of the site and the app name who receives them, where, and when the parcel left and came."""
    row, channel = chunk.of("orders", "row"), chunk.of("orders", "channel")
    in_store, end = channel == STORE, chunk.frame.history.zero + chunk.frame.history.end
    shipped, delivered = chunk.of("orders", "shipped_at"), chunk.of("orders", "delivered_at")
    category, week = (
        chunk.of("orders", "category"),
        (chunk.of("orders", "ordered_at") - chunk.frame.history.zero) // 604_800,
    )
    promotion = text.joined("PROMO-", text.pick(CATEGORIES, category), "-W", text.digits(week, 3))
    coupon = text.pick(chunk.texts("accounts", "coupon_id"), chunk.of("orders", "account"))
    pieces = np.bincount(chunk.of("items", "order"), chunk.of("items", "quantity")).astype(np.int64)
    dirt = Dirt(chunk, "shop/orders")
    columns = {
        "order_id": chunk.texts("orders", "order_id"),
        "customer_id": chunk.texts("accounts", "customer_id", chunk.of("orders", "account")),
        "ordered_at": text.zoned(chunk.of("orders", "ordered_at")),
        "channel": text.pick(CHANNELS, channel),
        "store": text.blank(text.pick(_STORES, chunk.of("orders", "store")), ~in_store),
        "city": text.pick(_NAMES, chunk.of("persons", "city")[row]),
        "quantity": text.plain(pieces),
        "amount": text.money(chunk.of("orders", "amount")),
        "currency": pa.repeat("CNY", len(row)),
        "promotion": text.blank(promotion, ~chunk.of("orders", "promoted")),
        "coupon_id": text.blank(coupon, ~chunk.of("orders", "coupon")),
        "receiver_name": dirt.words("receiver_name", text.blank(_full_names(chunk, row), in_store)),
        "receiver_phone": dirt.phones(
            "receiver_phone", text.blank(chunk.texts("persons", "phone", row), in_store)
        ),
        "receiver_address": text.blank(chunk.texts("persons", "address", row), in_store),
        "shipped_at": text.blank(text.local(shipped), in_store | (shipped >= end)),
        "delivered_at": text.blank(text.local(delivered), in_store | (delivered >= end)),
        "remark": dirt.optional("remark", pa.nulls(len(row), pa.string())),
        "source": _label(len(row)),
    }
    return dirt.export(columns, chunk.of("orders", "person"))


def _items(chunk: Chunk) -> Export:
    order, product = chunk.of("items", "order"), chunk.of("items", "product")
    quantity, unit = chunk.of("items", "quantity"), chunk.of("items", "unit_price")
    catalogue = chunk.frame.catalogue
    columns = {
        "order_id": chunk.texts("orders", "order_id", order),
        "line": text.plain(chunk.of("items", "line")),
        "product_id": text.pick(catalogue.ids, product),
        "product_name": text.pick(catalogue.names, product),
        "category": text.pick(CATEGORIES, product // PRODUCTS_A_CATEGORY),
        "quantity": text.plain(quantity),
        "list_price": text.money(chunk.of("items", "list_price")),
        "unit_price": text.money(unit),
        "amount": text.money(unit * quantity),
    }
    return Export("shop/order_items", pa.table(columns), chunk.of("orders", "person")[order])


def _payments(chunk: Chunk) -> Export:
    """Payments, and refunds under a number of their own; the file mixes three ways to write a moment."""
    order, refund = chunk.of("payments", "order"), chunk.of("payments", "refund")
    dirt = Dirt(chunk, "shop/payments")
    columns = {
        "payment_id": text.joined(
            text.pick(("PAY", "REF"), refund.astype(np.int64)), chunk.texts("orders", "order_id", order)
        ),
        "order_id": chunk.texts("orders", "order_id", order),
        "kind": text.pick(("payment", "refund"), refund.astype(np.int64)),
        "method": chunk.texts("payments", "method"),
        "amount": text.money(chunk.of("payments", "amount")),
        "paid_at": dirt.local_moments("paid_at", chunk.of("payments", "paid_at")),
    }
    return dirt.export(columns, chunk.of("orders", "person")[order])


def _returns(chunk: Chunk) -> Export:
    order = chunk.of("returns", "order")
    columns = {
        "return_id": text.joined("RET", chunk.texts("orders", "order_id", order)),
        "order_id": chunk.texts("orders", "order_id", order),
        "reason": chunk.texts("returns", "reason"),
        "amount": text.money(chunk.of("orders", "amount")[order]),
        "returned_at": text.local(chunk.of("returns", "returned_at")),
    }
    return Export("shop/returns", pa.table(columns), chunk.of("orders", "person")[order])


def _coupons(chunk: Chunk) -> Export:
    """Welcome coupons of accounts; who redeemed one names the order."""
    registered = chunk.of("accounts", "registered_at")
    redeemed = np.flatnonzero(chunk.of("orders", "coupon"))
    order = np.full(len(registered), -1, np.int64)
    order[chunk.of("orders", "account")[redeemed]] = redeemed
    ids = pa.concat_arrays([chunk.texts("orders", "order_id"), pa.nulls(1, pa.string())])
    columns = {
        "coupon_id": chunk.texts("accounts", "coupon_id"),
        "customer_id": chunk.texts("accounts", "customer_id"),
        "kind": pa.repeat("welcome", len(order)),
        "value": pa.repeat("10.00", len(order)),
        "minimum": pa.repeat("50.00", len(order)),
        "issued_at": text.local(registered),
        "order_id": text.pick(ids, np.where(order < 0, len(ids) - 1, order)),
    }
    return Export("shop/coupons", pa.table(columns), chunk.of("accounts", "person"))


def of_company(frame: Frame) -> Iterator[Export]:
    """Yield what the shop writes of its goods: products with every price they had, and stock of the last days."""
    yield _products(frame)
    yield _stock(frame)


def _products(frame: Frame) -> Export:
    catalogue, start = frame.catalogue, frame.history.start.isoformat()
    count = len(catalogue.names)
    product, version = np.repeat(np.arange(count), 2), np.tile(np.arange(2), count)
    rises = [frame.history.date(int(day)).isoformat() for day in catalogue.rises]
    columns = {
        "product_id": text.pick(catalogue.ids, product),
        "name": text.pick(catalogue.names, product),
        "category": text.pick(CATEGORIES, product // PRODUCTS_A_CATEGORY),
        "list_price": text.money(catalogue.prices[product, version]),
        "currency": pa.repeat("CNY", len(product)),
        "valid_from": pc.if_else(pa.array(version == 0), start, text.pick(rises, product)),
        "valid_to": text.blank(text.pick(rises, product), version == 1),
        "source": _label(len(product)),
    }
    return Export("shop/products", pa.table(columns))


def _stock(frame: Frame) -> Export:
    """Stock in the evening of each of the last days: one shop a city, the first product of each category."""
    rng = stream(frame.seed, "stock")
    shape = (_STOCK_STORES, len(CATEGORIES), _STOCK_DAYS)
    sold = np.cumsum(rng.poisson(4, shape), axis=2)
    level = (rng.integers(40, 160, shape[:2])[:, :, None] - sold) % 160
    store, category, day = (axis.ravel() for axis in np.indices(shape))
    moment = frame.history.zero + (frame.history.days - _STOCK_DAYS + day) * text.DAY
    columns = {
        "day": text.days(moment),
        "store_id": text.pick(_STORES, store * STORES_A_CITY),
        "product_id": text.pick(frame.catalogue.ids, category * PRODUCTS_A_CATEGORY),
        "on_hand": text.plain(level.ravel()),
    }
    return Export("shop/stock", pa.table(columns))
