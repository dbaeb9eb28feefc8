"""Whose ids a source uses: those that are declared, else its own, else those of whoever has such records."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine.escape import identifier, qualified
from lakehouse.tables import entities
from lakehouse.tables.id_sources import view_sql

PRODUCTS = "SELECT id_source FROM core.id_sources WHERE entity = 'products' AND source = ? ORDER BY 1"


@pytest.fixture
def con():
    """Give every entity as an empty table of texts."""
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA core")
        for entity in entities.ALL:
            columns = ", ".join(f"{identifier(column.name)} VARCHAR" for column in entity.columns)
            con.execute(f"CREATE TABLE {qualified(entity.name)} ({columns})")
        yield con


def add(con, entity: str, *rows: dict[str, str]) -> None:
    for row in rows:
        names = ", ".join(row)
        con.execute(
            f"INSERT INTO core.{entity} ({names}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
        )


@pytest.mark.parametrize(
    ("holders", "declared", "id_sources"),
    [
        (["shopify", "shop"], {}, ["shopify"]),
        (["shop"], {}, ["shop"]),
        (["shop", "erp"], {}, ["erp", "shop"]),
        (["shop", "erp"], {("shopify", "products"): "erp"}, ["erp"]),
        (["shopify", "erp"], {("shopify", "products"): "erp"}, ["erp"]),
        (["shop"], {("shopify", "products"): "erp"}, []),
        (["shop", "erp"], {("shop", "products"): "erp", ("shopify", "places"): "erp"}, ["erp", "shop"]),
        ([], {}, []),
    ],
)
def test_whose_ids_a_source_uses(con, holders, declared, id_sources):
    """By who has products, and what the definitions declare."""
    add(con, "order_items", {"source": "shopify", "product_id": "P1"})
    add(con, "products", *({"source": holder, "product_id": "P1"} for holder in holders))
    con.execute(view_sql(declared))
    assert con.execute(PRODUCTS, ["shopify"]).fetchall() == [(source,) for source in id_sources]


def test_a_source_that_names_nobody_is_not_listed(con):
    """An empty id is no reference."""
    add(con, "order_items", {"source": "shopify", "line_id": "1"})
    add(con, "products", {"source": "shop", "product_id": "P1"})
    con.execute(view_sql())
    assert con.execute("SELECT * FROM core.id_sources").fetchall() == []


def test_an_entity_that_is_asked_for_reads_no_other_tables(con):
    """Each table costs requests to the object store, so a join by one entity must not open all of them."""
    con.execute(view_sql({("shopify", "products"): "shop"}))
    add(con, "order_items", {"source": "shopify", "product_id": "P1"})
    add(con, "products", {"source": "shop", "product_id": "P1"})
    add(con, "places", {"source": "places", "place_id": "L1"})
    ((_, plan),) = con.execute("EXPLAIN SELECT * FROM core.id_sources WHERE entity = 'products'").fetchall()
    assert "order_items" in plan
    assert "places" not in plan
