"""Columns are found by their names, properties of events by theirs, and what is personal is not shown."""

from __future__ import annotations

import duckdb

from lakehouse.segments.known import Known
from lakehouse.segments.who import Who
from lakehouse.segments.who_columns import find_column, row_column
from lakehouse.segments.who_sql import outline

KNOWN = Known(
    {"customer_id": "VARCHAR", "m": "INTEGER", "Big": "DECIMAL(18,2)"},
    {
        "core.customers": {"customer_id": "VARCHAR", "email": "VARCHAR", "country": "VARCHAR"},
        "core.events": {"customer_id": "VARCHAR", "properties": "VARCHAR", "message_id": "VARCHAR"},
    },
)


def test_a_column_is_found_whatever_its_case():
    """Of the customer's own row it may be said which mart it is of."""
    assert find_column("BIG", KNOWN, "who") == find_column("customer_360.big", KNOWN, "who")
    assert find_column("marts.rfm.m", KNOWN, "who")[0] is None
    assert find_column("customers.country", KNOWN, "who")[0] == "core.customers"


def test_what_is_personal_is_not_shown():
    """That there is a value is: why somebody is in a segment may be read by people who may not read addresses."""
    [part] = outline(Who.model_validate({"field": "customers.email", "ends_with": "@example.org"}), KNOWN)
    [(name, shown)] = part.asks
    assert name == "customers.email"
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA core")
        con.execute("CREATE TABLE core.customers AS SELECT 'a' AS customer_id, 'ann@example.org' AS email")
        found = con.execute(f"SELECT {shown}, {part.value_sql} FROM (SELECT 'a' AS customer_id) AS customers")
        assert found.fetchall() == [(["…"], True)]


def test_a_property_of_an_event_is_found_by_its_name():
    """As it was sent, with its case, below others, and whatever stands in it."""
    with duckdb.connect() as con:
        text = """{"Plan": "gold", "a b": {"c": 5}, "it's": "x"}"""
        for name, value in (("Plan", "gold"), ("plan", None), ("a b.c", "5"), ("it's", "x"), ('"', None)):
            sql = row_column("core.events", f"properties.{name}", KNOWN, "who").sql
            assert con.execute(f"SELECT {sql} FROM (SELECT ? AS properties) AS t", [text]).fetchone() == (
                value,
            )
