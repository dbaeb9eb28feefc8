"""What models say of clocks that are wrong, of one customer with half a million events, of a product never seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.model_cases import Row, answer, answer_of_filled, column

TODAY = "2026-03-01"
CLOCKS = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 2, 2, 10, tzinfo=UTC),
    datetime(2099, 12, 31, tzinfo=UTC),
]
KNOWN = [{"identifier_type": "user_id", "identifier_value": "u", "customer_id": "ann"}]
EVENTS = [
    {"message_id": f"m{at.year}", "type": "page", "user_id": "u", "timestamp": at, "_loaded_at": CLOCKS[1]}
    for at in CLOCKS
]
SEEN: dict[str, list[Row]] = {"raw__events": EVENTS, "core__identities": KNOWN}


def of_seen(table: str) -> list[Row]:
    return answer(table, TODAY, **SEEN)


def test_a_clock_that_says_1970_or_2099_makes_a_session_of_that_day():
    days = sorted(column(of_seen("marts.sessions"), "started_on"))
    assert days == [date(1970, 1, 1), date(2026, 2, 2), date(2099, 12, 31)]
    assert sorted(column(answer("core.activity_days", TODAY, raw__events=EVENTS), "day")) == days


def test_nothing_is_looked_back_at_from_a_day_to_come():
    """What is of the future is no visit yet, for nobody; what is of 1970 is no habit of today."""
    assert {row["day"] for row in of_seen("marts.funnel") if row["day"]} == {
        date(1970, 1, 1),
        date(2026, 2, 2),
    }
    totals = {row["period"]: row["visits"] for row in of_seen("marts.funnel") if row["step"] == 1}
    assert (totals["sessions"], totals["visitors"]) == (1, 1)
    assert sum(row["sessions"] for row in of_seen("marts.hour_of_week_activity") if row["customer_id"]) == 1
    [ann] = answer("marts.customer_360", TODAY, core__customers=[{"customer_id": "ann"}], **SEEN)
    assert (ann["events"], ann["last_event_at"]) == (2, CLOCKS[1])


def test_a_cohort_of_1970_has_no_endless_row():
    """Two years of weeks and five of months are kept, 0 included."""
    rows = of_seen("marts.cohort_retention")
    assert {row["cohort_on"].year for row in rows} <= {1969, 1970}  # weeks begin on Monday
    assert max(row["periods"] for row in rows if row["unit"] == "week") == 104
    assert max(row["periods"] for row in rows if row["unit"] == "month") == 60


def test_half_a_million_events_of_one_customer_are_one_visit():
    """A program that loads a page a second weighs no more than a person: one day, one hour, one session."""
    filled = """
        INSERT INTO raw.events BY NAME
        SELECT concat('n', n) AS message_id, 'page' AS type, 'u' AS user_id,
            TIMESTAMPTZ '2026-02-02 10:00:00+00' + to_seconds(n % 3000) AS timestamp
        FROM range(499_999) AS r(n)
    """
    one = {"raw__events": EVENTS[1:2]}
    [session] = answer_of_filled("marts.sessions", filled, TODAY, core__identities=KNOWN, **one)
    assert (session["events"], session["customer_id"], session["seconds"]) == (500_000, "ann", 2999)
    [day] = answer_of_filled("core.activity_days", filled, TODAY, **one)
    assert (day["events"], day["last_event_at"]) == (500_000, CLOCKS[1] + timedelta(seconds=2999))


@pytest.mark.parametrize(
    "catalogue", [[], [{"source": "shop", "product_id": "P2", "name": "Tea", "valid_from": CLOCKS[1]}]]
)
def test_a_product_that_no_catalogue_has_is_sold_under_the_name_of_its_line(catalogue):
    """Without a category; the order is worth what it is, all the same."""
    order = {
        "source": "shop", "order_id": "O1", "customer_id": "ann", "ordered_at": CLOCKS[1], "amount": Decimal(10),
        "currency": "USD", "counts_as": "sold",
    }  # fmt: skip
    line = {
        "source": "shop",
        "order_id": "O1",
        "line_id": "1",
        "product_id": "P1",
        "name": "Odd tea",
        "amount": Decimal(10),
    }
    given = {
        "core__orders": [order],
        "core__order_items": [line],
        "core__home_currency": [{"currency": "USD"}],
    }
    [bought] = answer("core.order_products", TODAY, core__products=catalogue, **given)
    assert (bought["product_id"], bought["product"], bought["category"]) == ("P1", "Odd tea", None)
    [sold] = answer("core.sales_ledger", TODAY, core__products=catalogue, **given)
    assert (sold["product"], sold["category"], sold["value"]) == ("Odd tea", None, 10)
