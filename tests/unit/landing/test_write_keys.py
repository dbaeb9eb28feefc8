"""A write key lets in its own source, and no other."""

from __future__ import annotations

import pytest

from lakehouse.landing import write_keys
from lakehouse.landing.write_keys import RateLimits, Sender, find_sender
from lakehouse.settings import Settings


@pytest.fixture
def keys(monkeypatch):
    """Put a value in the secret's place; returns how old it may be."""
    asked = []

    def put(value):
        def secret(_name, *, max_age_seconds):
            asked.append(max_age_seconds)
            return value

        monkeypatch.setattr(write_keys, "secret", secret)
        return asked

    return put


def test_each_active_key_is_its_sources(keys):
    """Two at once while one takes the other's place; asked for again within a minute."""
    asked = keys({"web": ["old", "new"], "app": {"keys": ["k"], "origins": ["https://a.example"]}})
    assert find_sender(Settings(), "old") == find_sender(Settings(), "new") == Sender("web")
    assert find_sender(Settings(), "k") == Sender("app", frozenset({"https://a.example"}))
    for wrong in ("", "ol", "older", "OLD", "\ud83d", "é"):
        assert find_sender(Settings(), wrong) is None
    assert max(asked) < 60


@pytest.mark.parametrize(
    "wrong",
    [
        "key", {"keys": "key"}, {"keys": ["key"], "origins": "https://a.example"}, ["key", 1], None,
        {"keys": ["key"], "requests_per_second": 0}, {"keys": ["key"], "requests_per_second": "9"},
    ],
)  # fmt: skip
def test_what_is_written_wrongly_lets_nobody_in_and_costs_no_other(keys, wrong):
    """A source too many is nobody's outage."""
    keys({"app": wrong, "Web/": ["key"], "web": ["good"]})
    assert find_sender(Settings(), "key") is None
    assert find_sender(Settings(), "good") == Sender("web")


def test_pages_of_other_origins_may_not_send():
    """A sender that is no browser has no origin."""
    sender = Sender("web", frozenset({"https://shop.example"}))
    assert sender.may_send_from("https://shop.example")
    assert sender.may_send_from(None)
    assert not sender.may_send_from("https://shop.example.evil")
    assert not sender.may_send_from("null")
    assert Sender("web").may_send_from("https://anybody.example")


def test_a_rate_is_kept_by_source():
    """A second's worth at once, then one at a time; who sends too often hears when to come again."""
    now = [100.0]
    limits = RateLimits(lambda: now[0])
    web, app = Sender("web", requests_per_second=2), Sender("app", requests_per_second=2)
    assert [limits.wait_seconds(web) for _ in range(3)] == [0, 0, 0.5]
    assert limits.wait_seconds(app) == 0
    now[0] += 0.5
    assert [limits.wait_seconds(web) for _ in range(2)] == [0, 0.5]
    now[0] += 3600
    assert [limits.wait_seconds(web) for _ in range(3)] == [0, 0, 0.5]
    slow = Sender("slow", requests_per_second=0.1)
    assert [limits.wait_seconds(slow) for _ in range(2)] == [0, 10]
    assert limits.wait_seconds(Sender("free")) == 0
