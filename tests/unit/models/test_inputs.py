"""How a model's inputs are made ready is decided without a table, and is right for lakes of every kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from lakehouse.models import registry
from lakehouse.models.inputs import (
    AS_OF,
    TIME_ZONE,
    VERSION,
    expected_inputs,
    namespaces_of,
    plan_inputs,
    tables_read,
)
from lakehouse.models.model import Model
from lakehouse.sources import definition, mapping_views
from lakehouse.tables.ledger import Load

SHIPPED = definition.load()
SHOP = SHIPPED["shop", "orders"]
WEB = SHIPPED["web", "events"]
CONTRACTS = registry.load().contracts
ORDERS = Model(CONTRACTS["core.orders"], ("mapped.orders", "core.identities"), "SELECT 1")
CUSTOMERS = Model(
    CONTRACTS["marts.customer_360"], ("core.orders", "core.identities", "raw.events"), "SELECT 2", as_of=True
)


def plan(model: Model, sources, *existing: str):
    contracts = CONTRACTS | {source.table: source.contract for source in SHIPPED.values()}
    return plan_inputs(model, sources, contracts, existing)


def names(contracts) -> list[str]:
    return [contract.name for contract in contracts]


@pytest.mark.parametrize(
    ("model", "existing", "tables", "empty", "events"),
    [
        pytest.param(
            ORDERS, ["raw.shop_orders", "core.identities"], ["core.identities", "raw.shop_orders"], [], False,
            id="all tables are there",
        ),
        pytest.param(
            ORDERS, ["core.identities"], ["core.identities"], [], False,
            id="a source that has sent nothing makes no table",
        ),
        pytest.param(
            ORDERS, ["raw.shop_orders"], ["raw.shop_orders"], ["core.identities"], False,
            id="a table of the system's own that was never filled is a view without rows",
        ),
        pytest.param(
            CUSTOMERS, ["core.orders", "core.identities"], ["core.identities", "core.orders"], ["raw.events"], True,
            id="an input that no source has sent is a view without rows",
        ),
        pytest.param(
            CUSTOMERS, ["raw.events"], ["raw.events"], ["core.identities", "core.orders"], True,
            id="models read tables that were never computed",
        ),
    ],
)  # fmt: skip
def test_each_input_is_shown_or_empty(model, existing, tables, empty, events):
    """No table is made for whoever only reads it."""
    planned = plan(model, [SHOP, WEB], *existing)
    assert list(planned.tables) == tables
    assert names(planned.empty) == empty
    assert planned.events is events


def test_only_the_namespaces_of_models_are_asked():
    """What the system says of itself is no model's business."""
    assert namespaces_of([ORDERS], [SHOP]) == ["core", "raw"]
    assert namespaces_of([ORDERS, CUSTOMERS], [SHOP, WEB]) == ["core", "marts", "raw"]
    assert namespaces_of(registry.load().in_order, list(SHIPPED.values())) == ["core", "marts", "raw"]


def test_only_sources_that_sent_something_are_mapped():
    """Their tables are there to be read."""
    other = SHIPPED["woocommerce", "orders"]
    planned = plan(ORDERS, [SHOP, other], "raw.shop_orders", "core.identities")
    assert planned.sources == (SHOP,)
    sql = planned.views({})["mapped.orders"]
    assert sql == mapping_views.entity_sql("orders", [SHOP])
    assert other.table not in sql


def test_full_exports_are_read_with_what_was_loaded_of_each_file():
    """Who is missing from a file with bad rows may be in one of them; an empty file lists nobody."""
    source = next(source for source in SHIPPED.values() if source.full_export)
    entity = next(iter(source.core))
    model = Model(CONTRACTS[f"core.{entity}"], (f"mapped.{entity}",), "SELECT 1")
    planned = plan(model, [source, SHOP], source.table)
    assert planned.loads_of == (source.table,)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    loads = {
        source.table: {"bad": Load(moment, 1, 1), "empty": Load(moment, 0, 0), "good": Load(moment, 2, 0)}
    }
    assert planned.views(loads)[f"mapped.{entity}"] == mapping_views.entity_sql(
        entity, [source], {"bad"}, {source.table: {"empty": moment}}
    )


def test_an_entity_is_read_from_the_tables_that_it_is_mapped_from():
    """And other inputs from themselves."""
    assert tables_read(ORDERS, [SHOP, WEB]) == {"raw.shop_orders", "core.identities"}
    assert tables_read(CUSTOMERS, [SHOP, WEB]) == {"core.orders", "core.identities", "raw.events"}


@pytest.mark.parametrize(
    ("model", "heads"),
    [
        (ORDERS, {"raw.shop_orders": "", "core.identities": ""}),
        (ORDERS, {"raw.shop_orders": "", "core.identities": "7"}),
        (CUSTOMERS, {"core.orders": "", "core.identities": "", "raw.events": ""}),
    ],
)
def test_from_nothing_nothing_is_computed(model, heads):
    """Nobody would be a customer. Who is who alone makes no order."""
    assert expected_inputs(model, [SHOP], heads, date(2026, 1, 1)) == {}


def test_rows_are_computed_from_snapshots_definitions_and_the_day():
    """Whatever of these changes, the rows are computed again."""
    heads = {"raw.shop_orders": "3", "core.identities": ""}
    assert expected_inputs(ORDERS, [SHOP], heads, date(2026, 1, 1)) == {
        **heads,
        "mapped.orders": mapping_views.version("orders", [SHOP]),
        VERSION: ORDERS.version,
    }
    heads = {"core.orders": "3", "core.identities": "", "raw.events": ""}
    assert expected_inputs(CUSTOMERS, [SHOP], heads, date(2026, 1, 1)) == {
        **heads,
        VERSION: CUSTOMERS.version,
        AS_OF: "2026-01-01",
    }
    zoned = replace(CUSTOMERS, as_of=False, time_zone=True)
    assert expected_inputs(zoned, [SHOP], heads, date(2026, 1, 1), "Asia/Shanghai") == {
        **heads,
        VERSION: CUSTOMERS.version,
        TIME_ZONE: "Asia/Shanghai",
    }
