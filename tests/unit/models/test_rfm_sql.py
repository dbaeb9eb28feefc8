"""Fifths of recency, frequency and revenue, and the names of their cells."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.support.model_cases import answer, column


def buyer(name: str, recency: int, days: int, revenue: str, orders: int = 1):
    return {
        "customer_id": name, "as_of": date(2026, 3, 31), "recency_days": recency, "purchase_days": days,
        "revenue": Decimal(revenue), "orders": orders,
    }  # fmt: skip


def test_fifths_are_fifths_and_five_is_best():
    """Of ten different customers two get each digit; the most recent, most frequent and richest get 5."""
    rows = answer("marts.rfm", marts__customer_360=[buyer(f"c{n}", n, n + 1, f"{n}.00") for n in range(10)])
    assert column(rows, "r") == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert column(rows, "f") == column(rows, "m") == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert rows[0]["rfm"] == "511"


def test_equal_customers_get_equal_digits():
    """A customer's digit depends on what he did, not on where his row stands."""
    same = [buyer(f"c{n}", 7, 2, "9.00") for n in range(7)]
    rows = answer(
        "marts.rfm", marts__customer_360=[*same, buyer("x", 1, 3, "10.00"), buyer("y", 9, 1, "8.00")]
    )
    assert len({(row["r"], row["f"], row["m"]) for row in rows[:7]}) == 1


@pytest.mark.parametrize(
    ("poor", "rich", "digits"),
    [(79, 21, {1: 2, 240: 5}), (80, 20, {1: 3, 240: 5}), (20, 80, {1: 1, 240: 4}), (0, 7, {240: 3})],
)
def test_ties_share_the_middle_of_their_ranks(poor, rich, digits):
    """The 21 best payers of 100 are the best fifth, though they are one too many; all alike are in the middle."""
    payments = ["1.00"] * poor + ["240.00"] * rich
    rows = answer(
        "marts.rfm",
        marts__customer_360=[
            buyer(f"c{n}", int(Decimal(paid)), int(Decimal(paid)), paid) for n, paid in enumerate(payments)
        ],
    )
    assert {row["monetary"]: row["m"] for row in rows} == digits
    assert [row["f"] for row in rows] == [row["m"] for row in rows]


def test_ties_of_recency_share_likewise():
    """The 79 of 100 who came yesterday are no more all of the best fifth than those who paid alike."""
    rows = answer(
        "marts.rfm", marts__customer_360=[buyer(f"c{n}", 1 if n < 79 else 90, 1, "1.00") for n in range(100)]
    )
    assert {row["recency_days"]: row["r"] for row in rows} == {1: 4, 90: 1}


def test_whoever_bought_nothing_is_not_ranked():
    """Visitors would push every buyer up."""
    rows = answer(
        "marts.rfm", marts__customer_360=[buyer("a", 1, 1, "1.00"), buyer("b", 1, 0, "0.00", orders=0)]
    )
    assert column(rows, "customer_id") == ["a"]


def test_cells_have_names():
    """The best in all three are champions; whoever bought often and long ago is at risk; one recent day is new."""
    rows = answer(
        "marts.rfm",
        marts__customer_360=[
            buyer("best", 0, 9, "900.00"),
            *(buyer(f"m{n}", 10 + n, 2, "20.00") for n in range(7)),
            buyer("often, long ago", 300, 8, "20.00"),
            buyer("once, just now", 1, 1, "5.00"),
            buyer("once, long ago", 400, 1, "5.00"),
        ],
    )
    names = {row["customer_id"]: row["segment"] for row in rows}
    assert names["best"] == "champions"
    assert names["often, long ago"] == "at_risk"
    assert names["once, just now"] == "new"
    assert names["once, long ago"] == "hibernating"
