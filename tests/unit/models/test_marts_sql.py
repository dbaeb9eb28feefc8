"""What the marts say of a few rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.support.model_cases import answer, column

AS_OF = "2026-03-31"


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def order(number: int, when: datetime, amount: str = "10.00", who: str | None = "ann"):
    return {
        "order_id": f"O{number}",
        "source": "shop",
        "customer_id": who,
        "ordered_at": when,
        "amount": Decimal(amount),
    }


def event(number: int, when: datetime, user: str | None = "C1", device: str | None = "d1"):
    return {"message_id": f"m{number}", "timestamp": when, "user_id": user, "anonymous_id": device}


def identity(kind: str, value: str, who: str):
    return {"identifier_type": kind, "identifier_value": value, "customer_id": who}


PEOPLE = [{"customer_id": "ann", "contacts": 2}]
KNOWN = [
    identity("user_id", "C1", "ann"),
    identity("anonymous_id", "d1", "ann"),
    identity("anonymous_id", "d2", "ann"),
]


def ann(as_of: str = AS_OF, time_zone: str = "UTC", **given):
    """Ann's row of customer_360."""
    rows = answer(
        "marts.customer_360", as_of, time_zone, core__customers=PEOPLE, core__identities=KNOWN, **given
    )
    assert column(rows, "customer_id") == ["ann"]
    return rows[0]


def test_what_a_customer_bought():
    """Orders, days, money, first and last day, recency, and the mean gap between days of purchase."""
    orders = [
        order(1, at(1, 1), "10.00"),
        order(2, at(1, 1, 20), "5.50"),
        order(3, at(1, 11), "1.00"),
        order(4, at(3, 2, 23), "2.00"),
    ]
    row = ann(core__orders=orders)
    assert (row["orders"], row["purchase_days"], row["revenue"]) == (4, 3, Decimal("18.50"))
    assert row["average_order"] == Decimal("4.63")
    assert (row["first_order_on"], row["last_order_on"]) == (date(2026, 1, 1), date(2026, 3, 2))
    assert row["recency_days"] == 29
    assert row["mean_gap_days"] == 30.0  # 60 days in two gaps
    assert row["as_of"] == date(2026, 3, 31)


RATES = [
    {"day": date(2026, 1, 1), "currency": "USD", "quote": "CNY", "rate": Decimal("7.00"), "source": "rates"},
    {"day": date(2026, 2, 1), "currency": "USD", "quote": "CNY", "rate": Decimal("8.00"), "source": "rates"},
    {"day": date(2026, 1, 1), "currency": "EUR", "quote": "USD", "rate": Decimal("1.50"), "source": "rates"},
]


def test_money_is_in_the_currency_of_most_orders():
    """At the rate of the day, or the last before it, either way round; without a rate it is in no sum, and counted."""
    orders = [
        order(1, at(1, 1), "10.00") | {"currency": "USD"},
        order(2, at(1, 2), "20.00") | {"currency": "USD"},
        order(3, at(1, 31), "70.00") | {"currency": "CNY"},
        order(4, at(3, 1), "80.00") | {"currency": "CNY"},
        order(5, at(3, 1), "6.00") | {"currency": "EUR"},
        order(6, at(3, 1), "999.00") | {"currency": "GBP"},
        order(7, at(3, 1), "1.00"),
        order(8, at(1, 2), "5.00") | {"currency": "USD"},
    ]
    deals = [
        {"customer_id": "ann", "amount": Decimal("16.00"), "currency": "CNY", "created_at": at(1, 1)},
        {"customer_id": "ann", "amount": Decimal("1.00"), "currency": "USD", "created_at": at(1, 1)},
    ]
    row = ann(core__orders=orders, core__deals=deals, core__exchange_rates=RATES)
    assert (row["currency"], row["orders"], row["unvalued_orders"]) == ("USD", 8, 1)
    assert row["revenue"] == Decimal("10.00") + 20 + 10 + 10 + 9 + 1 + 5
    assert row["average_order"] == Decimal("9.29")
    assert row["open_deal_amount"] == Decimal("3.00")
    days = answer("marts.daily_activity", core__orders=orders, core__exchange_rates=RATES)
    assert column(days, "revenue") == [Decimal("10.00"), 25, 10, 20]
    assert column(days, "unvalued_orders") == [0, 0, 0, 1]
    assert set(column(days, "currency")) == {"USD"}
    early = ann("2026-01-31", core__orders=orders, core__deals=deals, core__exchange_rates=RATES)
    assert early["open_deal_amount"] == Decimal("3.29")  # at the rate of then


