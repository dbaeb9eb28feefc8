"""Columns of order lines have a value for each line that a system sold."""

from __future__ import annotations

import numpy as np

from lakehouse.sample.company.world.chunk import Chunk
from lakehouse.sample.company.world.shopping import SITE
from lakehouse.sample.company.writers.order_lines import OrderLines


def test_lines_are_those_of_the_system_s_orders(chunk: Chunk) -> None:
    """Shopify has the site; all lines of its orders are there, in their order."""
    lines = OrderLines(chunk, "shopify")
    order = chunk.array("items", "order")
    of_site = chunk.array("orders", "channel")[order] == SITE
    assert len(lines) == of_site.sum() > 1_000
    assert np.array_equal(lines.item_array("product"), chunk.array("items", "product")[of_site])
    assert lines.order_column("order_id").equals(chunk.column("orders", "order_id", order[of_site]))


def test_people_and_accounts_are_those_who_ordered(chunk: Chunk) -> None:
    """A person's account belongs to the person."""
    lines = OrderLines(chunk, "shopify")
    assert np.array_equal(lines.person_array("person"), lines.order_array("person"))
    assert np.array_equal(lines.account_array("person"), lines.order_array("person"))
    for column in (lines.person_column("phone"), lines.account_column("customer_id")):
        assert len(column) == len(lines)


def test_orders_that_came_back_are_known(chunk: Chunk) -> None:
    """As many orders as have a return."""
    lines = OrderLines(chunk, "shopify")
    returned = set(lines.order_column("order_id").filter(lines.is_returned()).to_pylist())
    of_site = chunk.array("orders", "channel")[chunk.array("returns", "order")] == SITE
    assert len(returned) == of_site.sum() > 0
