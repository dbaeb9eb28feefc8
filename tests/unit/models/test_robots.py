"""What robots send is in no mart of behaviour and is no reason of a trigger: the same rows with it and without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.models import lineage, registry
from lakehouse.models.triggers import definition
from tests.support.model_cases import answer
from tests.unit.models import test_trigger_rules
from tests.unit.models.test_trigger_rules import CART, DAY, HOUR, NOON, track

ask = test_trigger_rules.ask

# What says of each event, or of each text, that a robot sent it
TELLING = {"core.user_agents", "core.fct_events"}
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) Mobile/15E148 Safari/604.1"
AT = datetime(2026, 2, 20, 10, tzinfo=UTC)
TIES = [
    {"identifier_type": "user_id", "identifier_value": "u", "customer_id": "ann"},
    {"identifier_type": "anonymous_id", "identifier_value": "d", "customer_id": "ann"},
]
EVENTS = [
    {"message_id": f"{name}-{number}", "type": kind, "event": event, "user_id": "u", "anonymous_id": "d",
     "timestamp": AT + timedelta(days=number), "user_agent": agent}
    for name, kind, event in (("page", "page", None), ("cart", "track", "Product Added"),
                              ("click", "track", "Email Link Clicked"), ("buy", "track", "Order Completed"))
    for number, agent in enumerate((PERSON, None, PERSON))
]  # fmt: skip
ROBOTS = [
    each | {"message_id": f"robot-{number}", "user_agent": ROBOT, "timestamp": each["timestamp"] + shift}
    for number, each in enumerate(EVENTS)
    for shift in (timedelta(hours=3), timedelta(days=5))
]


def _made_of_events() -> list[str]:
    models = registry.load()
    return sorted(
        name
        for name in models.by_table
        if any("raw.events" in inputs for inputs in lineage.upstream(models, name).values())
    )


@pytest.mark.parametrize("table", _made_of_events())
def test_robots_change_no_row(table):
    """Those that tell of them do; all others have the same rows."""
    reads = {name for inputs in lineage.upstream(registry.load(), table).values() for name in inputs}
    known = {"core.identities": TIES, "core.customers": [{"customer_id": "ann", "contacts": 1}]}
    given = {name.replace(".", "__"): rows for name, rows in known.items() if name in reads}
    people = answer(table, raw__events=EVENTS, **given)
    everybody = answer(table, raw__events=[*EVENTS, *ROBOTS], **given)
    assert (people == everybody) is (table not in TELLING)


def test_a_picture_that_was_fetched_counts_as_opened():
    """Mailboxes fetch pictures by programs when somebody opens a message; links they follow by themselves."""
    proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    sent = [
        {"message_id": event, "type": "track", "event": event, "user_id": "u", "timestamp": AT, "user_agent": proxy}
        for event in ("Email Opened", "Email Link Clicked", "Push Notification Tapped")
    ]  # fmt: skip
    rows = answer("core.responses", raw__events=sent, core__identities=TIES)
    assert [row["response_id"] for row in rows] == ["Email Opened"]


@pytest.mark.parametrize(
    ("rule", "events", "others"),
    [
        ("abandoned_cart", [CART], {}),
        ("silent_app", [{"type": "screen", "user_id": "u", "message_id": "m", "timestamp": NOON - 14 * DAY}], {}),
        ("hot_lead", [{"type": "page", "user_id": "u", "message_id": f"m{n}", "timestamp": NOON - n * HOUR}
                      for n in range(5)],
         {"core__leads": [{"source": "crm", "lead_id": "L", "customer_id": "ann", "valid_from": NOON}]}),
        ("price_drop", [track("Product Viewed", NOON - 3 * DAY, properties='{"product_id": "P"}')],
         {"core__prices": [
             {"source": "s", "product_id": "P", "currency": "USD", "price": price, "priced_from": NOON - days * DAY}
             for price, days in ((9, 30), (7, 1))
         ]}),
    ],
)  # fmt: skip
def test_a_robot_is_no_reason(ask, rule, events, others):
    """The same events are one where a person sent them."""
    robots = [each | {"user_agent": ROBOT} for each in events]
    people = [each | {"user_agent": PERSON} for each in events]
    assert ask(rule, raw__events=robots, **others) == {}
    assert set(ask(rule, raw__events=people, **others)) == {"ann"}


def test_every_rule_that_reads_events_is_asked():
    """A new one needs its line above."""
    rules = {name for name, model in definition.load().models.items() if "raw.events" in model.inputs}
    assert rules == {"abandoned_cart", "silent_app", "hot_lead", "price_drop"}
