"""WooCommerce's order export as CSV: a row a line, each with all that is known of its order; times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.world.accounts import BOTH
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.company.writers.system_records import is_sold_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

_CITIES = [city.name for city in CITIES]
_PROVINCES = [city.province_code for city in CITIES]  # WooCommerce has them with the country's code
_COUPON = 1000  # fen


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the orders that were made with WooCommerce, in the order of their lines."""
    if "woocommerce" not in chunk.scenario.shops:
        return
    line = np.flatnonzero(is_sold_by(chunk, "woocommerce")[chunk.array("items", "order")])
    order, product = chunk.array("items", "order")[line], chunk.array("items", "product")[line]
    row, account = chunk.array("orders", "row")[order], chunk.array("orders", "account")[order]
    city, amount = chunk.array("persons", "city")[row], chunk.array("orders", "amount")[order]
    number = pc.utf8_slice_codeunits(chunk.column("orders", "order_id", order), 2)
    nth, quantity = (
        text.integers(chunk.array("items", "line")[line]),
        chunk.array("items", "quantity")[line],
    )
    back, value = (
        np.isin(order, chunk.array("returns", "order")),
        chunk.array("items", "unit_price")[line] * quantity,
    )
    given = text.joined(*(chunk.column("persons", part, row) for part in ("given_first", "given_second")))
    columns = {
        "order_id": number,
        "order_number": number,
        "date": text.utc(chunk.array("orders", "ordered_at")[order]),
        "status": text.either(back, "refunded", "completed"),
        "shipping_total": pa.repeat("0.00", len(line)),
        "tax_total": pa.repeat("0.00", len(line)),
        "discount_total": text.money(chunk.array("orders", "coupon")[order] * _COUPON),
        "order_total": text.money(amount),
        "refunded_total": text.money(amount * back),
        "order_currency": pa.repeat("CNY", len(line)),
        "payment_method": pa.repeat("alipay", len(line)),
        "customer_id": pc.utf8_slice_codeunits(chunk.column("accounts", "customer_id", account), 1),
        "billing_first_name": given,
        "billing_last_name": chunk.column("persons", "family", row),
        "billing_email": text.null_where(
            chunk.column("persons", "email", row), chunk.array("accounts", "carries")[account] != BOTH
        ),
        "billing_phone": chunk.column("persons", "phone", row),
        "billing_address_1": chunk.column("persons", "address", row),
        "billing_city": text.pick(_CITIES, city),
        "billing_state": text.pick(_PROVINCES, city),
        "billing_country": pa.repeat("CN", len(line)),
        "customer_note": pa.repeat(GENERATED, len(line)),
        "item_id": text.joined(number, nth),
        "item_product_id": pc.utf8_slice_codeunits(text.pick(chunk.scenario.catalogue.ids, product), 1),
        "item_name": text.pick(chunk.scenario.catalogue.names, product),
        "item_sku": text.pick(chunk.scenario.catalogue.ids, product),
        "item_quantity": text.integers(quantity),
        "item_subtotal": text.money(value),
        "item_total": text.money(value),
        "item_refunded": text.money(value * back),
    }
    yield Export("woocommerce/order_export", pa.table(columns), chunk.array("orders", "person")[order])
