"""What the shop's page shows of a visitor, as the tables have it."""

from __future__ import annotations

from lakehouse.local.shop import known
from lakehouse.local.shop.known import known_of


def test_of_a_device_that_was_never_seen_nothing_is_known(lake):
    """Before the first event no table is there, and the page asks all the same."""
    for device in ("a-1", "", "'; drop table x; --"):
        assert known_of(lake, device) == {"events": [], "customer": None, "timeline": []}


def test_a_customer_without_a_golden_record_has_no_timeline_yet(lake, monkeypatch):
    """All tables that the timeline asks are in place, also those that nobody has made."""
    monkeypatch.setattr(known, "_CUSTOMER", "SELECT 'c_1' WHERE $device <> ''")
    assert known_of(lake, "a-1") == {"events": [], "customer": "c_1", "timeline": []}
