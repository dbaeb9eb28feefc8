"""The clickstream tells the real purchases, and resends and broken lines are as the truth says."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest


def test_web_messages_and_resends_are_counted_right(sample: Any) -> None:
    """A message sent again differs in its sending alone and comes within seven days."""
    counts = sample.truth["counts"]["web"]
    first_sent: dict[str, tuple[str, dict[str, Any]]] = {}
    kinds: Counter[str] = Counter()
    resent = elsewhere = 0
    for name, event in sample.events():
        if (first := first_sent.get(event["messageId"])) is None:
            first_sent[event["messageId"]] = (name, event)
            kinds[event.get("event") or event["type"]] += 1
            continue
        resent, elsewhere = resent + 1, elsewhere + (first[0] != name)
        arrivals = [dt.datetime.fromisoformat(e["receivedAt"]) for e in (event, first[1])]
        assert abs(arrivals[0] - arrivals[1]) < dt.timedelta(days=7)
        sending = {"sentAt", "receivedAt"}
        assert {k: v for k, v in event.items() if k not in sending} == {
            k: v for k, v in first[1].items() if k not in sending
        }
    assert counts == {
        "messages": len(first_sent),
        "resent": resent,
        "resent_in_next_file": elsewhere,
        **kinds,
    }
    assert resent / len(first_sent) == pytest.approx(0.01, abs=0.004)
    assert elsewhere


def test_web_events_are_about_the_real_purchases(sample: Any) -> None:
    """One `Order Completed` a purchase, on its day, by its customer, with its amount; all devices sign in."""
    orders = {row["order_id"]: row for row in sample.good("shop/orders")}
    order_ids, devices, signed_in = set(), set(), defaultdict(set)
    for _, event in sample.events():
        devices.add(event["anonymousId"])
        if event["userId"]:
            signed_in[event["anonymousId"]].add(event["userId"])
        assert event["context"]["library"]["name"] == "crm-lakehouse-sample"
        if event.get("event") == "Order Completed":
            properties, order = event["properties"], orders[event["properties"]["order_id"]]
            order_ids.add(order["order_id"])
            assert Decimal(str(properties["revenue"])) == Decimal(order["amount"])
            assert (event["timestamp"][:10], event["userId"]) == (order["ordered_at"], order["customer_id"])
    assert order_ids == set(orders)
    assert devices == set(signed_in)
    assert all(len(users) == 1 for users in signed_in.values())


def test_web_bad_lines_break_as_the_truth_says(sample: Any) -> None:
    """Nine lines cannot load, for the reason the truth gives; their message ids are no good message's."""
    good = {event["messageId"] for _, event in sample.events()}
    codes: Counter[str] = Counter()
    for file in sample.files_of("web/events"):
        lines = sample.lines_of(file.path)
        for number, line in enumerate(lines, start=1):
            if code := sample.bad.get((file.path.name, number)):
                codes[code] += 1
                assert is_bad(line, code, good)
    assert codes == {"invalid_json": 3, "no_user_anon_id": 2, "event_not_string": 2, "bad_timestamp": 2}


def is_bad(line: str, code: str, good: set[str]) -> bool:
    if code == "invalid_json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(line)
        return True
    event = json.loads(line)
    assert event["messageId"] not in good
    return {
        "no_user_anon_id": "userId" not in event and "anonymousId" not in event,
        "event_not_string": event["type"] == "track" and not isinstance(event.get("event"), str),
        "bad_timestamp": not event["timestamp"].startswith("199"),
    }[code]
