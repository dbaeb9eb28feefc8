"""What may be asked is what is in place; a name without its namespace is one of marts before one of core."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from lakehouse.segments.known import Known, known_of, tables_behind

TABLES = {"marts.rfm": {"m": "INTEGER"}, "core.orders": {}, "marts.orders": {}, "core.tickets": {}}


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("orders", "marts.orders"),
        ("core.orders", "core.orders"),
        ("tickets", "core.tickets"),
        ("RFM", "marts.rfm"),
    ],
)
def test_a_table_is_found_by_its_name(name, full):
    """Whatever the case."""
    assert Known({}, TABLES).table(name) == full


@pytest.mark.parametrize("name", ["tikets", "core.tikets", "ops.deliveries", "raw.events"])
def test_a_table_that_is_not_there_is_told(name):
    """It may be that nothing has filled it."""
    with pytest.raises(ValueError, match=f"there is no table {name}, or nothing has filled it"):
        Known({}, TABLES).table(name)


def test_columns_and_day_are_those_of_the_marts_in_place():
    """The day is the latest; of a connection without a zone it is UTC."""
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA marts; CREATE SCHEMA ops")
        con.execute(
            "CREATE TABLE marts.customer_360 AS SELECT 'a' AS customer_id, DATE '2026-03-01' AS as_of, 1 AS n"
        )
        con.execute(
            "CREATE TABLE marts.rfm AS SELECT 'a' AS customer_id, NULL::DATE AS as_of, 1 AS recency_days, 5 AS m"
        )
        con.execute("CREATE TABLE ops.secret AS SELECT 1 AS a")
        found = known_of(con)
    assert dict(found.columns) == {"customer_id": "VARCHAR", "as_of": "DATE", "n": "INTEGER", "m": "INTEGER"}
    assert (set(found.tables), found.as_of, found.zone) == (
        {"marts.customer_360", "marts.rfm"},
        date(2026, 3, 1),
        "UTC",
    )


def test_events_are_what_they_are_made_of():
    """And the two marts are there anyway."""
    asked = ["core.events", "marts.rfm", "core.orders", "marts.customer_360"]
    assert tables_behind(asked) == ("core.identities", "core.orders", "raw.events")
