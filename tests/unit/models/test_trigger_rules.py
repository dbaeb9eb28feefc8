"""The shipped rules: each gives a reason where its doc says that there is one, and else none."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lakehouse.engine import duck, user_agents
from lakehouse.models import registry
from lakehouse.models.given_rows import column_types, fill_table
from lakehouse.models.triggers import definition, standing
from lakehouse.settings import Settings
from lakehouse.sources import definition as sources
from lakehouse.tables import views

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDENTITIES = [{"identifier_type": "user_id", "identifier_value": "u", "customer_id": "ann"}]


@pytest.fixture(scope="module")
def ask():
    """Return what gives the reasons of a rule over rows: (cause, due_at, about) by customer."""
    rules = definition.load()
    types = column_types(registry.load(), sources.load().values())
    with closing(duck.connect(Settings(), iceberg=False, threads=1)) as con:
        user_agents.create_for(con, f"{user_agents.IS_ROBOT}(user_agent)")

        def reasons(name: str, zone: str = "UTC", **given: list[dict[str, Any]]) -> dict[str, list[tuple]]:
            for schema in ("raw", "core", "marts"):
                con.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
            read = {each.replace("__", "."): rows for each, rows in given.items()}
            assert read.keys() <= {*rules.models[name].inputs}
            for table in rules.models[name].inputs:
                rows = IDENTITIES if table == "core.identities" and table not in read else read.get(table, [])
                fill_table(con, table, types[table], rows)
            if "raw.events" in rules.models[name].inputs:
                con.execute(views.EVENTS)
            con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [TODAY])
            con.execute("SET VARIABLE time_zone = ?", [zone])
            standing.begin(con, NOON)
            standing.collect(con, rules.defined[name], "{}")
            found: dict[str, list[tuple]] = {}
            for who, *reason in con.execute(
                "SELECT customer_id, cause, due_at, about FROM reasons ORDER BY ALL"
            ).fetchall():
                found.setdefault(who, []).append(tuple(reason))
            return found

        yield reasons


def track(event: str, at: datetime, number: int = 1, **said: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "user_id": "u",
        "message_id": f"m{number}",
        "timestamp": at,
    } | said


CART = track("Product Added", NOON, 1, properties='{"name": "Mug"}')


@pytest.mark.parametrize(
    ("more", "orders", "due"),
    [
        ([], [], NOON + HOUR),
        ([track("Cart Viewed", NOON + HOUR, 2)], [], NOON + 2 * HOUR),
        ([track("Order Completed", NOON + HOUR, 2)], [], None),
        ([track("Order Completed", NOON - HOUR, 2)], [], NOON + HOUR),
        ([track("purchase", NOON, 2)], [], None),
        ([track("Product Removed", NOON + HOUR, 2)], [], None),
        ([track("Product Added", NOON - DAY, 2), track("Product Removed", NOON, 3)], [], NOON + HOUR),
        ([], [{"ordered_at": NOON + HOUR}], None),
        ([], [{"ordered_at": NOON + HOUR, "is_cancelled": True}], NOON + HOUR),
        ([], [{"ordered_at": NOON + HOUR, "counts_as": "return"}], NOON + HOUR),
        ([], [{"ordered_at": NOON + HOUR, "counts_as": "pending"}], None),
        ([], [{"ordered_at": NOON - HOUR}], NOON + HOUR),
        pytest.param([], [{"ordered_at": datetime(2026, 3, 10, tzinfo=UTC)}], None, id="a shop that says days alone"),
        pytest.param([], [{"ordered_at": datetime(2026, 3, 9, tzinfo=UTC)}], NOON + HOUR, id="of the day before"),
        pytest.param([track("Product Added", NOON + 9999 * DAY, 2)], [], NOON + HOUR, id="a clock of 2053"),
    ],
)  # fmt: skip
def test_abandoned_cart(ask, more, orders, due):
    """An order in between cancels, by event or by the shop's own system; what was emptied is no cart."""
    rows = [{"source": "s", "order_id": "O", "customer_id": "ann"} | each for each in orders]
    found = ask("abandoned_cart", raw__events=[CART, *more], core__orders=rows)
    assert found == ({} if due is None else {"ann": [("2026-03-10", due, "Mug")]})


def test_a_cart_is_of_the_day_of_the_business(ask):
    """And looking at an empty cart, or only removing, is no cart."""
    late = track("Product Added", datetime(2026, 3, 9, 23, tzinfo=UTC))
    [(cause, _, _)] = ask("abandoned_cart", zone="Asia/Shanghai", raw__events=[late])["ann"]
    assert cause == "2026-03-10"
    assert ask("abandoned_cart", raw__events=[track("Cart Viewed", NOON)]) == {}
    assert ask("abandoned_cart", raw__events=[track("Product Added", NOON, user_id="nobody")]) == {}