def test_a_rate_that_is_written_both_ways_counts_as_it_is_written():
    """Buying and selling differ: the pair that is written from the order's currency is the one meant."""
    both = [
        {
            "day": date(2026, 1, 1),
            "currency": "CNY",
            "quote": "USD",
            "rate": Decimal("0.10"),
            "source": "rates",
        },
        {
            "day": date(2026, 1, 1),
            "currency": "USD",
            "quote": "CNY",
            "rate": Decimal("5.00"),
            "source": "rates",
        },
    ]
    orders = [
        order(1, at(1, 1), "1.00") | {"currency": "USD"},
        order(2, at(1, 2), "2.00") | {"currency": "USD"},
        order(3, at(1, 2), "100.00") | {"currency": "CNY"},
    ]
    for rates in (both, both[::-1]):
        assert ann(core__orders=orders, core__exchange_rates=rates)["revenue"] == Decimal("13.00")
        days = answer("marts.daily_activity", core__orders=orders, core__exchange_rates=rates)
        assert column(days, "revenue") == [Decimal("1.00"), Decimal("12.00")]


def test_without_rates_only_one_currency_is_summed():
    """Nobody adds yuan to dollars."""
    mixed = [
        order(1, at(1, 1), "10.00") | {"currency": "CNY"},
        order(2, at(1, 2), "20.00") | {"currency": "USD"},
        order(3, at(1, 3), "30.00") | {"currency": "CNY"},
    ]
    row = ann(core__orders=mixed)
    assert (row["currency"], row["revenue"], row["unvalued_orders"]) == ("CNY", Decimal("40.00"), 1)


def test_both_marts_sum_in_one_currency_at_the_same_values():
    """As many orders in dollars as in yuan: the deals decide, for the days as for the customers."""
    orders = [
        order(1, at(1, 1), "70.00") | {"currency": "CNY"},
        order(2, at(1, 2), "20.00") | {"currency": "USD"},
        order(3, at(1, 3), "6.00") | {"currency": "EUR"},
        order(4, at(1, 3), "9.00") | {"currency": "GBP"},
        order(5, at(1, 4), "1.00"),
    ]
    deals = [{"customer_id": "ann", "amount": Decimal("16.00"), "currency": "USD", "created_at": at(1, 1)}]
    inputs = {"core__orders": orders, "core__deals": deals, "core__exchange_rates": RATES}
    customer = ann(**inputs)
    days = answer("marts.daily_activity", **inputs)
    assert {customer["currency"], *column(days, "currency")} == {"USD"}
    assert customer["revenue"] == sum(column(days, "revenue")) == Decimal("40.00")
    assert customer["unvalued_orders"] == sum(column(days, "unvalued_orders")) == 1


def test_who_only_has_deals_has_their_currency_in_every_mart():
    """Before the first order the deals name the home currency."""
    deals = [{"customer_id": "ann", "amount": Decimal("16.00"), "currency": "CNY", "created_at": at(1, 1)}]
    assert ann(core__deals=deals)["currency"] == "CNY"
    days = answer("marts.daily_activity", core__deals=deals, raw__events=[event(1, at(1, 1))])
    assert column(days, "currency") == ["CNY"]


def test_one_day_of_purchase_has_no_gap():
    """Below two days there is no mean gap, rather than one of zero."""
    row = ann(core__orders=[order(1, at(1, 1)), order(2, at(1, 1, 5))])
    assert row["mean_gap_days"] is None


def test_whoever_bought_nothing_has_zeros_and_no_recency():
    """A visitor is not somebody who bought long ago."""
    row = ann()
    names = ("orders", "purchase_days", "revenue", "events", "active_days", "open_deals", "orders_90d")
    assert [row[name] for name in names] == [0] * 7
    assert [row[name] for name in ("recency_days", "average_order", "first_order_on", "email_marketing")] == [
        None
    ] * 4


