"""What an order counts as, by all that its source says of it."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.sources.definition import parse
from lakehouse.sources.mapping_views import entity_sql

TEXT = """
source: till
entity: sales
doc: Sales
grain: one row a sale
format: csv
key: [id]
time_zone: Asia/Tokyo
columns:
  - {name: id, from: id, doc: Id}
  - {name: sold_at, from: sold_at, type: timestamptz, doc: When}
  - {name: total, from: total, type: "decimal(18,2)", doc: Total}
  - {name: paid, from: paid, type: timestamptz, doc: When paid}
  - {name: state, from: state, doc: Status}
  - {name: currency, from: currency, doc: Currency}
core:
"""
WHOLE = "  orders: {order_id: id, ordered_at: sold_at, amount: total, paid_at: paid, status: state, same: [currency]}"
DAY = "2026-01-05"


def mapped(core: str, columns: str, **cells):
    source = parse(TEXT + core, "till_sales.yaml")
    given = {"id": "1", "sold_at": DAY, "total": "10", "_file_id": "f", "_row": 1, "_loaded_at": DAY, **cells}
    names = ", ".join(f'"{c.name}" {c.duck_type}' for c in source.contract.columns)
    entity = core.strip().partition(":")[0]
    with duckdb.connect() as con:
        sql_functions.create(con)
        con.execute(f"SET TimeZone = 'UTC'; CREATE SCHEMA raw; CREATE TABLE raw.till_sales ({names})")
        marks = ", ".join("?" * len(given))
        con.execute(f"INSERT INTO raw.till_sales ({', '.join(given)}) VALUES ({marks})", list(given.values()))
        return con.execute(f"SELECT {columns} FROM ({entity_sql(entity, [source])})").fetchone()


@pytest.mark.parametrize(
    ("cells", "state"),
    [
        ({}, "sold"),
        ({"state": "paid"}, "sold"),
        ({"state": "partially_refunded"}, "sold"),
        ({"state": "refund pending"}, "sold"),
        ({"state": "refunded"}, "refunded"),
        ({"state": "pending"}, "pending"),
        ({"state": "pending", "paid": DAY}, "sold"),
        ({"state": "cancelled", "paid": DAY}, "cancelled"),
        ({"state": "voided", "total": "-10"}, "cancelled"),
        ({"state": "test", "paid": DAY}, "test"),
        ({"state": "gadzooks"}, "unclear"),
        ({"state": "gadzooks", "paid": DAY}, "sold"),
        ({"total": "-10"}, "return"),
        ({"total": "-10", "state": "refunded"}, "return"),
        ({"total": "-10", "state": "gadzooks"}, "return"),
        ({"total": "0"}, "sold"),
        ({"total": None}, "sold"),
        ({"sold_at": None}, "unclear"),
        ({"sold_at": None, "state": "cancelled"}, "cancelled"),
    ],
)  # fmt: skip
def test_the_first_rule_that_fits_counts(cells, state):
    """What was paid is no longer pending; what is cancelled stays so; what nobody knows is not guessed at."""
    assert mapped(WHOLE, "counts_as", **cells) == (state,)


@pytest.mark.parametrize(
    ("more", "cells", "state"),
    [
        ("is_cancelled: state = 'x'", {"state": "x"}, "cancelled"),
        ("is_cancelled: state = 'refunded'", {"state": "refunded"}, "refunded"),
        ("counts_as: \"if(state = 'packed up', 'sold', order_state(state))\"", {"state": "packed up"}, "sold"),
        ("counts_as: \"CASE WHEN state = 'x' THEN 'test' END\"", {"state": "x"}, "test"),
    ],
)  # fmt: skip
def test_a_mapping_says_more_than_the_status(more, cells, state):
    """A flag of its own, or words of its own."""
    core = (
        "  orders:\n    order_id: id\n    ordered_at: sold_at\n    amount: total\n    status: state\n    "
        + more
    )
    assert mapped(core, "counts_as", **cells) == (state,)


@pytest.mark.parametrize(
    ("core", "said"),
    [
        ("  payments: {payment_id: id, amount: total, paid_at: sold_at, status: state}", "cancelled"),
        ("  returns: {return_id: id, amount: total, returned_at: sold_at, status: state}", "cancelled"),
        ("  returns: {return_id: id, amount: total, returned_at: sold_at}", None),
    ],
)
def test_of_payments_and_returns_the_status_alone_says_it(core, said):
    """The models decide what a refund that says nothing counts as."""
    assert mapped(core, "counts_as", state="Declined") == (said,)


def test_currencies_have_codes_in_every_entity():
    """By the zone of the source, where a sign is of two; a code that is written into a mapping is left alone."""
    assert mapped(WHOLE, "currency", currency="¥") == ("JPY",)
    assert mapped("  deals: {deal_id: id, same: [currency]}", "currency", currency="us$") == ("USD",)
    rates = "  exchange_rates: {day: sold_at, currency: state, quote: currency, rate: total}"
    assert mapped(rates, "currency, quote", state="usd", currency="rmb") == ("USD", "CNY")
    assert mapped("  deals: {deal_id: id, currency: \"'CNY'\"}", "currency") == ("CNY",)
