"""The shop's exports of customers and orders: CSV with English headers, moments with their zone.

What a company with several shops sells elsewhere is left out here; accounts, coupons and members are always the shop's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import PricePolicy
from lakehouse.sample.company.units import WEEK
from lakehouse.sample.company.world.accounts import BOTH, SECOND_PHONE, WECHAT
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.places import CITY_NAMES, STORE_IDS
from lakehouse.sample.company.world.shopping import CHANNELS, STORE
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, DirtyExport, Export
from lakehouse.sample.company.writers.shared_columns import true_names
from lakehouse.sample.company.writers.system_records import is_sold_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Flags
    from lakehouse.sample.company.world.chunk import Chunk

_WECHAT_APP = "wx0000000000sample"


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the shop writes of its customers."""
    yield _customers(chunk)
    yield _coupons(chunk)
    yield _memberships(chunk)
    is_own = is_sold_by(chunk, "shop")
    shops = chunk.scenario.shops
    if "shop" in shops:
        yield _orders(chunk, is_own)
        yield _items(chunk).filtered(is_own[chunk.array("items", "order")])
        yield _payments(chunk, is_own)
        yield _returns(chunk).filtered(is_own[chunk.array("returns", "order")])
        sells_online = len(shops) == 1  # else the stores alone are its, which send nothing
        if sells_online:
            yield _shipments(chunk)
        yield _redemptions(chunk, is_own)


def _customers(chunk: Chunk) -> Export:
    """Return accounts, with what each knows of its person."""
    dirty = DirtyExport(chunk, "shop/customers")
    row, carries = chunk.array("accounts", "row"), chunk.array("accounts", "carries")
    main, second = chunk.column("persons", "phone", row), chunk.column("persons", "second_phone", row)
    phone = pc.if_else(pa.array(carries == SECOND_PHONE), second, main)
    hides_unionid = (carries != WECHAT) & (row % 2 == 0)
    columns = {
        "customer_id": chunk.column("accounts", "customer_id"),
        "name": dirty.texts("name", true_names(chunk, row)),
        "phone": dirty.phones("phone", text.null_where(phone, carries == WECHAT)),
        "email": text.null_where(chunk.column("persons", "email", row), carries != BOTH),
        "wechat_app_id": pa.repeat(_WECHAT_APP, len(row)),
        "wechat_openid": chunk.column("accounts", "openid"),
        "wechat_unionid": text.null_where(chunk.column("persons", "unionid", row), hides_unionid),
        "marketing_consent": chunk.column("accounts", "consent"),
        "city": text.pick(CITY_NAMES, chunk.array("persons", "city")[row]),
        "created_at": text.local_iso(chunk.array("accounts", "registered_at")),
        "source": pa.repeat(GENERATED, len(row)),
    }
    return dirty.build(columns, chunk.array("accounts", "person"))


def _orders(chunk: Chunk, is_own: Flags) -> Export:
    """Return orders; those of the site and the app name who receives them and where."""
    dirty = DirtyExport(chunk, "shop/orders")
    row, channel = chunk.array("orders", "row"), chunk.array("orders", "channel")
    account, in_store = chunk.array("orders", "account"), channel == STORE
    coupon = chunk.column("accounts", "coupon_id", account)
    pieces = np.bincount(chunk.array("items", "order"), chunk.array("items", "quantity")).astype(np.int64)
    receiver = text.null_where(true_names(chunk, row), in_store)
    receiver_phone = text.null_where(chunk.column("persons", "phone", row), in_store)
    columns = {
        "order_id": chunk.column("orders", "order_id"),
        "customer_id": chunk.column("accounts", "customer_id", account),
        "ordered_at": text.local_iso(chunk.array("orders", "ordered_at")),
        "channel": text.pick(CHANNELS, channel),
        "place_id": text.null_where(text.pick(STORE_IDS, chunk.array("orders", "store")), ~in_store),
        "city": text.pick(CITY_NAMES, chunk.array("persons", "city")[row]),
        "quantity": text.integers(pieces),
        "amount": text.money(chunk.array("orders", "amount")),
        "currency": pa.repeat("CNY", len(row)),
        "campaign_id": text.null_where(_promotions(chunk), ~chunk.array("orders", "promoted")),
        "coupon_code": text.null_where(coupon, ~chunk.array("orders", "coupon")),
        "receiver_name": dirty.texts("receiver_name", receiver),
        "receiver_phone": dirty.phones("receiver_phone", receiver_phone),
        "address": text.null_where(chunk.column("persons", "address", row), in_store),
        "remark": dirty.empty_remarks("remark", len(row)),
        "source": pa.repeat(GENERATED, len(row)),
    }
    return dirty.build(columns, chunk.array("orders", "person"), keep=is_own)


def _promotions(chunk: Chunk) -> pa.Array:
    """Return the name that a promotion of each order's category and week would have: that of `ids.promotion`."""
    week = (chunk.array("orders", "ordered_at") - chunk.scenario.history.zero) // WEEK
    category = text.pick(CATEGORIES, chunk.array("orders", "category"))
    return text.joined("PROMO-", category, "-W", text.digits(week, 3))