def test_a_deal_counts_once_however_often_it_changed():
    """And not at all once its newest version is gone."""
    deals = [
        {**deal("won over", at(1, 5)), "valid_from": at(1, 5), "valid_to": at(1, 9)},
        {**deal("won over", at(1, 5)), "valid_from": at(1, 9), "valid_to": None},
        {**deal("deleted", at(1, 5)), "valid_from": at(1, 5), "valid_to": at(1, 7)},
    ]
    row = ann("2026-02-01", core__orders=[order(1, at(1, 1))], core__deals=deals)
    assert (row["open_deals"], row["open_deal_amount"]) == (1, Decimal("1.00"))


def test_as_of_cuts_off_what_came_later():
    """Replaying history must not know the future: orders, events and deals after the day are left out."""
    orders = [order(1, at(1, 1)), order(2, at(2, 1, 23)), order(3, at(2, 2))]
    events = [event(1, at(1, 1)), event(2, at(2, 1, 23)), event(3, at(2, 2))]
    deals = [
        deal("open before", at(1, 5)),
        deal("opened later", at(2, 5)),
        deal("closed before", at(1, 5), closed=date(2026, 1, 20)),
        deal("closed later", at(1, 5), closed=date(2026, 2, 20)),
    ]
    row = ann("2026-02-01", core__orders=orders, raw__events=events, core__deals=deals)
    assert (row["orders"], row["last_order_on"], row["recency_days"]) == (2, date(2026, 2, 1), 0)
    assert (row["events"], row["active_days"], row["last_event_at"]) == (2, 2, at(2, 1, 23))
    assert (row["open_deals"], row["open_deal_amount"]) == (2, Decimal("2.00"))


def deal(name: str, created: datetime, closed: date | None = None):
    return {
        "deal_id": name, "source": "salesforce", "customer_id": "ann", "amount": Decimal(1), "created_at": created,
        "is_closed": closed is not None, "close_date": closed,
    }  # fmt: skip


@pytest.mark.parametrize(("day", "counted"), [(1, 1), (31, 1)])
def test_the_last_ninety_days_end_with_the_day_and_are_ninety(day, counted):
    """as_of and the 89 days before it: the first of January counts on the 31st of March, its eve does not."""
    row = ann(
        core__orders=[order(1, at(1 if day == 1 else 3, day)), order(2, datetime(2025, 12, 31, tzinfo=UTC))]
    )
    assert (row["orders_90d"], row["revenue_90d"]) == (counted, Decimal("10.00"))


def test_events_belong_to_the_user_that_is_signed_in_and_else_to_the_device():
    """Events are never rewritten: who somebody is, is looked up when they are read."""
    events = [
        event(1, at(1, 1), user=None),  # before signing in, on Ann's device
        event(2, at(1, 2), user="C9", device="d1"),  # Bob on Ann's device
        event(3, at(1, 3), user="C1", device="new"),
        event(4, at(1, 4), user=None, device="nobody"),
    ]
    rows = answer(
        "marts.customer_360",
        AS_OF,
        core__customers=[*PEOPLE, {"customer_id": "bob", "contacts": 0}],
        core__identities=[*KNOWN, identity("user_id", "C9", "bob")],
        raw__events=events,
    )
    assert {row["customer_id"]: (row["events"], row["devices"]) for row in rows} == {
        "ann": (2, 2),
        "bob": (1, 0),
    }


def test_e_mail_marketing_is_yes_no_or_unknown():
    """Only what was answered on marketing by e-mail is shown; one address that may be written to is enough."""

    def said(allowed: bool, channel: str = "email", address: str = "a@example.com"):
        who = {"customer_id": "ann", "purpose": "marketing", "channel": channel}
        return {**who, "address": address, "allowed": allowed}

    assert ann(core__consent_answers=[said(allowed=True)])["email_marketing"] is True
    assert ann(core__consent_answers=[said(allowed=False)])["email_marketing"] is False
    assert ann(core__consent_answers=[said(allowed=True, channel="phone")])["email_marketing"] is None
    two = [said(allowed=True), said(allowed=False, address="b@example.com")]
    assert ann(core__consent_answers=two)["email_marketing"] is True


