"""Which currency is home, what others were worth in it, and what each order is worth: one answer for every mart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.support.model_cases import answer, column


def money(number: int, currency: str | None, amount: str | None = "10.00", day: int = 5):
    return {
        "source": "shop",
        "order_id": f"O{number}",
        "currency": currency,
        "ordered_at": datetime(2026, 1, day, tzinfo=UTC),
        "amount": None if amount is None else Decimal(amount),
    }


@pytest.mark.parametrize(
    ("ordered", "dealt", "home"),
    [
        (["USD", "USD", "CNY"], ["CNY", "CNY"], [("USD", 2, 0)]),
        (["USD", "CNY"], ["USD"], [("USD", 1, 1)]),
        (["USD", "CNY"], [], [("CNY", 1, 0)]),
        ([], ["USD", "USD", "CNY"], [("USD", 0, 2)]),
        ([None], [None], []),
        ([], [], []),
    ],
)
def test_the_home_currency_is_that_of_most_orders_and_then_of_most_deals(ordered, dealt, home):
    """In doubt the first by name; none while nothing names one."""
    rows = answer(
        "core.home_currency",
        core__orders=[money(number, currency) for number, currency in enumerate(ordered)],
        core__deals=[{"deal_id": str(number), "currency": currency} for number, currency in enumerate(dealt)],
    )
    assert [(row["currency"], row["orders"], row["deals"]) for row in rows] == home


def test_versions_of_a_deal_that_are_over_name_no_currency():
    """A deal counts once, as it stands now."""
    deals = [
        {"deal_id": "1", "currency": "USD", "valid_to": datetime(2026, 1, 1, tzinfo=UTC)},
        {"deal_id": "1", "currency": "CNY"},
    ]
    assert column(answer("core.home_currency", core__deals=deals), "currency") == ["CNY"]


def rate(currency: str, quote: str, value: str, day: int = 1, source: str = "rates"):
    return {
        "source": source, "currency": currency, "quote": quote, "day": date(2026, 1, day), "rate": Decimal(value),
    }  # fmt: skip


def test_rates_are_of_the_home_currency_whichever_way_they_are_written():
    """Others are left out; of two ways, and of two sources, one counts."""
    rows = answer(
        "core.home_rates",
        core__home_currency=[{"currency": "USD"}],
        core__exchange_rates=[
            rate("USD", "CNY", "8"),
            rate("EUR", "USD", "1.5"),
            rate("USD", "EUR", "0.5"),
            rate("EUR", "USD", "9", source="zzz"),
            rate("EUR", "USD", "1.25", day=2),
            rate("EUR", "CNY", "7"),
        ],
    )
    assert [(row["currency"], row["day"].day, row["rate"]) for row in rows] == [
        ("CNY", 1, 0.125),
        ("EUR", 1, 1.5),
        ("EUR", 2, 1.25),
    ]


def test_an_order_is_worth_what_the_last_rate_before_it_says():
    """Without a rate it has no value and says so; without an amount there is nothing to value."""
    rows = answer(
        "core.order_values",
        core__orders=[
            money(1, "USD"),
            money(2, None),
            money(3, "EUR"),
            money(4, "EUR", day=1),
            money(5, "EUR", None),
            money(6, "GBP"),
        ],
        core__home_currency=[{"currency": "USD"}],
        core__home_rates=[
            {"currency": "EUR", "day": date(2026, 1, 2), "rate": 1.5},
            {"currency": "EUR", "day": date(2026, 1, 6), "rate": 9.0},
        ],
    )
    assert [(row["order_id"], row["value"], row["unvalued"]) for row in rows] == [
        ("O1", Decimal("10.00"), False),
        ("O2", Decimal("10.00"), False),
        ("O3", Decimal("15.00"), False),
        ("O4", None, True),
        ("O5", None, False),
        ("O6", None, True),
    ]
    assert set(column(rows, "home_currency")) == {"USD"}
    assert [row["value"] for row in answer("core.order_values", core__orders=[money(1, None)])] == [10]


def test_what_is_not_above_zero_is_no_rate():
    """Nor is a currency worth another number of itself."""
    rates = [
        rate("CNY", "USD", "0"),
        rate("USD", "CNY", "0", day=2),
        rate("CNY", "USD", "-1", day=3),
        rate("USD", "USD", "2"),
    ]
    assert (
        answer("core.home_rates", core__home_currency=[{"currency": "USD"}], core__exchange_rates=rates) == []
    )


@pytest.mark.parametrize(
    ("state", "is_order", "value", "gross"),
    [
        ("sold", True, 10, 12), (None, True, 10, 12), ("refunded", True, 0, 12),
        ("return", False, -10, 0),
        ("cancelled", False, None, None), ("pending", False, None, None), ("test", False, None, None),
        ("unclear", False, None, None),
    ],
)  # fmt: skip
def test_what_counts_nowhere_is_worth_nothing_at_all(state, is_order, value, gross):
    """And names no home currency. What was sold is worth its gross, less the discount, less what was given back."""
    amount = "-10.00" if state == "return" else "10.00"
    order = money(1, "USD", amount) | {"counts_as": state, "discount": Decimal(2)}
    [row] = answer("core.order_values", core__orders=[order], core__home_currency=[{"currency": "USD"}])
    assert (row["is_order"], row["value"], row["gross"], row["unvalued"]) == (is_order, value, gross, False)
    named = column(answer("core.home_currency", core__orders=[order]), "currency")
    assert named == (["USD"] if value is not None else [])


def test_an_amount_beyond_belief_is_unvalued():
    """A million million is a slip, and would bury all other sums."""
    orders = [
        money(1, "USD", "999999999999.99"),
        money(2, "USD", "1000000000000000.00"),
        money(3, "USD", "-1000000000000.00"),
    ]
    rows = answer("core.order_values", core__orders=orders)
    assert column(rows, "value") == [Decimal("999999999999.99"), None, None]
    assert column(rows, "unvalued") == [False, True, True]


def test_an_order_without_a_time_has_no_day_and_no_value():
    """It stands there, and counts nowhere."""
    [row] = answer(
        "core.order_values", core__orders=[money(1, "USD") | {"ordered_at": None, "counts_as": "unclear"}]
    )
    assert (row["ordered_on"], row["value"], row["is_order"]) == (None, None, False)
