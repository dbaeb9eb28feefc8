"""The function `trigger`, from raw files: a row a minute after its event was loaded, without waiting for any mart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from functions.resolve.handler import handler as resolve
from functions.trigger.handler import handler as trigger
from lakehouse.tables import catalog as catalogs

NOTHING = {"fired": 0, "cancelled": 0}
ROWS = "SELECT trigger, customer_id IS NOT NULL, cancelled_at IS NULL FROM marts.triggers ORDER BY ALL"


def message(number: str, event: str, at: datetime) -> str:
    said = {
        "type": "track",
        "event": event,
        "messageId": number,
        "userId": "u-1",
        "timestamp": at.isoformat(),
    }
    return json.dumps(said) + "\n"


def test_a_cart_is_told_once_and_taken_back_by_a_late_order(company, event):
    """Whatever is loaded twice; no mart exists, and `aggregate` never ran."""
    now = datetime.now(UTC)
    assert trigger(event("trigger", "schedule"), None) == NOTHING
    cart = message("m1", "Product Added", now - timedelta(hours=2))
    company.load("web/events", "1.ndjson", cart)
    assert trigger(event("trigger", "schedule"), None) == NOTHING  # nobody knows yet whose it is
    resolve(event("resolve", "tick"), None)
    company.announced()
    assert trigger(event("trigger", "schedule"), None) == {"fired": 1, "cancelled": 0}
    assert company.announced() == ["marts.triggers"]
    company.load("web/events", "2.ndjson", cart)
    company.announced()
    assert trigger(event("trigger", "schedule"), None) == NOTHING
    assert company.announced() == []
    assert company.ask(ROWS) == [("abandoned_cart", True, True)]
    company.load("web/events", "3.ndjson", message("m2", "Order Completed", now - timedelta(minutes=90)))
    assert trigger(event("trigger", "schedule"), None) == {"fired": 0, "cancelled": 1}
    assert company.ask(ROWS) == [("abandoned_cart", True, False)]
    assert "marts.customer_360" not in catalogs.table_names(catalogs.open_catalog(company.settings))
