"""Whatever is ordered, corrected, refunded and returned: a plain reading of the rule comes to the same money."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.model_cases import Row, answer, column

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
AS_OF = "2026-12-31"
FEW = settings(max_examples=60, deadline=None)
RATES = {"EUR": Decimal(2), "CNY": Decimal("0.5")}  # exact in binary, as are the sums made with them
MOVES_NOTHING = ("pending", "cancelled", "refund asked", "test")

days = st.integers(0, 6).map(lambda day: START + timedelta(days=day))
amounts = st.sampled_from([Decimal(n) for n in (0, 10, 20, 20, 50, 999_999_999)])
currencies = st.sampled_from([None, "USD", "USD", "EUR", "CNY", "GBP"])


def numbered(kind: str, row: st.SearchStrategy[Row], most: int) -> st.SearchStrategy[list[Row]]:
    """Return lists of rows, each with an id of its own and in any order."""
    rows = st.lists(row, max_size=most)
    return rows.map(
        lambda found: [each | {kind: f"{kind[0]}{n}", "source": "shop"} for n, each in enumerate(found)]
    )


orders = numbered(
    "order_id",
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["ann", "ann", "bob"]),
            "ordered_at": days,
            "amount": st.none() | amounts,
            "discount": st.none() | amounts,
            "refunded": st.none() | amounts,
            "currency": currencies,
            "counts_as": st.sampled_from(
                ["sold", "sold", "sold", "refunded", "return", "cancelled", "pending", "unclear"]
            ),
        }
    ),
    9,
).map(
    lambda rows: [
        row | {"amount": -abs(row["amount"] or Decimal(20)) or Decimal(-1)}
        if row["counts_as"] == "return"
        else row
        for row in rows
    ]
)
told = {
    "order_id": st.sampled_from([f"o{n}" for n in range(10)]),
    "amount": st.none() | amounts,
    "currency": currencies,
    "counts_as": st.sampled_from([None, None, None, "sold", "pending", "refund asked", "unknown"]),
}
payments = numbered("payment_id", st.fixed_dictionaries(told | {"paid_at": st.none() | days}), 6).map(
    lambda rows: [row | {"kind": "refund"} for row in rows]
)
returns = numbered("return_id", st.fixed_dictionaries(told | {"returned_at": st.none() | days}), 6)


def rate_of(currency: str | None) -> Decimal | None:
    return Decimal(1) if currency in (None, "USD") else RATES.get(currency)


def given_back(
    order: Row, said: dict[str, list[tuple[datetime | None, Row]]]
) -> list[tuple[datetime, Decimal]]:
    """Return what was given back of an order and when, in its currency: of two ledgers the one that says more."""
    ledgers = {}
    for kind, rows in said.items():
        ledger = []
        for at, row in rows:
            nothing = row["counts_as"] in MOVES_NOTHING or (row["counts_as"] == "unknown" and at is None)
            currency = row["currency"] or order["currency"]
            rates = rate_of(currency), rate_of(order["currency"])
            same = (currency or "USD") == (order["currency"] or "USD")
            if nothing or row["amount"] is None or not (same or all(rates)):
                continue
            factor = Decimal(1) if same else rates[0] / rates[1]
            ledger.append((max(at or order["ordered_at"], order["ordered_at"]), row["amount"] * factor))
        ledgers[kind] = ledger
    sums = {kind: sum((amount for _, amount in ledger), Decimal(0)) for kind, ledger in ledgers.items()}
    best = "returns" if sums["returns"] > sums["payments"] or not ledgers["payments"] else "payments"
    chosen = sorted(ledgers[best])
    wholly = order["counts_as"] == "refunded"
    beyond = min(order["amount"] if wholly else order["refunded"] or Decimal(0), order["amount"]) - sums[best]
    if beyond > 0:
        chosen.append((chosen[-1][0] if chosen else order["ordered_at"], beyond))
    return chosen


def expected(orders: list[Row], payments: list[Row], returns: list[Row]) -> dict[str, tuple[Any, Any, bool]]:
    """Return of each order its net value, its refunds, and whether something is left of it."""
    backs: dict[str, list[tuple[datetime, Decimal]]] = {}
    counted = {o["order_id"]: o for o in orders if o["counts_as"] in ("sold", "refunded")}
    for name, order in counted.items():
        said = {
            "payments": [(row["paid_at"], row) for row in payments if row["order_id"] == name],
            "returns": [(row["returned_at"], row) for row in returns if row["order_id"] == name],
        }
        backs[name] = given_back(order, said) if order["amount"] is not None else []
    stacks: dict[Any, list[Row]] = defaultdict(list)
    alone: dict[str, Decimal] = {}
    by_time = sorted(orders, key=lambda o: (o["ordered_at"], o["counts_as"] == "return", o["order_id"]))
    for order in by_time:
        same = order["customer_id"], order["currency"] or "USD", abs(order["amount"] or 0)
        if order["counts_as"] == "return":
            if stacks[same]:
                backs[stacks[same].pop()["order_id"]].append((order["ordered_at"], -order["amount"]))
            else:
                alone[order["order_id"]] = -order["amount"]
        elif order["order_id"] in counted and order["amount"] and not backs[order["order_id"]]:
            stacks[same].append(order)
    result = {}
    for order in orders:
        name, rate = order["order_id"], rate_of(order["currency"])
        if name in counted:
            back = sum((amount for _, amount in backs[name]), Decimal(0))
            covered = min(back, order["amount"]) if order["amount"] is not None else None
            left = order["counts_as"] != "refunded" if not order["amount"] else covered < order["amount"]
            known = rate is not None and order["amount"] is not None
            result[name] = (
                ((order["amount"] - covered) * rate, covered * rate, left) if known else (None, None, left)
            )
        elif order["counts_as"] == "return":
            back = alone.get(name, Decimal(0))
            result[name] = (-back * rate, back * rate, False) if rate else (None, None, False)
        else:
            result[name] = (None, None, False)
    return result


HOME = [{"currency": "USD"}]
EXCHANGE = [
    {
        "currency": currency,
        "quote": "USD",
        "day": (START - timedelta(days=9)).date(),
        "rate": rate,
        "source": "r",
    }
    for currency, rate in RATES.items()
]


@FEW
@given(orders, payments, returns)
def test_every_order_is_worth_what_the_plain_reading_says(orders, payments, returns):
    """And each mart sums up the same: by customer, by day, by refund; who has nothing left is nobody who bought."""
    given_rows = {
        "core__orders": orders,
        "core__payments": payments,
        "core__returns": returns,
        "core__exchange_rates": EXCHANGE,
        "core__home_currency": HOME,
    }
    values = answer("core.order_values", **given_rows)
    wanted = expected(orders, payments, returns)
    assert {
        row["order_id"]: (row["value"], row["refunds"], row["is_order"] and row["taken_back_on"] is None)
        for row in values
    } == wanted
    for row in values:
        assert row["value"] is None or row["gross"] - row["discounts"] - row["refunds"] == row["value"]
    net = sum(row["value"] or 0 for row in values)
    refunds = answer("core.refunds", **given_rows)
    assert sum(column(refunds, "value")) == sum(row["refunds"] or 0 for row in values)
    days = answer("marts.daily_activity", **given_rows)
    customers = answer(
        "marts.customer_360",
        AS_OF,
        core__customers=[{"customer_id": "ann"}, {"customer_id": "bob"}],
        **given_rows,
    )
    for mart in (days, customers):
        assert sum(column(mart, "revenue")) == net
        assert (
            sum(column(mart, "gross")) - sum(column(mart, "discounts")) - sum(column(mart, "refunds")) == net
        )
        assert sum(column(mart, "orders")) == sum(left for _, _, left in wanted.values())
    left_of = defaultdict(int)
    for order in orders:
        left_of[order["customer_id"]] += wanted[order["order_id"]][2]
    for row in customers:
        assert row["orders"] == left_of[row["customer_id"]]
        assert (row["first_order_on"] is None) == (row["recency_days"] is None) == (row["orders"] == 0)
    assert {row["customer_id"] for row in answer("marts.rfm", marts__customer_360=customers)} == {
        name for name, left in left_of.items() if left
    }