def test_a_refund_is_not_known_before_its_day():
    """Looked back from the day before, the order counts with all that it was worth; from then on it never was."""
    orders = [order(1, at(1, 1), "10.00"), order(2, at(1, 3), "30.00") | {"discount": Decimal(5)}]
    payments = [
        {
            "payment_id": "P1",
            "source": "shop",
            "kind": "refund",
            "order_id": "O2",
            "amount": Decimal(30),
            "paid_at": at(2, 1),
        }
    ]
    before, after = (
        ann(day, core__orders=orders, core__payments=payments) for day in ("2026-01-31", "2026-02-01")
    )
    names = (
        "orders",
        "purchase_days",
        "revenue",
        "gross",
        "discounts",
        "refunds",
        "average_order",
        "last_order_on",
    )
    assert [before[name] for name in names] == [2, 2, 40, 45, 5, 0, 20, date(2026, 1, 3)]
    assert [after[name] for name in names] == [1, 1, 10, 45, 5, 30, 10, date(2026, 1, 1)]
    days = answer("marts.daily_activity", core__orders=orders, core__payments=payments)
    assert column(days, "revenue") == [10, 30, -30]
    assert (column(days, "orders"), column(days, "new_buyers")) == ([1, 0, 0], [1, 0, 0])


def test_who_only_bought_what_does_not_count_bought_nothing():
    """Cancelled, unpaid, a test, of a status that nobody knows, or wholly given back."""
    states = ("cancelled", "pending", "test", "unclear", "refunded")
    orders = [order(n, at(1, n + 1)) | {"counts_as": state} for n, state in enumerate(states)]
    row = ann(core__orders=orders)
    assert [row[name] for name in ("orders", "purchase_days", "revenue", "orders_90d", "unclear_orders")] == [
        0,
        0,
        0,
        0,
        1,
    ]
    assert [row[name] for name in ("first_order_on", "last_order_on", "recency_days", "average_order")] == [
        None
    ] * 4
    assert answer("marts.rfm", marts__customer_360=[row]) == []
    days = answer("marts.daily_activity", core__orders=orders)
    assert sum(column(days, "orders")) == sum(column(days, "buyers")) == sum(column(days, "new_buyers")) == 0
    assert (sum(column(days, "revenue")), sum(column(days, "unclear_orders"))) == (0, 1)


def test_days_and_today_are_the_business_s():
    """Orders, events and deals of a late evening in New York are of that day there, and of the next one in UTC."""
    late = datetime(2026, 4, 1, 1, tzinfo=UTC)
    deals = [{"customer_id": "ann", "amount": Decimal(1), "currency": "USD", "created_at": late}]
    given = {"core__orders": [order(1, late)], "raw__events": [event(1, late)], "core__deals": deals}
    for zone, counted in (("America/New_York", 1), ("UTC", 0)):
        row = ann(time_zone=zone, **given)
        assert [row[name] for name in ("orders", "events", "active_days", "open_deals")] == [counted] * 4
        days = answer(
            "marts.daily_activity",
            time_zone=zone,
            core__orders=given["core__orders"],
            raw__events=given["raw__events"],
        )
        assert [(row["day"], row["events"], row["orders"]) for row in days] == [
            (date(2026, 3, 31) if counted else date(2026, 4, 1), 1, 1)
        ]


# ------------------------------------------------------------------ daily_activity


def test_what_happened_each_day():
    """Days with events or orders; people count once a day whatever they did, and once in all as new buyers."""
    rows = answer(
        "marts.daily_activity",
        core__orders=[
            order(1, at(1, 1)),
            order(2, at(1, 1, 9), "5.00"),
            order(3, at(1, 3)),
            order(4, at(1, 3), "1.00", who="bob"),
            order(5, at(1, 3), "2.00", who=None),
        ],
        core__identities=KNOWN,
        raw__events=[
            event(1, at(1, 1), user=None, device="d1"),
            event(2, at(1, 1), user="C1", device="d2"),  # the same Ann
            event(3, at(1, 1), user=None, device="stranger"),
            event(4, at(1, 2, 23), user=None, device="stranger"),
        ],
    )
    days = [(row["day"].day, row["events"], row["visitors"], row["orders"], row["buyers"]) for row in rows]
    assert days == [(1, 3, 2, 2, 1), (2, 1, 1, 0, 0), (3, 0, 0, 3, 2)]
    assert column(rows, "new_buyers") == [1, 0, 1]
    assert column(rows, "revenue") == [Decimal("15.00"), 0, Decimal("13.00")]
