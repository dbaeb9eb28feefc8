"""What two groups say of a campaign: the published example, limits, and the same as the mart that says it in SQL."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.segments.uplift import Group, order_lift, share_difference, verdict, visible_from
from tests.support import model_cases

COMPARED = ("uplift", "uplift_low", "uplift_high", "order_lift", "order_lift_low", "order_lift_high")
COUNTS = st.lists(st.integers(0, 4), min_size=1, max_size=12)


def group(orders: list[int]) -> Group:
    """Make the group of customers who made so many orders each, of 1 each."""
    return Group(
        len(orders),
        sum(map(bool, orders)),
        sum(orders),
        sum(each * each for each in orders),
        Decimal(sum(orders)),
    )


def test_the_interval_is_the_published_one():
    """Newcombe (1998), table II, (a): 56 of 70 against 48 of 80, method 10."""
    found = share_difference(Group(70, 56), Group(80, 48))
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
    assert verdict(found, has_control=True) == "works"
    other_way = share_difference(Group(80, 48), Group(70, 56))
    assert verdict(other_way, has_control=True) == "harms"
    none = share_difference(Group(10, 0), Group(20, 0))
    assert (none.value, round(none.low, 4), round(none.high, 4)) == (0.0, -0.1611, 0.2775)
    assert verdict(none, has_control=True) == "not seen"


def test_of_an_empty_group_nothing_is_said():
    """Nobody to compare with is something else than too early."""
    assert share_difference(Group(), Group(5, 1)) is None
    assert share_difference(Group(5, 1), Group()) is None
    assert order_lift(Group(5, 1, 1, 1), Group(5)) is None
    assert order_lift(Group(5), Group(5, 1, 1, 1)) is None
    assert visible_from(0.1, 0, 5) is None
    assert visible_from(0.1, 5, 0) is None
    assert verdict(None, has_control=False) == "no control group"
    assert verdict(None, has_control=True) == "too early"


def test_what_shows_is_what_is_seen_in_four_cases_of_five():
    """A tenth buy, 9,000 against 1,000: 2.8 points; ten times as many customers show less than a third of that."""
    assert visible_from(0.1, 9_000, 1_000) == pytest.approx(0.02801, abs=1e-4)
    assert visible_from(0.1, 90_000, 10_000) == pytest.approx(0.02801 / 10**0.5, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(COUNTS, COUNTS)
def test_the_mart_says_the_same(treated, control):
    """One company's orders, asked as the groups of a segment and as those of a CRM's campaign."""
    members, bought = [], []
    for is_control, counts in ((False, treated), (True, control)):
        for number, orders in enumerate(counts):
            person = f"{is_control} {number}"
            members.append({"source": "crm", "campaign_id": "1", "member_id": person, "customer_id": person,
                            "is_control": is_control, "joined_at": "2026-02-01 09:00:00+00"})  # fmt: skip
            bought += [
                {"source": "shop", "order_id": f"{person} {order}", "customer_id": person, "is_order": True,
                 "ordered_on": "2026-02-03", "value": 1}
                for order in range(orders)
            ]  # fmt: skip
    [row] = model_cases.answer(
        "marts.campaign_effect", core__campaign_members=members, core__order_values=bought
    )
    difference, lift = (
        share_difference(group(treated), group(control)),
        order_lift(group(treated), group(control)),
    )
    ours = [
        getattr(interval, field) if interval else None
        for interval in (difference, lift)
        for field in ("value", "low", "high")
    ]
    assert [row[name] for name in COMPARED] == [
        each if each is None else pytest.approx(each, abs=1e-9) for each in ours
    ]
    share = (row["treated_buyers"] + row["control_buyers"]) / (len(treated) + len(control))
    assert row["visible_from"] == pytest.approx(visible_from(share, len(treated), len(control)), abs=1e-9)
