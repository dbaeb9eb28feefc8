"""Which orders are computed when orders, lines, refunds or the regions of customers change, and when none are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.model_looks import DAY
from tests.support.order_looks import order_looks

__all__ = ["order_looks"]

ORDERS = {
    number: {
        "source": "shop", "order_id": number, "customer_id": who, "ordered_at": DAY, "amount": Decimal(10),
        "currency": "USD", "counts_as": "sold",
    }
    for number, who in (("O1", "ann"), ("O2", "bob"), ("O3", "ann"))
}  # fmt: skip
ITEMS = {
    number: {"source": "shop", "order_id": number, "line_id": "1", "product_id": "P1", "amount": Decimal(10)}
    for number in ORDERS
}
CONTACTS = {
    who: {
        "source": "crm", "contact_id": who, "customer_id": who, "region_code": "NO-03", "valid_from": DAY,
        "created_at": DAY,
    }
    for who in ("ann", "bob")
}  # fmt: skip
RETURN = {"source": "shop", "return_id": "R1", "order_id": "O2", "returned_at": DAY, "amount": Decimal(3)}
START = {"core.orders": ORDERS, "core.order_items": ITEMS, "core.contacts": CONTACTS}
ONE = "rows of 1 (order_id, source)"
SAME = "no row that it reads is another one"
NONE = "rows of 0 (order_id, source)"


def changed(rows, name, **columns):
    return rows | {name: rows[name] | columns}


@pytest.mark.parametrize(
    ("change", "how"),
    [
        pytest.param(
            {"core.orders": changed(ORDERS, "O2", amount=Decimal(12))},
            {"core.order_products": "rows of 0 (order_id, source)", "core.sales_ledger": ONE},
            id="an order is worth more",
        ),
        pytest.param(
            {"core.orders": changed(ORDERS, "O2", customer_id="ann")},
            {"core.sales_ledger": ONE, "marts.product_affinity": SAME},
            id="an order changed hands",
        ),
        pytest.param(
            {"core.orders": changed(ORDERS, "O2", coupon_code="SPRING")},
            {"core.sales": NONE, "marts.data_quality": SAME, "core.sales_ledger": NONE},
            id="a column that nobody reads",
        ),
        pytest.param(
            {"core.contacts": changed(CONTACTS, "ann", region_code="SE-AB")},
            {"core.sales_ledger": "rows of 2 (order_id, source)"},
            id="a customer moved: its orders did",
        ),
        pytest.param(
            {"core.contacts": changed(CONTACTS, "ann", phone="1")},
            {"core.sales_ledger": NONE, "marts.sales_by_product_region": "rows of 0 (product_id, product_source)"},
            id="another phone moves no order",
        ),
        pytest.param(
            {"core.returns": {"R1": RETURN}},
            {"core.sales_ledger": ONE},
            id="something came back",
        ),
    ],
)  # fmt: skip
def test_each_change_touches_its_orders(order_looks, change, how):
    """And after it the rows are those that all inputs give: `order_looks` compares."""
    said = order_looks([START, change])
    assert {name: said.get(name) for name in how} == how
