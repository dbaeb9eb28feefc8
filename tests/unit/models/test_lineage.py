"""What a table and its columns are made of is read from the SQL of the models."""

from __future__ import annotations

import pytest

from lakehouse.models import lineage, registry
from lakehouse.models.given_rows import column_types
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
