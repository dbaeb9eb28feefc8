"""What is given back of orders: when, how much of it counts, and why the rest does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.support.model_cases import Row, answer, column

HOME = {"core__home_currency": [{"currency": "USD"}]}


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def order(number: int, amount: str | None = "10.00", day: int = 5, **more) -> Row:
    return {
        "source": "shop", "order_id": f"O{number}", "customer_id": "ann", "ordered_at": at(day), "currency": "USD",
        "amount": None if amount is None else Decimal(amount), "counts_as": "sold", **more,
    }  # fmt: skip


def refund(number: int, amount: str | None, day: int | None = 7, of: str = "O1", **more) -> Row:
    return {
        "source": "shop", "payment_id": f"P{number}", "kind": "refund", "order_id": of, "counts_as": None,
        "amount": None if amount is None else Decimal(amount), "paid_at": None if day is None else at(day), **more,
    }  # fmt: skip


def returned(number: int, amount: str, day: int | None = 7, of: str = "O1", **more) -> Row:
    return {
        "source": "shop", "return_id": f"R{number}", "order_id": of, "amount": Decimal(amount),
        "returned_at": None if day is None else at(day), **more,
    }  # fmt: skip


def back(*orders: Row, payments=(), returns=(), **more) -> list[tuple]:
    """Return of each refund its id, day of January, value and reason."""
    rows = answer(
        "core.refunds", core__orders=orders, core__payments=payments, core__returns=returns, **HOME | more
    )
    return [(row["refund_id"], row["refunded_on"].day, row["value"], row["reason"]) for row in rows]


@pytest.mark.parametrize(
    ("payments", "returns", "expected"),
    [
        ([refund(1, "4.00")], [], [("P1", 7, 4, None)]),
        ([refund(1, "4.00"), refund(2, "6.00", 8)], [], [("P1", 7, 4, None), ("P2", 8, 6, None)]),
        ([refund(1, "4.00", None)], [], [("P1", 5, 4, None)]),
        ([refund(1, "4.00", 2)], [], [("P1", 5, 4, None)]),
        ([refund(1, "1000000000000000.00")], [], [("P1", 7, 10, "more than the order")]),
        ([refund(1, "10.00"), refund(2, "10.00", 8)], [], [("P1", 7, 10, None), ("P2", 8, 0, "more than the order")]),
        ([refund(1, "-4.00")], [], [("P1", 7, 4, None)]),
        ([refund(1, None)], [], [("P1", 7, 0, "no amount")]),
        ([refund(1, "4.00", of="O9")], [], [("P1", 7, 0, "no such order")]),
        ([refund(1, "4.00", of=None)], [], [("P1", 7, 0, "no such order")]),
        ([refund(1, "4.00", kind="payment")], [], []),
        ([refund(1, "4.00", currency="EUR")], [], [("P1", 7, 0, "no rate")]),
        ([refund(1, "4.00", counts_as="pending")], [], [("P1", 7, 0, "not given back")]),
        ([refund(1, "4.00", counts_as="unknown")], [], [("P1", 7, 4, None)]),
        ([refund(1, "4.00", None, counts_as="unknown")], [], [("P1", 5, 0, "not given back")]),
        ([], [returned(1, "3.00")], [("R1", 7, 3, None)]),
        ([refund(1, "4.00")], [returned(1, "4.00", 6)], [("P1", 7, 4, None), ("R1", 6, 0, "said elsewhere")]),
        ([refund(1, "4.00")], [returned(1, "5.00", 6)], [("P1", 7, 0, "said elsewhere"), ("R1", 6, 5, None)]),
        ([], [returned(1, "3.00", counts_as="refund asked")], [("R1", 7, 0, "not given back")]),
    ],
)  # fmt: skip
def test_what_counts_of_a_refund(payments, returns, expected):
    """Of an order of 10.00 of the fifth."""
    assert back(order(1), payments=payments, returns=returns) == expected


@pytest.mark.parametrize(
    ("more", "payments", "expected"),
    [
        ({"refunded": Decimal(4)}, [], [("O1", 5, 4, None)]),
        ({"refunded": Decimal(-4)}, [], [("O1", 5, 4, None)]),
        ({"refunded": Decimal(4)}, [refund(1, "4.00")], [("P1", 7, 4, None)]),
        ({"refunded": Decimal(9)}, [refund(1, "4.00")], [("O1", 7, 5, None), ("P1", 7, 4, None)]),
        ({"refunded": Decimal(99)}, [], [("O1", 5, 10, None)]),
        ({"counts_as": "refunded"}, [], [("O1", 5, 10, None)]),
        ({"counts_as": "refunded"}, [refund(1, "4.00")], [("O1", 7, 6, None), ("P1", 7, 4, None)]),
        (
            {"counts_as": "cancelled", "refunded": Decimal(4)}, [refund(1, "4.00")],
            [("P1", 7, 0, "the order counts nowhere")],
        ),
        ({"amount": None, "counts_as": "refunded"}, [refund(1, "4.00")], [("P1", 7, 0, "no amount")]),
    ],
)  # fmt: skip
def test_what_an_order_says_itself_goes_beyond_its_refunds(more, payments, expected):
    """By its status or its sum; of an order that counts nowhere nothing is given back."""
    assert back(order(1, **more), payments=payments) == expected


def test_parts_of_an_order_come_to_the_order_to_the_cent():
    """Whatever each is rounded to: nothing is left, and nothing less than that."""
    payments = [refund(1, "3.33"), refund(2, "3.33", 8), refund(3, "3.34", 9)]
    rates = [{"currency": "EUR", "day": date(2026, 1, 1), "rate": 1.2345}]
    given_rows = {
        "core__orders": [order(1, currency="EUR")], "core__payments": payments, "core__home_rates": rates, **HOME
    }  # fmt: skip
    assert column(answer("core.refunds", **given_rows), "value") == [
        Decimal("4.11"),
        Decimal("4.11"),
        Decimal("4.13"),
    ]
    [row] = answer("core.order_values", **given_rows)
    assert (row["gross"], row["refunds"], row["value"]) == (Decimal("12.35"), Decimal("12.35"), 0)
    assert row["taken_back_on"] == date(2026, 1, 9)


def test_an_order_below_zero_takes_back_the_last_order_of_the_same_kind():
    """Of the same customer, currency and amount, before it; without one it is given back all the same."""
    orders = [
        order(1, day=1),
        order(2, day=2),
        order(3, "-10.00", day=3, counts_as="return"),
        order(4, day=4),
        order(5, "-10.00", day=5, counts_as="return"),
        order(6, "-10.00", day=6, counts_as="return", currency="EUR"),
        order(7, "-10.00", day=6, counts_as="return", customer_id="bob"),
        order(8, "-7.00", day=6, counts_as="return"),
        order(9, "-10.00", day=7, counts_as="return", customer_id=None),
    ]
    rows = answer("core.refunds", core__orders=orders, **HOME)
    assert {row["refund_id"]: (row["order_id"], row["value"]) for row in rows} == {
        "O3": ("O2", 10), "O5": ("O4", 10), "O6": (None, 0), "O7": (None, 10), "O8": (None, 7), "O9": (None, 10),
    }  # fmt: skip
    values = answer("core.order_values", core__orders=orders, **HOME)
    assert {row["order_id"]: row["value"] for row in values} == {
        "O1": 10, "O2": 0, "O3": 0, "O4": 0, "O5": 0, "O6": None, "O7": -10, "O8": -7, "O9": -10,
    }  # fmt: skip
    assert [row["order_id"] for row in values if row["is_order"] and row["taken_back_on"] is None] == ["O1"]


def test_a_return_without_an_order_leaves_the_next_one_its_order():
    """What came back before anything was bought is not owed to what is bought later."""
    orders = [
        order(1, "-10.00", day=1, counts_as="return"),
        order(2, day=2),
        order(3, "-10.00", day=3, counts_as="return"),
    ]
    rows = answer("core.refunds", core__orders=orders, **HOME)
    assert [(row["refund_id"], row["order_id"]) for row in rows] == [("O1", None), ("O3", "O2")]


def test_a_refund_in_another_currency_is_at_the_rate_of_its_own_day():
    """And then one of the order's; one in the order's is worth what the order was."""
    rates = [
        {"currency": "EUR", "day": date(2026, 1, 1), "rate": 1.5},
        {"currency": "EUR", "day": date(2026, 1, 7), "rate": 1.2},
    ]
    euros, dollars = order(1, "100.00", currency="EUR"), order(2, "100.00")
    payments = [
        refund(1, "50.00", currency="EUR"),
        refund(2, "30.00", currency="USD"),
        refund(3, "50.00", currency="EUR", of="O2"),
    ]
    expected = [("P1", 7, 75, None), ("P2", 7, 30, None), ("P3", 7, 60, None)]
    assert back(euros, dollars, payments=payments, core__home_rates=rates) == expected


def test_days_are_those_of_the_business():
    """Refunds as orders: half past eight in the evening in New York is the next day in London."""
    late = order(1, ordered_at=datetime(2026, 1, 6, 1, 30, tzinfo=UTC))
    given_rows = {
        "core__orders": [late],
        "core__payments": [refund(1, "4.00", paid_at=datetime(2026, 1, 8, 2, tzinfo=UTC))],
    }
    for zone, ordered, refunded in (("America/New_York", 5, 7), ("UTC", 6, 8), ("Asia/Shanghai", 6, 8)):
        [row] = answer("core.order_values", time_zone=zone, **given_rows)
        [given_back] = answer("core.refunds", time_zone=zone, **given_rows)
        assert (row["ordered_on"].day, given_back["refunded_on"].day) == (ordered, refunded)
