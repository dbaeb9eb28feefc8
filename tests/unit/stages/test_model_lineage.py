"""What a table is made of, asked as a person asks it."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.models import registry
from lakehouse.settings import current
from lakehouse.stages.model_lineage import lineage_of


def test_a_table_is_told_with_all_columns():
    """And what is made of it."""
    found = lineage_of(current(), registry.load(), "marts.customer_360")
    assert found.columns["open_deals"] == []
    assert found.columns["contacts"] == ["core.customers.contacts"]
    assert {"core.orders", "raw.events", "mapped.orders"} <= set(found.upstream)
    assert {"marts.rfm", "marts.customer_tags"} <= set(found.downstream)
    assert "core.orders" not in found.downstream


def test_a_column_is_told_alone():
    """With the names that are near where there is none such."""
    assert lineage_of(current(), registry.load(), "marts.rfm.m").columns == {
        "m": ["marts.customer_360.revenue"]
    }
    for name, says in (
        ("marts.rfm.monetry", "did you mean monetary"),
        ("marts.rfn", "did you mean marts.rfm"),
        ("x", "no model"),
    ):
        with pytest.raises(Terminal, match=says):
            lineage_of(current(), registry.load(), name)
