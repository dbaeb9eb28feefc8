"""What is counted is what the words say, and nobody's count is less than 0."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from lakehouse.segments.known import Known
from lakehouse.segments.who import Who
from lakehouse.segments.who_counts import count_sql, counted_sql

TODAY = date(2026, 3, 31)
TICKETS = {
    "customer_id": "VARCHAR",
    "ticket_id": "VARCHAR",
    "created_at": "TIMESTAMPTZ",
    "valid_to": "TIMESTAMPTZ",
}
ORDERS = {"customer_id": "VARCHAR", "ordered_on": "DATE", "is_order": "BOOLEAN", "taken_back_on": "DATE"}


@pytest.fixture
def con():
    with duckdb.connect() as made:
        made.execute("SET TimeZone = 'UTC'; CREATE SCHEMA core")
        made.execute("CREATE TABLE core.order_values AS SELECT * FROM (VALUES ('a', DATE '2026-03-31', true, NULL), "
                     "('a', DATE '2026-03-30', true, DATE '2026-03-31'), "
                     "('a', DATE '2026-03-29', true, DATE '2026-04-01'), "
                     "('a', DATE '2026-03-28', false, NULL), ('a', DATE '2026-04-01', true, NULL)) "
                     "AS v(customer_id, ordered_on, is_order, taken_back_on)")  # fmt: skip
        made.execute("CREATE TABLE core.tickets AS SELECT * FROM (VALUES "
                     "('a', '1', TIMESTAMPTZ '2026-03-30 17:00:00+00', NULL::TIMESTAMPTZ), "
                     "('a', '1', TIMESTAMPTZ '2026-03-30 17:00:00+00', TIMESTAMPTZ '2026-03-31 00:00:00+00')) "
                     "AS v(customer_id, ticket_id, created_at, valid_to)")  # fmt: skip
        yield made


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (
            {"count": "orders"},
            2,
        ),  # what was taken back since, is none, or is still to come, is not among them
        ({"count": "Orders", "in_last": 1}, 1),
        ({"count": "orders", "before": "today"}, 1),
        ({"count": "core.tickets"}, 1),  # of versions the one that holds
        ({"count": "core.tickets", "by": "created_at", "on": "today"}, 1),  # by the day of the business
        ({"count": "core.tickets", "distinct": "ticket_id"}, 1),
        ({"count": "events"}, 0),  # that nothing has filled yet
    ],
)
def test_a_number_is_what_people_would_count(con, said, count):
    """And so is each comparison with it; who has nothing counts 0."""
    known = Known({}, {"core.order_values": ORDERS, "core.tickets": TICKETS}, TODAY, "Asia/Shanghai")
    customers = "(VALUES ('a'), ('nobody')) AS customers(customer_id)"
    number = counted_sql(Who.model_validate({**said, "at_least": 0}), known, "who")
    assert con.execute(f"SELECT {number} FROM {customers} ORDER BY customer_id").fetchall() == [
        (count,),
        (0,),
    ]
    for tests, holds in (
        ({"is": count}, lambda n: n == count), ({"at_least": 1}, lambda n: n >= 1), ({"at_most": 1}, lambda n: n <= 1),
        ({"is_not": 1, "less_than": 3}, lambda n: n not in {1, 3}), ({"between": [0, 1]}, lambda n: n in {0, 1}),
        ({"more_than": -1}, lambda n: n >= 0),
    ):  # fmt: skip
        sql = count_sql(Who.model_validate({**said, **tests}), known, "who")
        found = con.execute(f"SELECT {sql} FROM {customers} ORDER BY customer_id").fetchall()
        assert found == [(holds(count),), (holds(0),)], tests
