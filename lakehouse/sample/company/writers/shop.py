"""The shop's exports: CSV with English headers, moments with their zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import Flags, random_stream
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.accounts import BOTH, SECOND_PHONE, WECHAT
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.places import CITIES, STORES_A_CITY, stores
from lakehouse.sample.company.world.shopping import CHANNELS, STORE
from lakehouse.sample.company.writers.export import GENERATED, Dirt, Export
from lakehouse.sample.company.writers.system_records import is_sold_by, true_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.scenario import Scenario

_STOCK_DAYS, _STOCK_STORES = 90, 12
_CLOSING = 22 * 3600  # seconds of the day
_NAMES = [city.name for city in CITIES]
_STORES = [store.store_id for store in stores()]
_APP = "wx0000000000sample"


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the shop writes of its customers."""
    yield _customers(chunk)
    yield _coupons(chunk)
    yield _memberships(chunk)
    own = is_sold_by(chunk, "shop")
    if "shop" in chunk.scenario.shops:
        yield _orders(chunk, own)
        yield _items(chunk).only(own[chunk.array("items", "order")])
        yield _payments(chunk, own)
        yield _returns(chunk).only(own[chunk.array("returns", "order")])
        if len(chunk.scenario.shops) == 1:  # else the stores alone are its, which send nothing
            yield _shipments(chunk)
        yield _redemptions(chunk, own)


def _label(rows: int) -> pa.Array:
    return pa.repeat(GENERATED, rows)


def _customers(chunk: Chunk) -> Export:
    """Return accounts, with what each knows of its person."""
    row, carries = chunk.array("accounts", "row"), chunk.array("accounts", "carries")
    dirt = Dirt(chunk, "shop/customers")
    phone = pc.if_else(
        pa.array(carries == SECOND_PHONE),
        chunk.column("persons", "second_phone", row),
        chunk.column("persons", "phone", row),
    )
    columns = {
        "customer_id": chunk.column("accounts", "customer_id"),
        "name": dirt.words("name", true_names(chunk, row)),
        "phone": dirt.phones("phone", text.null_where(phone, carries == WECHAT)),
        "email": text.null_where(chunk.column("persons", "email", row), carries != BOTH),
        "wechat_app_id": pa.repeat(_APP, len(row)),
        "wechat_openid": chunk.column("accounts", "openid"),
        "wechat_unionid": text.null_where(
            chunk.column("persons", "unionid", row), (carries != WECHAT) & (row % 2 == 0)
        ),
        "marketing_consent": chunk.column("accounts", "consent"),
        "city": text.pick(_NAMES, chunk.array("persons", "city")[row]),
        "created_at": text.local_iso(chunk.array("accounts", "registered_at")),
        "source": _label(len(row)),
    }
    return dirt.export(columns, chunk.array("accounts", "person"))


def _orders(chunk: Chunk, own: Flags) -> Export:
    """Return orders; those of the site and the app name who receives them and where."""
    row, channel = chunk.array("orders", "row"), chunk.array("orders", "channel")
    in_store = channel == STORE
    category, week = (
        chunk.array("orders", "category"),
        (chunk.array("orders", "ordered_at") - chunk.scenario.history.zero) // 604_800,
    )
    promotion = text.joined("PROMO-", text.pick(CATEGORIES, category), "-W", text.digits(week, 3))
    coupon = text.pick(chunk.column("accounts", "coupon_id"), chunk.array("orders", "account"))
    pieces = np.bincount(chunk.array("items", "order"), chunk.array("items", "quantity")).astype(np.int64)
    dirt = Dirt(chunk, "shop/orders")
    columns = {
        "order_id": chunk.column("orders", "order_id"),
        "customer_id": chunk.column("accounts", "customer_id", chunk.array("orders", "account")),
        "ordered_at": text.local_iso(chunk.array("orders", "ordered_at")),
        "channel": text.pick(CHANNELS, channel),
        "place_id": text.null_where(text.pick(_STORES, chunk.array("orders", "store")), ~in_store),
        "city": text.pick(_NAMES, chunk.array("persons", "city")[row]),
        "quantity": text.integers(pieces),
        "amount": text.money(chunk.array("orders", "amount")),
        "currency": pa.repeat("CNY", len(row)),
        "campaign_id": text.null_where(promotion, ~chunk.array("orders", "promoted")),
        "coupon_code": text.null_where(coupon, ~chunk.array("orders", "coupon")),
        "receiver_name": dirt.words("receiver_name", text.null_where(true_names(chunk, row), in_store)),
        "receiver_phone": dirt.phones(
            "receiver_phone", text.null_where(chunk.column("persons", "phone", row), in_store)
        ),
        "address": text.null_where(chunk.column("persons", "address", row), in_store),
        "remark": dirt.optional("remark", pa.nulls(len(row), pa.string())),
        "source": _label(len(row)),
    }
    return dirt.export(columns, chunk.array("orders", "person"), keep=own)


