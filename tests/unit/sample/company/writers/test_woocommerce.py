"""WooCommerce's export: every row has all that is known of its order."""

from __future__ import annotations

import re
from typing import Any

import pytest


def test_rows_of_one_order_say_the_same_of_it(exports: Any) -> None:
    """All columns but those of the item."""
    export = exports["woocommerce/order_export"]
    columns = [name for name in export if not name.startswith("item_")]
    orders: dict[str, tuple[str, ...]] = {}
    for row, number in enumerate(export["order_number"]):
        order = tuple(export[name][row] for name in columns)
        assert orders.setdefault(number, order) == order
    assert 0 < len(orders) < len(export["order_number"])


def test_lines_add_up_to_their_order(exports: Any) -> None:
    """Less the discount; what was refunded of lines and orders is all or nothing."""
    export = exports["woocommerce/order_export"]
    lines: dict[str, float] = {}
    for number, value in zip(export["order_number"], export["item_total"], strict=True):
        lines[number] = lines.get(number, 0.0) + float(value)
    for row, number in enumerate(export["order_number"]):
        total = lines[number] - float(export["discount_total"][row])
        assert total == pytest.approx(float(export["order_total"][row]))
        is_refunded = export["status"][row] == "refunded"
        assert float(export["refunded_total"][row]) == (
            float(export["order_total"][row]) if is_refunded else 0
        )


def test_a_line_has_an_id_of_its_own(exports: Any) -> None:
    """The order's number and the line's."""
    ids = exports["woocommerce/order_export"]["item_id"]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"\d+", item_id) for item_id in ids)
