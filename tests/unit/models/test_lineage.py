"""What a table and its columns are made of is read from the SQL of the models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import lineage, registry
from lakehouse.models.given_rows import column_types
from lakehouse.models.model import Model
from lakehouse.sources import definition

MODELS = registry.load()
TYPES = column_types(MODELS, definition.load().values())


def sources(table: str, column: str) -> list[str]:
    return lineage.column_sources(MODELS.by_table[table], TYPES, [column])[column]


@pytest.mark.parametrize(
    ("table", "column", "made_of"),
    [
        ("marts.rfm", "monetary", ["marts.customer_360.revenue"]),
        ("marts.customer_360", "last_event_at", ["core.activity_days.last_event_at"]),
        (
            "marts.customer_360",
            "revenue",
            ["core.order_values.discounts", "core.order_values.gross", "core.refunds.value"],
        ),
        ("core.sales", "said_refunded", ["core.orders.refunded"]),
        ("core.customers", "language", ["core.contacts.contact_id", "core.contacts.language",
                                        "core.contacts.source", "core.contacts.valid_from"]),
        ("core.orders", "amount", ["mapped.orders.amount"]),
        ("marts.customer_360", "as_of", []),
    ],
)  # fmt: skip
def test_a_column_is_followed_to_the_tables_that_the_model_reads(table, column, made_of):
    """Through joins, sums and windows."""
    assert sources(table, column) == made_of


@pytest.mark.parametrize("model", MODELS.in_order, ids=lambda model: model.table)
def test_every_column_that_ships_can_be_followed(model):
    """To columns that there are."""
    found = lineage.column_sources(model, TYPES)
    assert found.keys() == {column.name for column in model.contract.columns}
    made_of = {name for names in found.values() for name in names}
    for name in made_of:
        table, _, column = name.rpartition(".")
        assert column in TYPES[table]
    read = lineage.read_columns(model, TYPES)
    assert {name.replace("core.events.", "raw.events.") for name in made_of} <= read | {
        "raw.events.customer_id"
    }


def test_tables_are_followed_both_ways():
    """So that who changes one knows whom it touches."""
    up = lineage.upstream(MODELS, "marts.rfm")
    assert next(iter(up)) == "marts.rfm"
    assert {"marts.customer_360", "core.order_values", "core.orders"} <= up.keys()
    down = lineage.downstream(MODELS, "core.orders")
    assert down.index("core.order_values") < down.index("marts.customer_360") < down.index("marts.rfm")
    assert "core.contacts" not in down
    assert lineage.downstream(MODELS, "marts.rfm") == ["marts.customer_tags", "core.dim_customer"]


def test_nobodys_consent_or_identity_depends_on_a_household():
    """Who lives with somebody is not asked where it is decided who somebody is, or who may be written to."""
    assert lineage.downstream(MODELS, "marts.households") == []
    for table in ("core.consents", "core.consent_answers", "core.customers"):
        assert "marts.households" not in lineage.upstream(MODELS, table)


READ = {
    "core.orders": {"order_id": "VARCHAR", "customer_id": "VARCHAR", "amount": "BIGINT", "city": "VARCHAR"},
    "core.deals": {"deal_id": "VARCHAR", "customer_id": "VARCHAR"},
    "raw.events": {
        "message_id": "VARCHAR",
        "user_id": "VARCHAR",
        "anonymous_id": "VARCHAR",
        "type": "VARCHAR",
    },
    "core.identities": {"identifier_value": "VARCHAR", "customer_id": "VARCHAR"},
}
READ["core.events"] = {"customer_id": "VARCHAR"} | READ["raw.events"]


def read(sql: str, *inputs: str) -> dict[str, set[str]]:
    model = Model(MODELS.by_table["marts.rfm"].contract, inputs, sql)
    return lineage.columns_read(model, READ)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT customer_id, sum(amount) FROM core.orders GROUP BY 1", {"customer_id", "amount"}),
        ("SELECT count(*) AS n FROM core.orders", set()),
        ("SELECT count(*) AS n FROM core.orders WHERE city IS NOT NULL", {"city"}),
        ("SELECT city FROM core.orders QUALIFY row_number() OVER (ORDER BY amount) = 1", {"city", "amount"}),
        ("WITH o AS (SELECT * FROM core.orders) SELECT customer_id FROM o ORDER BY amount", {"customer_id", "amount"}),
        ("WITH o AS (FROM core.orders WHERE amount > 0) SELECT customer_id FROM o", {"customer_id", "amount"}),
        ("SELECT * EXCLUDE (city) FROM core.orders", {"order_id", "customer_id", "amount"}),
        ("WITH o AS (SELECT DISTINCT customer_id, city FROM core.orders) SELECT count(customer_id) AS n FROM o",
         {"customer_id", "city"}),
        ("WITH o AS (SELECT customer_id, city, sum(amount) AS s FROM core.orders GROUP BY ALL) SELECT s FROM o",
         {"customer_id", "city", "amount"}),
        ("WITH o AS (SELECT customer_id, city FROM core.orders) SELECT hash(o) AS h FROM o", {"customer_id", "city"}),
        ("SELECT o.city FROM core.orders AS o SEMI JOIN core.deals USING (customer_id)", {"city", "customer_id"}),
        ("SELECT city FROM core.orders WHERE EXISTS (SELECT 1 FROM core.deals AS d WHERE d.deal_id = order_id)",
         {"city", "order_id"}),
    ],
)  # fmt: skip
def test_what_no_step_asks_for_is_not_read(sql, columns):
    """A column that is left out wrongly would hide a change: what groups, orders, joins or makes distinct is read."""
    assert read(sql, "core.orders", "core.deals")["core.orders"] == columns


def test_of_events_it_is_read_whose_they_are():
    """The view has columns of two tables: of events those that are asked for and the ids, of identities all."""
    found = read("SELECT customer_id, type FROM core.events", "raw.events", "core.identities")
    assert found == {"raw.events": {"customer_id", "type", "user_id", "anonymous_id"}}


@pytest.mark.parametrize(
    "sql", ["SELECT o FROM core.orders AS o", "SELECT hash(o) AS h FROM core.orders AS o"]
)
def test_a_whole_row_is_all_of_its_columns(sql):
    """Its table is left out, or each column is named."""
    found = read(sql, "core.orders").get("core.orders", set(READ["core.orders"]))
    assert found == set(READ["core.orders"])


def test_through_a_view_any_column_may_be_read():
    """Also of a table that is read beside it."""
    view = Model(MODELS.by_table["marts.rfm"].contract, ("core.orders",), "SELECT amount FROM core.orders")
    sql = "SELECT city FROM core.orders"
    reader = Model(MODELS.by_table["marts.rfm"].contract, ("core.orders",), sql, views=(view,))
    assert lineage.columns_read(reader, READ) == {}
    assert lineage.columns_read(replace(reader, views=()), READ) == {"core.orders": {"city"}}


@pytest.mark.parametrize("table", ["marts.rfm", "marts.daily_activity", "core.order_values"])
def test_each_value_is_of_columns_that_are_read(table):
    """By the other way of following columns."""
    model = MODELS.by_table[table]
    found = lineage.columns_read(model, TYPES)
    for made_of in lineage.column_sources(model, TYPES).values():
        for name, _, column in (each.rpartition(".") for each in made_of):
            assert name not in found or column in found[name], (name, column)


def test_a_column_that_the_select_does_not_yield_cannot_be_followed():
    """A `*` may bring others than the contract says."""
    model = replace(MODELS.by_table["marts.rfm"], sql="SELECT customer_id FROM marts.customer_360")
    with pytest.raises(BadDefinition, match="cannot be followed"):
        lineage.column_sources(model, TYPES)
