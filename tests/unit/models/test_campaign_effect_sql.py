"""`marts.campaign_effect`: intervals as published, and figures that fit at every border."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.model_cases import answer

DAY = date(2026, 2, 1)


def effect(treated: list[int], control: list[int]) -> dict[str, Any]:
    """Return the row of a campaign of 14 days, from how often each customer of either group ordered."""
    people = [(f"t{number}", False, orders) for number, orders in enumerate(treated)]
    people += [(f"c{number}", True, orders) for number, orders in enumerate(control)]
    members = [
        {"source": "crm", "member_id": name, "customer_id": name, "campaign_id": "1", "is_control": is_control,
         "joined_at": "2026-02-01 00:00:00+00"}
        for name, is_control, _ in people
    ]  # fmt: skip
    orders = [
        {"source": "shop", "order_id": f"{name}-{each}", "customer_id": name, "ordered_on": DAY, "is_order": True,
         "value": 10}
        for name, _, count in people
        for each in range(count)
    ]  # fmt: skip
    (row,) = answer("marts.campaign_effect", core__campaign_members=members, core__order_values=orders)
    return row


@pytest.mark.parametrize(
    ("treated", "control", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),  # Newcombe (1998), table II, method 10
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_the_published_one(treated, control, low, high):
    """Of shares that are equal to all or nothing, too."""
    groups = [[1] * bought + [0] * (people - bought) for bought, people in (treated, control)]
    found = effect(*groups)
    assert found["uplift"] == pytest.approx(treated[0] / treated[1] - control[0] / control[1])
    assert found["uplift_low"] == pytest.approx(low, abs=1e-4)
    assert found["uplift_high"] == pytest.approx(high, abs=1e-4)
    assert found["verdict"] == "works"
    assert effect(*reversed(groups))["verdict"] == "harms"


counts = st.lists(st.integers(0, 3), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None)
@given(treated=counts, control=counts)
def test_any_groups_have_figures_that_fit(treated, control):
    """Nothing fails at a border: nobody bought, everybody did, all equally often."""
    found = effect(treated, control)
    assert (found["treated"], found["control"]) == (len(treated), len(control))
    assert (found["treated_orders"], found["control_orders"]) == (sum(treated), sum(control))
    assert -1 <= found["uplift_low"] <= found["uplift"] <= found["uplift_high"] <= 1
    assert found["visible_from"] >= 0
    if sum(treated) and sum(control):
        expected = (sum(treated) / len(treated)) / (sum(control) / len(control)) - 1
        assert found["order_lift"] == pytest.approx(expected)
        assert found["order_lift_low"] <= found["order_lift"] + 1e-9
    else:
        assert found["order_lift"] is None
