"""On which day an order counts, at which rate and whose it is: a plain reading comes to the same days and sums."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.model_cases import Row, answer

CENT = Decimal("0.01")
BORDERS = (  # moments about which days, and clocks, change somewhere
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York begins its summer
    datetime(2026, 3, 9, 4, tzinfo=UTC),  # midnight there
    datetime(2026, 3, 9, 16, tzinfo=UTC),  # midnight in Shanghai
    datetime(2026, 3, 10, tzinfo=UTC),
)
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"])
moments = st.builds(
    lambda border, by: border + by,
    st.sampled_from(BORDERS),
    st.sampled_from([timedelta(microseconds=-1), timedelta(0), timedelta(hours=1)]),
)
orders = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["ann", "bob", None]),
            "ordered_at": moments,
            "amount": st.sampled_from([Decimal("0.05"), Decimal(10), Decimal("33.33")]),
            "currency": st.sampled_from(["USD", "EUR", "EUR", "GBP"]),
        }
    ),
    max_size=6,
).map(
    lambda rows: [
        row | {"source": "shop", "order_id": f"o{n}", "counts_as": "sold"} for n, row in enumerate(rows)
    ]
)
rates = st.dictionaries(
    st.dates(date(2026, 3, 6), date(2026, 3, 10)),
    st.sampled_from([Decimal(2), Decimal("0.5"), Decimal("1.25")]),
)


def worth(order: Row, day: date, rates: dict[date, Decimal]) -> Decimal | None:
    """Return what an order is worth in dollars, at the last rate that its day knows."""
    if order["currency"] == "USD":
        return order["amount"]
    known = [of for of in rates if of <= day]
    if order["currency"] != "EUR" or not known:
        return None
    return (order["amount"] * rates[max(known)]).quantize(CENT, ROUND_HALF_UP)


@settings(max_examples=40, deadline=None)
@given(orders, rates, ZONES)
def test_orders_count_on_the_day_and_at_the_rate_of_the_business(orders, rates, zone):
    """A microsecond before midnight and after it, on days of 23 hours; and customers who are merged have both's."""
    exchange = [
        {"currency": "EUR", "quote": "USD", "day": day, "rate": rate, "source": "r"}
        for day, rate in rates.items()
    ]
    home = [{"currency": "USD"}]
    shared = {"core__exchange_rates": exchange, "core__home_currency": home}
    days: dict[date, Decimal] = defaultdict(Decimal)
    own: dict[str | None, Decimal] = defaultdict(Decimal)
    bought_on: dict[str | None, set[date]] = defaultdict(set)
    expected = {}
    for order in orders:
        day = order["ordered_at"].astimezone(ZoneInfo(zone)).date()
        value = worth(order, day, rates)
        expected[order["order_id"]] = (day, value, value is None)
        days[day] += value or 0
        own[order["customer_id"]] += value or 0
        bought_on[order["customer_id"]].add(day)
    values = answer("core.order_values", time_zone=zone, core__orders=orders, **shared)
    assert {row["order_id"]: (row["ordered_on"], row["value"], row["unvalued"]) for row in values} == expected
    daily = answer("marts.daily_activity", time_zone=zone, core__orders=orders, **shared)
    assert {row["day"]: row["revenue"] or 0 for row in daily} == days
    merged = [order | {"customer_id": order["customer_id"] and "ann"} for order in orders]
    [ann] = answer(
        "marts.customer_360",
        "2026-03-31",
        zone,
        core__orders=merged,
        core__customers=[{"customer_id": "ann"}],
        **shared,
    )
    assert (ann["revenue"] or 0) == own["ann"] + own["bob"]
    assert ann["purchase_days"] == len(bought_on["ann"] | bought_on["bob"])
    assert ann["orders"] == sum(order["customer_id"] is not None for order in orders)
