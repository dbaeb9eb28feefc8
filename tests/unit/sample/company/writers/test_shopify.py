"""Shopify's export: an order's own columns stand in its first row alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

IN_EVERY_ROW = {"Name", "Created at"}


def test_an_order_is_told_in_its_first_row(exports: Any) -> None:
    """Later rows have the order's name, the moment and the line."""
    orders = exports["shopify/orders"]
    own_columns = [name for name in orders if name not in IN_EVERY_ROW and not name.startswith("Lineitem")]
    names: set[str] = set()
    for row, name in enumerate(orders["Name"]):
        is_first = name not in names
        names.add(name)
        assert (orders["Total"][row] is not None) == is_first
        if not is_first:
            assert all(orders[column][row] is None for column in own_columns)
    assert len(names) < len(orders["Name"])


def test_moments_have_their_offset(exports: Any) -> None:
    """China's, in every row."""
    moment = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0800")
    assert all(moment.fullmatch(text) for text in exports["shopify/orders"]["Created at"])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("Financial Status", {"paid", "refunded"}),
        ("Fulfillment Status", {"fulfilled", "unfulfilled"}),
        ("Tags", {"generated sample", "generated sample, promotion"}),
        ("Source", {"web"}),
        ("Discount Amount", {"0.00", "10.00"}),
    ],
)
def test_columns_have_shopify_s_words(exports: Any, column: str, values: set[str]) -> None:
    """In the first rows."""
    assert set(exports["shopify/orders"][column]) - {None} == values


def test_a_reduced_price_stands_beside_the_list_price(exports: Any) -> None:
    """Where they differ; else there is none to compare with."""
    orders = exports["shopify/orders"]
    pairs = list(zip(orders["Lineitem price"], orders["Lineitem compare at price"], strict=True))
    assert all(compare is None or float(compare) > float(price) for price, compare in pairs)
    assert any(compare for _, compare in pairs)