def _items(chunk: Chunk) -> Export:
    order, product = chunk.array("items", "order"), chunk.array("items", "product")
    quantity, unit_price = chunk.array("items", "quantity"), chunk.array("items", "unit_price")
    catalogue = chunk.scenario.catalogue
    columns = {
        "order_id": chunk.column("orders", "order_id", order),
        "line_id": text.integers(chunk.array("items", "line")),
        "product_id": text.pick(catalogue.ids, product),
        "name": text.pick(catalogue.names, product),
        "category": text.pick(CATEGORIES, product // PRODUCTS_A_CATEGORY),
        "quantity": text.integers(quantity),
        "list_price": text.money(chunk.array("items", "list_price")),
        "unit_price": text.money(unit_price),
        "amount": text.money(unit_price * quantity),
    }
    return Export("shop/order_items", pa.table(columns), chunk.array("orders", "person")[order])


def _payments(chunk: Chunk, is_own: Flags) -> Export:
    """Return payments, and refunds under a number of their own and with a minus."""
    dirty = DirtyExport(chunk, "shop/payments")
    order, is_refund = chunk.array("payments", "order"), chunk.array("payments", "refund")
    order_ids = chunk.column("orders", "order_id", order)
    columns = {
        "payment_id": text.joined(text.either(is_refund, "REF", "PAY"), order_ids),
        "order_id": order_ids,
        "kind": text.either(is_refund, "refund", "payment"),
        "method": chunk.column("payments", "method"),
        "amount": text.money(chunk.array("payments", "amount")),
        "currency": pa.repeat("CNY", len(order)),
        "paid_at": text.local_iso(chunk.array("payments", "paid_at")),
    }
    return dirty.build(columns, chunk.array("orders", "person")[order], keep=is_own[order])


def _returns(chunk: Chunk) -> Export:
    order = chunk.array("returns", "order")
    order_ids = chunk.column("orders", "order_id", order)
    columns = {
        "return_id": text.joined("RET", order_ids),
        "order_id": order_ids,
        "reason": chunk.column("returns", "reason"),
        "amount": text.money(chunk.array("orders", "amount")[order]),
        "currency": pa.repeat("CNY", len(order)),
        "returned_at": text.local_iso(chunk.array("returns", "returned_at")),
    }
    return Export("shop/returns", pa.table(columns), chunk.array("orders", "person")[order])


def _shipments(chunk: Chunk) -> Export:
    """Return parcels of the site and the app: when each left and, by now, arrived."""
    end = chunk.scenario.history.zero + chunk.scenario.history.end
    is_online = chunk.array("orders", "channel") != STORE
    order = np.flatnonzero(is_online & (chunk.array("orders", "shipped_at") < end))
    delivered = chunk.array("orders", "delivered_at")[order]
    is_under_way = delivered >= end
    order_ids = chunk.column("orders", "order_id", order)
    columns = {
        "shipment_id": text.joined("SH", order_ids),
        "order_id": order_ids,
        "status": text.either(is_under_way, "on its way", "delivered"),
        "shipped_at": text.local_iso(chunk.array("orders", "shipped_at")[order]),
        "delivered_at": text.null_where(text.local_iso(delivered), is_under_way),
    }
    return Export("shop/shipments", pa.table(columns), chunk.array("orders", "person")[order])


def _coupons(chunk: Chunk) -> Export:
    """Return welcome coupons: each account was given one."""
    count = len(chunk.tables["accounts"])
    columns = {
        "coupon_id": chunk.column("accounts", "coupon_id"),
        "customer_id": chunk.column("accounts", "customer_id"),
        "campaign_id": pa.repeat(ids.WELCOME_CAMPAIGN, count),
        "kind": pa.repeat("amount", count),
        "value": pa.repeat(text.yuan(PricePolicy.coupon_fen), count),
        "currency": pa.repeat("CNY", count),
        "minimum": pa.repeat(text.yuan(PricePolicy.coupon_minimum_fen), count),
        "issued_at": text.local_iso(chunk.array("accounts", "registered_at")),
    }
    return Export("shop/coupons", pa.table(columns), chunk.array("accounts", "person"))


def _redemptions(chunk: Chunk, is_own: Flags) -> Export:
    """Return uses of coupons; each names the order it was used for."""
    order = np.flatnonzero(chunk.array("orders", "coupon") & is_own)
    account = chunk.array("orders", "account")[order]
    order_ids = chunk.column("orders", "order_id", order)
    columns = {
        "redemption_id": text.joined("RED", order_ids),
        "coupon_id": chunk.column("accounts", "coupon_id", account),
        "customer_id": chunk.column("accounts", "customer_id", account),
        "order_id": order_ids,
        "amount": pa.repeat(text.yuan(PricePolicy.coupon_fen), len(order)),
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
