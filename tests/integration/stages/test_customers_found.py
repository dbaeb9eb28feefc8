"""How many rows found their customer is counted on the lake as it is."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.sources import definition
from lakehouse.stages.add_source import carry_out, plan
from lakehouse.stages.customers_found import CustomersFound, count_customers_found
from lakehouse.stages.resolve import resolve
from tests.support.small_company import forget

COLUMNS = [{"name": name, "from": name, "doc": "x"} for name in ("id", "tel", "day")]
ORDERS = {
    "order_id": "id",
    "ordered_at": "TRY_CAST(day AS TIMESTAMPTZ)",
    "identifier_type": "'phone'",
    "identifier_value": "tel",
}
TILL = {
    "source": "till", "entity": "sales", "doc": "Sales", "grain": "one row a sale", "format": "csv",
    "region": "'CN'", "columns": COLUMNS, "core": {"orders": ORDERS},
}  # fmt: skip
DESK = {
    "source": "desk", "entity": "people", "doc": "People", "grain": "one row a person", "format": "csv",
    "columns": COLUMNS, "record": "id", "seen_at": "_loaded_at", "identifiers": [{"type": "phone", "value": "tel"}],
}  # fmt: skip


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """A company with a folder of definitions, empty at first."""
    (tmp_path / "definitions").mkdir()
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    forget()
    company.folder = tmp_path / "definitions"
    yield company
    definition.load.cache_clear()


def add(shop, content):
    planned = plan(shop.settings, yaml.safe_dump(content), "a.yaml", shop.folder)
    return carry_out(shop.settings, planned).customers_found


def test_rows_that_found_a_customer_are_told_when_a_source_is_added(shop):
    """As typed by a cashier; before resolve has run, and after it."""
    shop.load("till/sales", "1.csv", "id,tel,day\n1,138 2234 5678,2026-01-01\n2,139 2234 5678,\n3,,\n")
    (counted,) = add(shop, TILL)
    assert counted == CustomersFound("till/sales", "orders", 2, 0, "never", ("phone",))
    assert add(shop, DESK) == ()
    shop.load("desk/people", "1.csv", "id,tel,day\n1,+86 13822345678,\n")
    resolve(shop.settings)
    assert count_customers_found(shop.settings) == [CustomersFound("till/sales", "orders", 2, 1, "current")]
    assert count_customers_found(shop.settings, ["desk/people"]) == []
    shop.load("desk/people", "2.csv", "id,tel,day\n2,13922345678,\n")
    assert [counted.resolved for counted in count_customers_found(shop.settings)] == ["outdated"]


def test_a_column_that_the_table_lacks_finds_nobody(shop):
    """The definition is newer than the table; and nothing is changed by counting."""
    shop.load("till/sales", "1.csv", "id,tel,day\n1,138 2234 5678,\n")
    add(shop, TILL)
    changed = TILL | {"columns": [*COLUMNS, {"name": "user", "from": "user", "doc": "x"}]}
    changed["core"] = {"orders": ORDERS | {"identifier_type": "'user_id'", "identifier_value": "user"}}
    (shop.folder / "sources" / "till_sales.yaml").write_text(yaml.safe_dump(changed))
    assert count_customers_found(shop.settings) == []


def test_without_tables_there_is_nothing_to_count(shop):
    """Nor without a mapping that names customers."""
    assert count_customers_found(shop.settings) == []
