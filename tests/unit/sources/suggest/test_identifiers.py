"""Whose record a row is, and the SQL that says so."""

from __future__ import annotations

import pytest

from lakehouse.sources.suggest.draft_columns import DraftColumn, by_core_column
from lakehouse.sources.suggest.identifiers import find_owner, record_expression, seen_at_expression


def column(name, core="", *, pii=False, type_="string"):
    """Return a column of a draft that core gets as `core`, or not at all."""
    return DraftColumn(name, name, type_, "doc", core=core, confidence="high" if core else None, pii=pii)


EMAIL = column("buyer_email", "email", pii=True)
ORDER = column("no", "order_id")


@pytest.mark.parametrize(
    ("entity", "columns", "identifiers", "kind"),
    [
        (
            "contacts",
            [column("id", "contact_id"), EMAIL],
            [("shop_id", "id", True), ("email", "buyer_email", True)],
            "shop_id",
        ),
        ("contacts", [EMAIL], [("email", "buyer_email", True)], None),
        ("orders", [ORDER, column("buyer", "identifier_value")], [("shop_id", "buyer", True)], "shop_id"),
        ("orders", [ORDER, column("person", "contact_id")], [("shop_id", "person", True)], "shop_id"),
        (
            "orders",
            [ORDER, column("buyer", "identifier_value"), column("phone", pii=True)],
            [("shop_id", "buyer", True), ("phone", "phone", False)],
            "shop_id",
        ),
        (
            "orders",
            [ORDER, column("email", pii=True)],
            [("shop_sales_id", "no", True), ("email", "email", True)],
            "shop_sales_id",
        ),
        ("orders", [column("email", pii=True)], [], None),
        ("orders", [ORDER], [], None),
        ("products", [column("id", "product_id"), column("email", pii=True)], [], None),
    ],
)
def test_identifiers(entity, columns, identifiers, kind):
    """A person's own number, else its customer's, else the record's where an e-mail or phone says whose it is."""
    owner = find_owner("shop", "sales", entity, columns, by_core_column(columns))
    assert list(owner.identifiers) == identifiers
    assert [core.column for core in owner.core] == (["identifier_type", "identifier_value"] if kind else [])
    if kind:
        assert owner.core[0].expression == f"'{kind}'"


@pytest.mark.parametrize(
    ("entity", "columns", "sql"),
    [
        ("orders", [ORDER, column("buyer", "identifier_value")], "'shop:customer:' || buyer"),
        ("orders", [ORDER, column("person", "contact_id")], "'shop:contacts:' || person"),
        ("orders", [ORDER], "'shop:sales:' || no"),
        ("contacts", [column("id", "contact_id")], "'shop:sales:' || id"),
        ("orders", [], "'shop:sales:' || _file_id || ':' || _row"),
    ],
)
def test_what_identifiers_belong_to(entity, columns, sql):
    """The customer, else the record, else the row of the file."""
    assert record_expression("shop", "sales", entity, by_core_column(columns)) == sql


@pytest.mark.parametrize(
    ("columns", "sql"),
    [
        ([], "_loaded_at"),
        ([column("made", "created_at", type_="date")], "_loaded_at"),
        ([column("made", "created_at", type_="timestamptz")], "coalesce(made, _loaded_at)"),
        (
            [
                column("paid", "paid_at", type_="timestamptz"),
                column("made", "created_at", type_="timestamptz"),
                column("changed", "updated_at", type_="timestamptz"),
            ],
            "coalesce(changed, made, _loaded_at)",
        ),
    ],
)
def test_when_identifiers_were_seen(columns, sql):
    """When the record changed, else when it was made, else when it was loaded."""
    assert seen_at_expression(by_core_column(columns)) == sql
