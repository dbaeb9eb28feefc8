"""WooCommerce's order export as CSV: a row a line, each with all that is known of its order; times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import PricePolicy
from lakehouse.sample.company.world.accounts import BOTH
from lakehouse.sample.company.world.places import CITY_NAMES, PROVINCE_CODES
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.company.writers.order_lines import OrderLines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the orders that were made with WooCommerce, in the order of their lines."""
    if "woocommerce" not in chunk.scenario.shops:
        return
    lines = OrderLines(chunk, "woocommerce")
    columns = {**_order_columns(lines), **_line_columns(lines)}
    yield Export("woocommerce/order_export", pa.table(columns), lines.order_array("person"))


def _order_columns(lines: OrderLines) -> dict[str, pa.Array]:
    number, amount, is_returned = (
        ids.woocommerce_orders(lines.order_column("order_id")),
        lines.order_array("amount"),
        lines.is_returned(),
    )
    city, account_has_email = lines.person_array("city"), lines.account_array("carries") == BOTH
    given_name = text.joined(lines.person_column("given_first"), lines.person_column("given_second"))
    return {
        "order_id": number,
        "order_number": number,
        "date": text.utc(lines.order_array("ordered_at")),
        "status": text.either(is_returned, "refunded", "completed"),
        "shipping_total": pa.repeat("0.00", len(lines)),
        "tax_total": pa.repeat("0.00", len(lines)),
        "discount_total": text.money(lines.order_array("coupon") * PricePolicy.coupon_fen),
        "order_total": text.money(amount),
        "refunded_total": text.money(amount * is_returned),
        "order_currency": pa.repeat("CNY", len(lines)),
        "payment_method": pa.repeat("alipay", len(lines)),
        "customer_id": pc.utf8_slice_codeunits(lines.account_column("customer_id"), 1),
        "billing_first_name": given_name,
        "billing_last_name": lines.person_column("family"),
        "billing_email": text.null_where(lines.person_column("email"), ~account_has_email),
        "billing_phone": lines.person_column("phone"),
        "billing_address_1": lines.person_column("address"),
        "billing_city": text.pick(CITY_NAMES, city),
        "billing_state": text.pick(PROVINCE_CODES, city),  # WooCommerce has them with the country's code
        "billing_country": pa.repeat("CN", len(lines)),
        "customer_note": pa.repeat(GENERATED, len(lines)),
    }


def _line_columns(lines: OrderLines) -> dict[str, pa.Array]:
    catalogue, product = lines.chunk.scenario.catalogue, lines.item_array("product")
    product_ids = text.pick(catalogue.ids, product)
    quantity = lines.item_array("quantity")
    value = lines.item_array("unit_price") * quantity
    return {
        "item_id": text.joined(
            ids.woocommerce_orders(lines.order_column("order_id")), text.integers(lines.item_array("line"))
        ),
        "item_product_id": pc.utf8_slice_codeunits(product_ids, 1),
        "item_name": text.pick(catalogue.names, product),
        "item_sku": product_ids,
        "item_quantity": text.integers(quantity),
        "item_subtotal": text.money(value),
        "item_total": text.money(value),
        "item_refunded": text.money(value * lines.is_returned()),
    }