@pytest.mark.parametrize(
    ("message", "resets"),
    [
        ({"type": "screen", "name": "Home"}, True),
        ({"type": "track", "event": "Application Opened"}, True),
        ({"type": "track", "event": "Search", "context": '{"app": {"name": "Shop"}}'}, True),
        ({"type": "page", "name": "Home"}, False),
        ({"type": "identify", "context": '{"app": {"name": "Shop"}}'}, False),
        ({"type": "track", "event": "Email Opened", "context": '{"app": {"name": "Mail"}}'}, False),
    ],
)
def test_silent_app(ask, message, resets):
    """Any opening resets, on any device; the site does not, nor does what servers send."""
    opened = {"type": "screen", "user_id": "u", "message_id": "m1", "timestamp": NOON - 14 * DAY}
    later = message | {"anonymous_id": "d", "message_id": "m2", "timestamp": NOON - DAY}
    ties = [*IDENTITIES, {"identifier_type": "anonymous_id", "identifier_value": "d", "customer_id": "ann"}]
    [(_, due, _)] = ask("silent_app", raw__events=[opened, later], core__identities=ties)["ann"]
    assert due == (NOON + 13 * DAY if resets else NOON)


def test_first_purchase(ask):
    """By the day of the first order of which something is left; who has none has no reason."""
    row = {
        "source": "s",
        "order_id": "O1",
        "customer_id": "ann",
        "ordered_on": TODAY,
        "ordered_at": NOON,
        "is_order": True,
    }
    older = row | {"order_id": "O0", "ordered_on": TODAY - DAY, "ordered_at": NOON - DAY}
    assert ask("first_purchase", core__order_values=[row]) == {"ann": [("2026-03-10", NOON, None)]}
    assert ask("first_purchase", core__order_values=[row, older])["ann"][0][0] == "2026-03-09"
    taken_back = older | {"taken_back_on": TODAY}
    assert ask("first_purchase", core__order_values=[row, taken_back])["ann"][0][0] == "2026-03-10"
    assert ask("first_purchase", core__order_values=[row | {"is_order": False}]) == {}


def test_win_back_and_product_due(ask):
    """By the last purchase, so that a rhythm that is reckoned anew makes no second reason."""
    row = {
        "customer_id": "ann",
        "stage": "asleep",
        "since": TODAY,
        "last_order_on": TODAY - 90 * DAY,
        "purchase_days": 4,
    }
    assert ask("win_back", zone="Asia/Shanghai", marts__lifecycle=[row]) == {
        "ann": [("2025-12-10", datetime(2026, 3, 9, 16, tzinfo=UTC), None)]
    }
    assert ask("win_back", marts__lifecycle=[row | {"stage": "gone"}]) == {}
    cycle = {"customer_id": "ann", "kind": "product", "product_source": "s", "item": "p", "name": "Tea",
             "last_on": TODAY - 30 * DAY, "due_on": TODAY, "regular": 0.8}  # fmt: skip
    assert ask("product_due", marts__buying_cycle=[cycle])["ann"] == [
        ("s:p:2026-02-08", datetime(2026, 3, 10, tzinfo=UTC), "Tea")
    ]
    assert ask("product_due", marts__buying_cycle=[cycle | {"regular": 0.2}]) == {}


def test_renewal_and_follow_up_missed(ask):
    """A newer version with a later day is renewed; who called, wrote or met since kept the promise."""
    row = {"source": "m", "membership_id": "M1", "customer_id": "ann", "program": "club", "expires_at": NOON}
    assert ask("renewal_missed", core__memberships=[row]) == {"ann": [("m:M1:2026-03-10", NOON, "club")]}
    old = row | {"valid_to": NOON - DAY, "valid_from": NOON - 9 * DAY}
    renewed = row | {"valid_from": NOON - DAY, "expires_at": NOON + 365 * DAY}
    [(_, due, _)] = ask("renewal_missed", core__memberships=[old, renewed])["ann"]
    assert due == NOON + 365 * DAY
    call = {"source": "crm", "activity_id": "A1", "customer_id": "ann", "kind": "call", "user_id": "eva",
            "occurred_at": NOON - 9 * DAY, "next_at": NOON - DAY}  # fmt: skip
    midnight = datetime(2026, 3, 10, tzinfo=UTC)
    assert ask("follow_up_missed", core__activities=[call])["ann"] == [("crm:A1", midnight, "call by eva")]
    cases = [("email", -2, True), ("note", -2, False), ("call", -10, False), ("meeting", 5, False)]
    for kind, days, kept in cases:
        at = NOON + days * DAY
        later = {"source": "crm", "activity_id": "A2", "customer_id": "ann", "kind": kind, "occurred_at": at}
        assert (ask("follow_up_missed", core__activities=[call, later]) == {}) is kept, kind


