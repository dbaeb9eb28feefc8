"""Credits of visits are those that the rule gives, written down in plain Python; parts always come to the whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.model_cases import answer

BEGIN = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
AS_OF = (
    "2026-03-20"  # orders of the last day of DAYS are to come, visits of the two before may yet lead to one
)
CHANNELS = ("direct", "email", "search", "paid search")
DAYS = [0, 1, 2, 20, 29, 31, 32, 60, 90]
VISITS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", None]), st.sampled_from(DAYS), st.sampled_from(CHANNELS)),
    max_size=9,
)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", None]),
        st.sampled_from(DAYS),
        st.integers(0, 9_999),
        st.sampled_from([0, 1, 333]),
    ),
    max_size=5,
)


def _lake(visits: list[Any], orders: list[Any]) -> dict[str, list[dict[str, Any]]]:
    sessions = [
        {
            "session_id": f"s{number:02d}",
            "customer_id": who,
            "anonymous_id": f"d{who}",
            "started_at": BEGIN + timedelta(days=day),
            "started_on": (BEGIN + timedelta(days=day)).date(),
            "channel": channel,
        }
        for number, (who, day, channel) in enumerate(visits)
    ]
    values = [
        {
            "source": "shop",
            "order_id": f"o{number}",
            "customer_id": who,
            "ordered_at": BEGIN + timedelta(days=day, hours=1),
            "ordered_on": (BEGIN + timedelta(days=day)).date(),
            "is_order": True,
            "gross": Decimal(cents) / 100,
            "discounts": 0,
        }
        for number, (who, day, cents, _) in enumerate(orders)
    ]
    refunds = [
        {
            "source": "shop",
            "kind": "payment",
            "refund_id": "r",
            "order_id": f"o{number}",
            "refunded_on": (BEGIN + timedelta(days=day + 3)).date(),
            "value": Decimal(min(back, cents)) / 100,
        }
        for number, (_, day, cents, back) in enumerate(orders)
    ]
    return {"marts__sessions": sessions, "core__order_values": values, "core__refunds": refunds}


def expected_paths(lake: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the visits that led to each order, by its number, before those without a source are left out."""
    led: dict[str, list[dict[str, Any]]] = {}
    for order in lake["core__order_values"]:
        own = sorted(
            (
                one
                for one in lake["marts__sessions"]
                if one["customer_id"] and one["customer_id"] == order["customer_id"]
            ),
            key=lambda one: (one["started_at"], one["session_id"]),
        )
        others = [
            one["ordered_at"]
            for one in lake["core__order_values"]
            if one["customer_id"] == order["customer_id"]
        ]
        counts = [sum(one["started_at"] <= moment for one in own) for moment in others]
        until = sum(one["started_at"] <= order["ordered_at"] for one in own)
        since = max((count for count in counts if count < until), default=0)
        window = order["ordered_at"] - timedelta(days=30)
        led[order["order_id"]] = [one for one in own[since:until][-20:] if one["started_at"] > window]
    return led


def with_source(path: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the visits that count: those with a source, or all where none has one."""
    return [one for one in path if one["channel"] != "direct"] or path


def removal_effects(
    lake: dict[str, list[dict[str, Any]]], led: dict[str, list[dict[str, Any]]]
) -> dict[str, float]:
    """Return what the chance of an order loses without each channel, by iteration over the chain."""
    today = date.fromisoformat(AS_OF)
    known = {one["order_id"] for one in lake["core__order_values"] if one["ordered_on"] <= today}
    chains = [
        [*(one["channel"] for one in with_source(path)), "order"]
        for order_id, path in led.items()
        if path and order_id in known
    ]
    used = {one["session_id"] for path in led.values() for one in path}
    lost = defaultdict(list)
    for one in sorted(lake["marts__sessions"], key=lambda one: (one["started_at"], one["session_id"])):
        if one["session_id"] not in used and one["started_on"] <= today - timedelta(days=30):
            lost[one["customer_id"] or one["anonymous_id"]].append(one)
    for visits in lost.values():
        runs: list[list[dict[str, Any]]] = []
        for one in visits:
            near = runs and one["started_at"] - runs[-1][-1]["started_at"] <= timedelta(days=30)
            runs[-1].append(one) if near else runs.append([one])
        chains += [[one["channel"] for one in with_source(run)] + ["nothing"] for run in runs]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for chain in chains:
        for origin, target in zip(["begin", *chain], chain, strict=False):
            counts[origin][target] += 1

    def chance(removed: str) -> float:
        reach = {"order": 1.0}
        for _ in range(60):
            reach = {"order": 1.0} | {
                origin: sum(n * reach.get(target, 0) for target, n in targets.items() if target != removed)
                / targets.total()
                for origin, targets in counts.items()
            }
        return reach.get("begin", 0.0)

    whole = chance("")
    return {channel: max(1 - chance(channel) / whole, 0) if whole else 0 for channel in CHANNELS}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(visits=VISITS, orders=ORDERS)
@example(  # the last visit may yet lead to an order: it says nothing of what search leads to
    visits=[
        ("ann", 0, "email"),
        ("ann", 1, "search"),
        ("bob", 0, "email"),
        (None, 0, "search"),
        (None, 60, "search"),
    ],
    orders=[("ann", 1, 1_000, 0), ("bob", 0, 500, 0)],
)
def test_credits_are_as_the_rules_say(visits, orders):
    """First, last, by position and by what would be lost; money adds up to the cent in each entry."""
    lake = _lake(visits, orders)
    led = expected_paths(lake)
    effects = removal_effects(lake, led)
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in answer("core.order_credits", as_of=AS_OF, **lake):
        found[row["order_id"], row["entry"]].append(row)
    for order in lake["core__order_values"]:
        path = with_source(led[order["order_id"]])
        rows = sorted(found.pop((order["order_id"], "sale")), key=lambda row: row["visit"])
        assert [row["channel"] for row in rows] == ([one["channel"] for one in path] or ["none"])
        count = len(rows)
        weights = [effects.get(row["channel"], 0) for row in rows]
        if not sum(weights):
            weights = [1] * count
        places = [1] * count if count <= 2 else [0.4, *[0.2 / (count - 2)] * (count - 2), 0.4]
        assert [row["first_share"] for row in rows] == [1, *[0] * (count - 1)]
        assert [row["last_share"] for row in rows] == [*[0] * (count - 1), 1]
        assert [row["position_share"] for row in rows] == pytest.approx([one / sum(places) for one in places])
        assert [row["data_share"] for row in rows] == pytest.approx(
            [one / sum(weights) for one in weights], abs=1e-6
        )
        _adds_up(rows, order["gross"])
    for (order_id, _), rows in found.items():
        (refund,) = (one for one in lake["core__refunds"] if one["order_id"] == order_id)
        _adds_up(rows, -refund["value"])


def _adds_up(rows: list[dict[str, Any]], amount: Decimal) -> None:
    for rule in ("first", "last", "position", "data"):
        assert sum(row[f"{rule}_value"] for row in rows) == amount
        shares = {row["visit"]: row[f"{rule}_share"] for row in rows}
        for row in rows:
            assert float(row[f"{rule}_value"]) == pytest.approx(
                float(amount) * shares[row["visit"]], abs=0.011
            )


def test_of_a_thousand_visits_the_last_twenty_count():
    """Whoever comes all day costs no more than others."""
    lake = _lake([("ann", 2, "email")] * 1_000, [("ann", 2, 100, 0)])
    rows = answer("core.order_credits", as_of=AS_OF, **lake)
    assert len(rows) == 20
    assert sum(row["data_value"] for row in rows) == 1
