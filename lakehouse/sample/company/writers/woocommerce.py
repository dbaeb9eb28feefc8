"""WooCommerce's order export as CSV: a row a line, each with all that is known of its order; times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.world.accounts import BOTH
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.company.writers.part import sold_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

_CITIES = [city.name for city in CITIES]
_PROVINCES = [city.province_code for city in CITIES]  # WooCommerce has them with the country's code
_COUPON = 1000  # fen


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the orders that were made with WooCommerce, in the order of their lines."""
    if "woocommerce" not in chunk.frame.shops:
        return
    line = np.flatnonzero(sold_by(chunk, "woocommerce")[chunk.of("items", "order")])
    order, product = chunk.of("items", "order")[line], chunk.of("items", "product")[line]
    row, account = chunk.of("orders", "row")[order], chunk.of("orders", "account")[order]
    city, amount = chunk.of("persons", "city")[row], chunk.of("orders", "amount")[order]
    number = pc.utf8_slice_codeunits(chunk.texts("orders", "order_id", order), 2)
    nth, quantity = text_columns.plain(chunk.of("items", "line")[line]), chunk.of("items", "quantity")[line]
    back, value = (
        np.isin(order, chunk.of("returns", "order")),
        chunk.of("items", "unit_price")[line] * quantity,
    )
    given = text_columns.joined(
        *(chunk.texts("persons", part, row) for part in ("given_first", "given_second"))
    )
    columns = {
        "order_id": number,
        "order_number": number,
        "date": text_columns.utc(chunk.of("orders", "ordered_at")[order]),
        "status": text_columns.pick(("completed", "refunded"), back.astype(np.int64)),
        "shipping_total": pa.repeat("0.00", len(line)),
        "tax_total": pa.repeat("0.00", len(line)),
        "discount_total": text_columns.money(chunk.of("orders", "coupon")[order] * _COUPON),
        "order_total": text_columns.money(amount),
        "refunded_total": text_columns.money(amount * back),
        "order_currency": pa.repeat("CNY", len(line)),
        "payment_method": pa.repeat("alipay", len(line)),
        "customer_id": pc.utf8_slice_codeunits(chunk.texts("accounts", "customer_id", account), 1),
        "billing_first_name": given,
        "billing_last_name": chunk.texts("persons", "family", row),
        "billing_email": text_columns.blank(
            chunk.texts("persons", "email", row), chunk.of("accounts", "carries")[account] != BOTH
        ),
        "billing_phone": chunk.texts("persons", "phone", row),
        "billing_address_1": chunk.texts("persons", "address", row),
        "billing_city": text_columns.pick(_CITIES, city),
        "billing_state": text_columns.pick(_PROVINCES, city),
        "billing_country": pa.repeat("CN", len(line)),
        "customer_note": pa.repeat(GENERATED, len(line)),
        "item_id": text_columns.joined(number, nth),
        "item_product_id": pc.utf8_slice_codeunits(text_columns.pick(chunk.frame.catalogue.ids, product), 1),
        "item_name": text_columns.pick(chunk.frame.catalogue.names, product),
        "item_sku": text_columns.pick(chunk.frame.catalogue.ids, product),
        "item_quantity": text_columns.plain(quantity),
        "item_subtotal": text_columns.money(value),
        "item_total": text_columns.money(value),
        "item_refunded": text_columns.money(value * back),
    }
    yield Export("woocommerce/order_export", pa.table(columns), chunk.of("orders", "person")[order])
