"""One ledger for all syncs: of two writers at once one looks again, and what is damaged forgets nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.errors import Transient
from lakehouse.outbound.policies import caps, ledger
from lakehouse.outbound.policies.caps import Contacted
from lakehouse.outbound.policies.definition import Cap
from lakehouse.retrying import RetryPolicy
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
ONE = Cap(most=1, days=7)
OF_C1 = f"contacts/email/!{ledger.shard_of('c/1'):02x}/"


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(ledger, "CHANGE_LEDGER", RetryPolicy(attempts=3))
    return objects_in_memory(monkeypatch)


def a_reservation(key: str, sync: str = "news", at: datetime = NOW):
    mine = Contacted(at, key, sync)
    return lambda known: caps.reserve(known, mine, (), ONE)


def reserve(key: str, sync: str = "news", customer: str = "c/1", now: datetime = NOW):
    return ledger.change(SETTINGS, "email", [(customer, a_reservation(key, sync, now))], now)[0]


def withdraw(key: str, customer: str = "c/1"):
    ledger.change(SETTINGS, "email", [(customer, lambda known: (caps.withdraw(known, key), None))])


def read(customer: str = "c/1", channel: str = "email"):
    return ledger.read(SETTINGS, channel, [customer])[customer]


def old_version(store, customer: str, *entries: Contacted, number: int = 1, channel: str = "email"):
    key = f"contacts/{channel}/{customer}/{number:08d}.json"
    store.bodies["ops", key] = json.dumps([entry.to_json() for entry in entries]).encode()


def test_a_place_is_reserved_once_by_channel_and_customer(store):
    """Whatever a customer's id looks like."""
    assert reserve("a") is None
    assert reserve("a") is None
    assert reserve("b", "other").by == "a"
    assert reserve("b", "other", customer="c/2") is None
    assert read() == [Contacted(NOW, "a", "news")]
    assert read(channel="sms") == []
    assert {key for _, key in store.bodies} == {
        f"{OF_C1}00000001.json", f"contacts/email/!{ledger.shard_of('c/2'):02x}/00000001.json"
    }  # fmt: skip


def test_a_thousand_people_cost_a_write_a_shard(store):
    """Answers have the order of the decisions; who comes twice in one call has one place."""
    names = [f"c{number}" for number in range(1000)]
    decisions = [(name, a_reservation(f"k-{name}")) for name in names]
    answers = ledger.change(SETTINGS, "email", [*decisions, ("c7", a_reservation("again", "other"))], NOW)
    assert answers[:-1] == [None] * 1000
    assert answers[-1].by == "k-c7"
    assert len(store.bodies) <= ledger.SHARDS
    found = ledger.read(SETTINGS, "email", names)
    assert [entry.key for name in names for entry in found[name]] == [f"k-{name}" for name in names]


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


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"people": {"c/1": [["2026-03-01T12:00:00", "a", "news", true]]}}',
     b'{"people": {"c/1": [[1]]}}', b'{"people": {"c/1": {}}}', b'{"people": []}'],
)  # fmt: skip
def test_of_a_damaged_entry_the_one_before_counts(store, body):
    """And the next one is written after it."""
    assert reserve("a") is None
    store.bodies["ops", f"{OF_C1}00000002.json"] = body
    assert reserve("b", "other").by == "a"
    ledger.change(SETTINGS, "email", [("c/1", lambda known: (caps.settle(known, "a"), None))])
    assert ("ops", f"{OF_C1}00000003.json") in store.bodies
    assert read() == [Contacted(NOW, "a", "news", settled=True)]


def test_what_is_too_old_for_any_cap_leaves_the_shard(store):
    """Also of people whom nobody writes to any more; a shard stays small."""
    neighbour = next(f"n{n}" for n in range(9999) if ledger.shard_of(f"n{n}") == ledger.shard_of("c/1"))
    reserve("a", customer=neighbour)
    reserve("b", now=NOW + timedelta(days=29))
    newest = json.loads(store.bodies["ops", f"{OF_C1}00000002.json"])
    assert list(newest["people"]) == ["c/1"]


def test_entries_of_the_old_form_count(store):
    """A customer's own versions, the newest that can be read; they go into the shard with its first change."""
    old_version(store, "c%2F1", Contacted(NOW, "old", "news", settled=True))
    old_version(store, "c%2F1", number=2)
    store.bodies["ops", "contacts/email/c%2F1/00000002.json"] = b""
    assert [entry.key for entry in read()] == ["old"]
    assert reserve("b", "other").by == "old"
    assert reserve("c", now=NOW + timedelta(days=8)) is None
    assert [entry.key for entry in read()] == ["old", "c"]
    assert read(channel="sms") == []


def test_an_old_reservation_that_is_given_back_stays_so(store):
    """The old version still stands, and counts no more once the shard knows the customer."""
    old_version(store, "c%2F1", Contacted(NOW, "old", "news"))
    withdraw("old")
    assert read() == []
    assert reserve("b", "other") is None
    withdraw("b")
    assert reserve("c", "other") is None
