"""References between sources are counted: what names a record of its own source, of another, of several, of none."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from lakehouse.engine.escape import identifier, qualified
from lakehouse.stages.check_references import ReferenceCount, check_references, count_references, count_sql
from lakehouse.tables import entities, id_sources
from lakehouse.tables.entities.references import REFERENCES

ITEMS = next(one for one in REFERENCES if (one.entity, one.column) == ("order_items", "product_id"))
DEALS = next(one for one in REFERENCES if (one.entity, one.column) == ("deals", "owner_id"))
COUNT = ReferenceCount(
    "order_items", "product_id", "products", "shopify", 10, 0, 10, 0, id_sources=("shop",), unlisted=()
)


@pytest.fixture
def con():
    """Give every entity as an empty table of texts."""
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA core")
        for entity in entities.ALL:
            columns = ", ".join(f"{identifier(column.name)} VARCHAR" for column in entity.columns)
            con.execute(f"CREATE TABLE {qualified(entity.name)} ({columns})")
        con.execute(id_sources.view_sql({("erp", "products"): "shop"}))
        yield con


def items(con, source: str, *product_ids: str | None) -> None:
    for product_id in product_ids:
        con.execute("INSERT INTO core.order_items (source, product_id) VALUES (?, ?)", [source, product_id])


def products(con, source: str, *product_ids: str) -> None:
    for product_id in product_ids:
        con.execute("INSERT INTO core.products (source, product_id) VALUES (?, ?)", [source, product_id])


def counted(con, reference=ITEMS):
    return [
        (one.source, one.filled, one.own, one.elsewhere, one.ambiguous, one.id_sources, one.unlisted)
        for one in count_references(con, [reference])
    ]


def test_each_source_is_counted_by_the_rule(con):
    """Its own ids first; those of any other source where it has no such records; those that are declared."""
    products(con, "shop", "P1", "P2", "P2")
    products(con, "erp", "P1", "E1")
    items(con, "shop", "P1", "P1", "P2", "E1", None)
    items(con, "shopify", "P1", "P2", "P2", "E1", "X")
    items(con, "erp", "P1", "P2", "E1")
    items(con, "nobody", None)
    assert counted(con) == [
        ("erp", 3, 0, 2, 0, ("shop",), ("erp",)),
        ("shop", 4, 3, 0, 0, (), ("erp",)),
        ("shopify", 5, 0, 3, 1, ("erp", "shop"), ()),
    ]


def test_records_with_versions_count_once(con):
    """By the version that holds; it may name whoever is known, also somebody who is gone."""
    con.execute("INSERT INTO core.users (source, user_id, valid_to) VALUES ('crm', 'U1', '2026-01-01')")
    con.execute(
        "INSERT INTO core.deals (source, deal_id, owner_id, valid_to) VALUES "
        "('crm', 'D1', 'U1', NULL), ('crm', 'D1', 'U9', '2026-01-01')"
    )
    assert counted(con, DEALS) == [("crm", 1, 1, 0, 0, (), ())]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda one: f"{one.entity}.{one.column}")
def test_every_reference_can_be_counted(con, reference):
    """The SQL runs, and an empty lake has nothing to say."""
    assert con.execute(count_sql(reference)).fetchall() == []


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, ""),
        ({"elsewhere": 9}, ""),
        ({"own": 9, "elsewhere": 0}, ""),
        ({"elsewhere": 8}, "no source has these products"),
        ({"elsewhere": 8, "unlisted": ("erp",)}, "`references: {products: erp}`"),
        (
            {"elsewhere": 0, "ambiguous": 10, "id_sources": ("erp", "shop")},
            "`references: {products: erp or shop}`",
        ),
    ],
)
def test_a_broken_reference_says_what_may_help(changes, advice):
    """Below the least share; whose ids they may be, or that nobody has such records."""
    count = replace(COUNT, **changes)
    assert count.is_broken == bool(advice)
    assert advice in count.advice
    assert (count.as_json()["warning"] is None) == (not advice)


def test_a_lake_without_rows_has_no_references(lake):
    """Every table is there, empty."""
    assert check_references(lake) == []
