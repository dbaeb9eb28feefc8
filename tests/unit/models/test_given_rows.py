"""Models over given rows: what is not given is empty, or computed of what is."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.models import registry
from lakehouse.models.given_rows import GivenRows
from lakehouse.sources import definition

EVENT = {"message_id": "m", "timestamp": "2026-01-01T23:30:00Z", "user_id": "u1"}
TIE = {"identifier_type": "user_id", "identifier_value": "u1", "customer_id": "ann"}


@pytest.fixture
def lake():
    with duckdb.connect() as con:
        sql_functions.create(con)
        yield GivenRows(con, registry.load(), definition.load().values()), con


def rows(lake, table: str, given, zone: str = "UTC") -> list[tuple]:
    given_rows, con = lake
    model = registry.load().by_table[table]
    given_rows.make_inputs(model, given, date(2026, 1, 31), zone)
    return con.execute(given_rows.rows_sql(model)).fetchall()


def test_models_on_the_way_are_computed_and_others_are_empty(lake):
    """The zone and the day of the test are theirs, too."""
    given = {"core.customers": [{"customer_id": "ann"}], "raw.events": [EVENT], "core.identities": [TIE]}
    for zone, day in (("UTC", date(2026, 1, 1)), ("Asia/Shanghai", date(2026, 1, 2))):
        [row] = rows(lake, "marts.customer_360", given, zone)
        assert row[0] == "ann"
        [(counted, *_)] = rows(lake, "core.activity_days", {"raw.events": [EVENT]}, zone)
        assert counted == day


def test_given_rows_stand_for_what_a_model_would_compute(lake):
    """Whoever gives a table means it."""
    given = {
        "core.activity_days": [{"day": "2026-01-05", "events": 3, "user_id": "u1"}],
        "core.identities": [TIE],
    }
    [(day, events, visitors, *_)] = rows(lake, "marts.daily_activity", given)
    assert (day, events, visitors) == (date(2026, 1, 5), 3, 1)


def test_one_test_leaves_nothing_to_the_next(lake):
    """Tables are made anew."""
    given = {"marts.customer_360": [{"customer_id": "ann", "orders": 1, "purchase_days": 1}]}
    assert len(rows(lake, "marts.rfm", given)) == 1
    assert rows(lake, "marts.rfm", {}) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"core.places": []}, "does not read core.places"),
        ({"marts.customer_360": [{"customr_id": "ann"}]}, "marts.customer_360 has no column customr_id"),
    ],
)
def test_what_nothing_reads_is_refused(lake, given, says):
    """It would prove nothing."""
    with pytest.raises(ValueError, match=says):
        rows(lake, "marts.rfm", given)
