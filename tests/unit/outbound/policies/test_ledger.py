"""One ledger for all syncs: of two writers at once one looks again, and what is damaged forgets nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.errors import Transient
from lakehouse.outbound.policies import caps, ledger
from lakehouse.outbound.policies.caps import Contacted
from lakehouse.outbound.policies.definition import Cap
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
ONE = Cap(most=1, days=7)


@pytest.fixture
def store(monkeypatch):
    return objects_in_memory(monkeypatch)


def reserve(key: str, sync: str = "news", customer: str = "c/1"):
    mine = Contacted(NOW, key, sync)
    return ledger.change(SETTINGS, "email", customer, lambda known: caps.reserve(known, mine, (), ONE))


def test_a_place_is_reserved_once_by_channel_and_customer(store):
    """Whatever a customer's id looks like."""
    assert reserve("a") is None
    assert reserve("a") is None
    assert reserve("b", "other").by == "a"
    assert reserve("b", "other", customer="c/2") is None
    assert ledger.read(SETTINGS, "email", "c/1") == [Contacted(NOW, "a", "news")]
    assert ledger.read(SETTINGS, "sms", "c/1") == []
    assert [key for _, key in sorted(store.bodies)] == [
        "contacts/email/c%2F1/00000001.json", "contacts/email/c%2F2/00000001.json"
    ]  # fmt: skip


def test_of_two_that_reserve_at_once_one_is_refused(store, monkeypatch):
    """Both read the same entries; the second write is refused, and looks again."""
    real, raced = ledger.objects.put_once, []

    def put_once(bucket, key, body, content_type=""):
        if not raced:
            raced.append(key)
            assert reserve("b", "other") is None
        return real(bucket, key, body, content_type)

    monkeypatch.setattr(ledger.objects, "put_once", put_once)
    assert reserve("a").by == "b"


def test_who_never_gets_to_write_tries_again_later(store, monkeypatch):
    """The chunk comes back: nobody is written to without a place."""
    monkeypatch.setattr(ledger.objects, "put_once", lambda *_: b"another's")
    with pytest.raises(Transient):
        reserve("a")


@pytest.mark.parametrize("body", [b"", b"{}", b'[["2026-03-01T12:00:00", "a", "news", true]]', b"[[1]]"])
def test_of_a_damaged_entry_the_one_before_counts(store, body):
    """And the next one is written after it."""
    assert reserve("a") is None
    store.bodies["ops", "contacts/email/c%2F1/00000002.json"] = body
    assert reserve("b", "other").by == "a"
    ledger.change(SETTINGS, "email", "c/1", lambda known: (caps.settle(known, "a"), None))
    assert ("ops", "contacts/email/c%2F1/00000003.json") in store.bodies
