"""`lakehouse demo --shop` in a real browser: who browses, signs in and buys is one customer with one history."""

from __future__ import annotations

import json
import subprocess

import pytest

from lakehouse.local.attachment import attach
from tests.support import browser_sdk, node_clients
from tests.support.running_stack import run, started, until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(node_clients.chromium() is None, reason="needs Node, npm and Chromium: make browser"),
]
EMAIL = "Ada.Lovelace@example.com"
PATIENCE = 180  # seconds
EVENTS = {
    "Home": 2,
    "Product": 2,
    "Product Viewed": 2,
    "Product Added": 2,
    "Basket": 2,
    "Account": 2,  # before and after signing in
    None: 1,  # identify
    "Signed In": 1,
    "Order Completed": 1,
}
DEEDS = sum(EVENTS.values()) - EVENTS[None]  # to identify is no deed: sessions do not count it


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data folder of an open shop."""
    data = tmp_path_factory.mktemp("shop") / "lake"
    data.mkdir()
    browser_sdk.install()
    with started(data / "shop", "shop", "demo", "--shop", "--data", str(data)):
        yield data / "shop"


@pytest.fixture(scope="module")
def visit(data):
    """What a visitor saw who browsed, signed in, and bought."""
    shop = attach(data).endpoints["shop"]
    said = {"chromium": node_clients.chromium(), "shop": shop, "email": EMAIL, "patience": PATIENCE * 1000}
    done = subprocess.run(
        ["node", str(node_clients.CLIENTS / "shopper.cjs"), json.dumps(said)],
        env=node_clients.environment(data.parent),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def asked(data, query):
    return json.loads(run("sql", "--json", "--data", data, query))


def customers(data, visit):
    """Return the customers that the visitor's identifiers belong to."""
    return asked(
        data,
        "select distinct customer_id from core.identities where identifier_value in "
        f"('{visit['anonymousId']}', '{visit['userId']}', '{EMAIL.lower()}')",
    )


def test_a_visitor_is_one_customer_with_the_whole_history(data, visit):
    """Anonymous clicks, the signing in, the purchase by the page and the order by the shop's export: one timeline."""
    [found] = customers(data, visit)
    customer = found["customer_id"]
    order_id = visit["thanks"].split()[3].strip(",")

    def timeline():
        rows = json.loads(run("timeline", customer, "--json", "--data", data))
        entries = {row["kind"]: row for row in rows}
        complete = f"{DEEDS} messages" in entries.get("session", {}).get("what", "")
        return entries if complete and "order" in entries else None

    entries = until(timeline, PATIENCE, pause=2)
    assert (entries["order"]["id"], float(entries["order"]["amount"])) == (order_id, 17.8)
    assert entries["session"]["moment"] < entries["order"]["moment"]
    assert "from /" in entries["session"]["what"]
    assert "campaign spring" in entries["session"]["what"]
    assert [row["customer_id"] for row in customers(data, visit)] == [customer]  # and it still is one


def test_each_click_is_in_the_tables_once(data, visit):
    """With the device from the first one on, and with the user from the signing in on."""
    query = (
        "select coalesce(event, name) as what, count(*) as n, count(distinct message_id) as ids, "
        "count(distinct anonymous_id) as devices, count(user_id) as known from raw.events group by all"
    )

    def all_there():
        rows = asked(data, query)
        return rows if sum(row["n"] for row in rows) >= sum(EVENTS.values()) else None

    rows = until(all_there, PATIENCE, pause=1)
    assert {row["what"]: row["n"] for row in rows} == EVENTS
    assert all(row["n"] == row["ids"] and row["devices"] == 1 for row in rows)
    known = {row["what"]: row["known"] for row in rows}
    assert (known["Home"], known["Product Added"], known["Order Completed"]) == (0, 0, 1)


def test_the_page_shows_what_the_tables_know(data, visit):
    """The shop's own page names the customer and the newest events, and reached nobody but this machine."""
    [found] = customers(data, visit)
    assert f"customer {found['customer_id']}" in visit["who"]
    assert visit["events"]
    assert (visit["errors"], visit["hosts"]) == ([], ["127.0.0.1"])