def test_hot_lead(ask):
    """Five looks within three days, by who is a lead and not converted; a lead is one reason, however hot."""
    lead = {"source": "crm", "lead_id": "L1", "customer_id": "ann", "channel": "fair", "valid_from": NOON}
    looks = [
        {"type": "page", "user_id": "u", "message_id": f"m{n}", "timestamp": NOON - 2 * DAY + n * HOUR}
        for n in range(5)
    ]
    assert ask("hot_lead", core__leads=[lead], raw__events=looks)["ann"] == [
        ("crm:L1", NOON - 2 * DAY + 4 * HOUR, "fair")
    ]
    assert ask("hot_lead", core__leads=[lead], raw__events=looks[:4]) == {}
    spread = [each | {"timestamp": NOON - n * DAY} for n, each in enumerate(looks)]
    assert ask("hot_lead", core__leads=[lead], raw__events=spread) == {}
    assert ask("hot_lead", core__leads=[lead | {"converted_at": NOON}], raw__events=looks) == {}


@pytest.mark.parametrize(
    ("born", "year", "due"),
    [
        (date(1990, 3, 10), "2026", datetime(2026, 3, 10, 8, tzinfo=UTC)),
        (date(1992, 2, 29), "2026", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        (date(1992, 12, 31), "2026", datetime(2026, 12, 31, 8, tzinfo=UTC)),
    ],
)
def test_birthday(ask, born, year, due):
    """Once a year, on 28 February for who was born on the 29th, by the newest day that a contact names."""
    row = {"source": "crm", "contact_id": "C1", "customer_id": "ann", "birth_date": born, "valid_from": NOON}
    older = row | {"contact_id": "C0", "birth_date": date(1950, 7, 1), "valid_from": NOON - DAY}
    assert (year, due, None) in ask("birthday", core__contacts=[older, row])["ann"]
    assert {cause for cause, _, _ in ask("birthday", core__contacts=[row])["ann"]} == {"2026"}
    assert ask("birthday", core__contacts=[row | {"birth_date": date(2026, 3, 10)}]) == {}


def test_price_drop(ask):
    """Viewed before, cheaper now, not bought since; a price that rose, or was of another currency, is none."""
    view = track("Product Viewed", NOON - 5 * DAY, properties='{"product_id": "p"}')
    before = {
        "source": "shop",
        "price_id": "1",
        "product_id": "p",
        "price": 10,
        "currency": "USD",
        "priced_from": NOON - 99 * DAY,
    }
    after = before | {"price_id": "2", "price": 8, "priced_from": NOON - DAY}
    product = {"source": "shop", "product_id": "p", "name": "Mug", "valid_from": NOON - 99 * DAY}
    given = {"raw__events": [view], "core__products": [product]}
    reason = ("shop:p:2026-03-09", NOON - DAY, "Mug")
    assert ask("price_drop", core__prices=[before, after], **given) == {"ann": [reason]}
    for other in ({"price": 12}, {"currency": "EUR"}, {"place_id": "north"}, {"priced_to": NOON - DAY},
                  {"priced_from": NOON - 6 * DAY}):  # fmt: skip
        assert ask("price_drop", core__prices=[before, after | other], **given) == {}, other
    bought = [{"source": "shop", "order_id": "O", "product_id": "p", "product_source": "shop", "customer_id": "ann",
               "ordered_on": TODAY - 2 * DAY}]  # fmt: skip
    assert ask("price_drop", core__prices=[before, after], core__order_products=bought, **given) == {}
    bought[0]["ordered_on"] = TODAY - 9 * DAY
    assert ask("price_drop", core__prices=[before, after], core__order_products=bought, **given) == {
        "ann": [reason]
    }
    listed = [product | {"list_price": 10, "currency": "USD", "valid_to": NOON - DAY},
              product | {"list_price": 8, "currency": "USD", "valid_from": NOON - DAY}]  # fmt: skip
    assert ask("price_drop", raw__events=[view], core__products=listed) == {"ann": [reason]}


def test_rain_forecast(ask):
    """Where the customer lives, the morning before; drizzle is none."""
    place = {"source": "places", "place_id": "osl", "kind": "area", "city": "Oslo", "valid_from": NOON}
    rain = {"source": "weather", "place_id": "osl", "day": TODAY + DAY, "precipitation_mm": 7.5}
    given = {
        "core__places": [place],
        "core__customers": [{"customer_id": "ann", "city": "oslo"}, {"customer_id": "bob"}],
    }
    assert ask("rain_forecast", core__weather=[rain], **given) == {
        "ann": [("2026-03-11", datetime(2026, 3, 10, 8, tzinfo=UTC), "7.5 mm")]
    }
    assert ask("rain_forecast", core__weather=[rain | {"precipitation_mm": 1}], **given) == {}
