"""What the counts of rows that found a customer say to a person."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import normal_forms, sql_functions
from lakehouse.stages.customers_found import CustomersFound, rows_sql
from lakehouse.stages.policy import CustomersFoundPolicy
from tests.support.units import a_source


@pytest.mark.parametrize(
    ("rows", "found", "resolved", "low"),
    [
        (188, 0, "current", True),
        (188, 93, "current", True),
        (188, 94, "current", False),
        (188, 0, "outdated", False),
        (188, 0, "never", False),
        (0, 0, "current", False),
    ],
)
def test_a_low_share_is_a_warning_once_all_is_resolved(monkeypatch, rows, found, resolved, low):
    """Before that nobody can know."""
    monkeypatch.setattr(CustomersFoundPolicy, "least_share", 0.5)
    assert CustomersFound("a/b", "orders", rows, found, resolved).is_low is low


@pytest.mark.parametrize(
    ("resolved", "text"),
    [
        ("current", "core.orders: 12 of 1,880 rows found a customer"),
        (
            "outdated",
            "core.orders: 12 of 1,880 rows found a customer; more may once resolve has seen the newest rows",
        ),
        (
            "never",
            "core.orders: 12 of 1,880 rows found a customer; nobody can before resolve has run for the first time",
        ),
    ],
)
def test_counts_say_how_far_they_can_be_relied_on(resolved, text):
    """Zero may mean that resolve has not run yet."""
    assert CustomersFound("a/b", "orders", 1880, 12, resolved).describe() == text


def test_a_warning_says_what_to_look_at():
    """The type, where nobody has such an identifier; else the values."""
    warning = CustomersFound("a/b", "orders", 188, 0, "current", ("wechat", "phone")).warning()
    assert (warning.level, warning.file, warning.field) == ("warning", "a/b", "core.orders.identifier_value")
    assert "no customer has an identifier of the type wechat or phone" in warning.message
    assert "compare the values" in CustomersFound("a/b", "orders", 188, 0, "current").warning().message


def test_only_rows_with_an_identifier_count(monkeypatch):
    """By type, in the spelling that identities have."""
    columns = [{"name": name, "from": name, "doc": "x"} for name in ("id", "kind", "who")]
    core = {"orders": {"order_id": "id", "identifier_type": "kind", "identifier_value": "who"}}
    source = a_source(columns=columns, core=core, key=["id"], full_export={})
    with duckdb.connect() as con:
        sql_functions.create(con)
        con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw; CREATE SCHEMA core")
        cells = ", ".join(f'"{column.name}" {column.duck_type}' for column in source.contract.columns)
        con.execute(f"CREATE TABLE {source.table} ({cells})")
        con.execute(
            "CREATE TABLE core.identities (identifier_type TEXT, identifier_value TEXT, customer_id TEXT)"
        )
        con.execute(
            "INSERT INTO core.identities VALUES ('phone', '+8613822345678', 'c1'), ('user_id', '7', 'c1')"
        )
        con.execute(
            f"INSERT INTO {source.table} (id, kind, who) VALUES ('1', 'phone', '138 2234 5678'), "
            "('2', 'phone', '139 2234 5678'), ('3', 'user_id', '7'), ('4', 'phone', ' '), ('5', 'phone', NULL), "
            "('6', NULL, '7')"
        )
        sql = rows_sql(source, "orders")
        normal_forms.create_for(con, sql)
        assert con.execute(sql).fetchall() == [("phone", 2, 1), ("user_id", 1, 1)]