def _items(chunk: Chunk) -> Export:
    order, product = chunk.array("items", "order"), chunk.array("items", "product")
    quantity, unit = chunk.array("items", "quantity"), chunk.array("items", "unit_price")
    catalogue = chunk.scenario.catalogue
    columns = {
        "order_id": chunk.column("orders", "order_id", order),
        "line_id": text.integers(chunk.array("items", "line")),
        "product_id": text.pick(catalogue.ids, product),
        "name": text.pick(catalogue.names, product),
        "category": text.pick(CATEGORIES, product // PRODUCTS_A_CATEGORY),
        "quantity": text.integers(quantity),
        "list_price": text.money(chunk.array("items", "list_price")),
        "unit_price": text.money(unit),
        "amount": text.money(unit * quantity),
    }
    return Export("shop/order_items", pa.table(columns), chunk.array("orders", "person")[order])


def _payments(chunk: Chunk, own: Flags) -> Export:
    """Return payments, and refunds under a number of their own and with a minus."""
    order, refund = chunk.array("payments", "order"), chunk.array("payments", "refund")
    dirt = Dirt(chunk, "shop/payments")
    columns = {
        "payment_id": text.joined(
            text.either(refund, "REF", "PAY"),
            chunk.column("orders", "order_id", order),
        ),
        "order_id": chunk.column("orders", "order_id", order),
        "kind": text.either(refund, "refund", "payment"),
        "method": chunk.column("payments", "method"),
        "amount": text.money(chunk.array("payments", "amount")),
        "currency": pa.repeat("CNY", len(order)),
        "paid_at": text.local_iso(chunk.array("payments", "paid_at")),
    }
    return dirt.export(columns, chunk.array("orders", "person")[order], keep=own[order])


def _returns(chunk: Chunk) -> Export:
    order = chunk.array("returns", "order")
    columns = {
        "return_id": text.joined("RET", chunk.column("orders", "order_id", order)),
        "order_id": chunk.column("orders", "order_id", order),
        "reason": chunk.column("returns", "reason"),
        "amount": text.money(chunk.array("orders", "amount")[order]),
        "currency": pa.repeat("CNY", len(order)),
        "returned_at": text.local_iso(chunk.array("returns", "returned_at")),
    }
    return Export("shop/returns", pa.table(columns), chunk.array("orders", "person")[order])


def _shipments(chunk: Chunk) -> Export:
    """Return parcels of the site and the app: when each left and, by now, arrived."""
    end = chunk.scenario.history.zero + chunk.scenario.history.end
    sent = (chunk.array("orders", "channel") != STORE) & (chunk.array("orders", "shipped_at") < end)
    order = np.flatnonzero(sent)
    delivered = chunk.array("orders", "delivered_at")[order]
    ids = chunk.column("orders", "order_id", order)
    columns = {
        "shipment_id": text.joined("SH", ids),
        "order_id": ids,
        "status": text.either(delivered >= end, "on its way", "delivered"),
        "shipped_at": text.local_iso(chunk.array("orders", "shipped_at")[order]),
        "delivered_at": text.null_where(text.local_iso(delivered), delivered >= end),
    }
    return Export("shop/shipments", pa.table(columns), chunk.array("orders", "person")[order])


def _coupons(chunk: Chunk) -> Export:
    """Return welcome coupons: each account was given one."""
    count = len(chunk.tables["accounts"])
    columns = {
        "coupon_id": chunk.column("accounts", "coupon_id"),
        "customer_id": chunk.column("accounts", "customer_id"),
        "campaign_id": pa.repeat("welcome", count),
        "kind": pa.repeat("amount", count),
        "value": pa.repeat("10.00", count),
        "currency": pa.repeat("CNY", count),
        "minimum": pa.repeat("50.00", count),
        "issued_at": text.local_iso(chunk.array("accounts", "registered_at")),
    }
    return Export("shop/coupons", pa.table(columns), chunk.array("accounts", "person"))


def _redemptions(chunk: Chunk, own: Flags) -> Export:
    """Return uses of coupons; each names the order it was used for."""
    order = np.flatnonzero(chunk.array("orders", "coupon") & own)
    account = chunk.array("orders", "account")[order]
    ids = chunk.column("orders", "order_id", order)
    columns = {
        "redemption_id": text.joined("RED", ids),
        "coupon_id": chunk.column("accounts", "coupon_id", account),
        "customer_id": chunk.column("accounts", "customer_id", account),
        "order_id": ids,
        "amount": pa.repeat("10.00", len(order)),
        "currency": pa.repeat("CNY", len(order)),
        "redeemed_at": text.local_iso(chunk.array("orders", "ordered_at")[order]),
    }
    return Export("shop/redemptions", pa.table(columns), chunk.array("orders", "person")[order])


def _memberships(chunk: Chunk) -> Export:
    """Return the club's members: every account with its level."""
    customer = chunk.column("accounts", "customer_id")
    columns = {
        "membership_id": text.joined("M", pc.utf8_slice_codeunits(customer, 1)),
        "customer_id": customer,
        "program": pa.repeat("会员", len(customer)),
        "level": chunk.column("accounts", "level"),
        "status": pa.repeat("active", len(customer)),
        "joined_at": text.local_iso(chunk.array("accounts", "registered_at")),
    }
    return Export("loyalty/memberships", pa.table(columns), chunk.array("accounts", "person"))


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield what the shop writes of its goods: products, every price they had, and stock of the last days."""
    yield _products(scenario)
    yield _prices(scenario)
    yield _stock(scenario)


def _products(scenario: Scenario) -> Export:
    catalogue = scenario.catalogue
    product = np.arange(len(catalogue.names))
    columns = {
        "product_id": text.pick(catalogue.ids, product),
        "name": text.pick(catalogue.names, product),
        "category": text.pick(CATEGORIES, product // PRODUCTS_A_CATEGORY),
        "list_price": text.money(catalogue.prices[product, -1]),
        "currency": pa.repeat("CNY", len(product)),
        "is_active": pa.repeat("yes", len(product)),
        "source": _label(len(product)),
    }
    return Export("shop/products", pa.table(columns))


def _prices(scenario: Scenario) -> Export:
    """Return two prices a product: that of the beginning, and that from its rise on."""
    catalogue = scenario.catalogue
    count = len(catalogue.names)
    product, version = np.repeat(np.arange(count), 2), np.tile(np.arange(2), count)
    rise = text.local_iso(scenario.history.zero + np.asarray(catalogue.rises, np.int64)[product] * DAY)
    start = text.local_iso(np.full(len(product), scenario.history.zero))
    ids = text.pick(catalogue.ids, product)
    columns = {
        "price_id": text.joined(ids, "-", text.integers(version + 1)),
        "product_id": ids,
        "kind": pa.repeat("list", len(product)),
        "price": text.money(catalogue.prices[product, version]),
        "currency": pa.repeat("CNY", len(product)),
        "priced_from": pc.if_else(pa.array(version == 0), start, rise),
        "priced_to": text.null_where(rise, version == 1),
        "source": _label(len(product)),
    }
    return Export("shop/prices", pa.table(columns))


def _stock(scenario: Scenario) -> Export:
    """Return stock in the evening of each of the last days: one shop a city, the first product of each category."""
    rng = random_stream(scenario.seed, "stock")
    shape = (_STOCK_STORES, len(CATEGORIES), _STOCK_DAYS)
    sold = np.cumsum(rng.poisson(4, shape), axis=2)
    level = (rng.integers(40, 160, shape[:2])[:, :, None] - sold) % 160
    store, category, day = (axis.ravel() for axis in np.indices(shape))
    evening = (scenario.history.days - _STOCK_DAYS + day) * DAY + _CLOSING
    columns = {
        "product_id": text.pick(scenario.catalogue.ids, category * PRODUCTS_A_CATEGORY),
        "place_id": text.pick(_STORES, store * STORES_A_CITY),
        "counted_at": text.local_iso(scenario.history.zero + evening),
        "on_hand": text.integers(level.ravel()),
    }
    return Export("shop/stock", pa.table(columns))
