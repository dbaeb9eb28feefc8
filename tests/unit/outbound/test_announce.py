"""A chunk is announced for when nobody may be sending it any more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import signals
from lakehouse.errors import Transient
from lakehouse.outbound.announce import delay_seconds, hint_books
from lakehouse.outbound.log import Claim
from lakehouse.settings import Settings
from lakehouse.steady_clock import UNKNOWN

LEASE = timedelta(seconds=150)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expires_in", "delay"), [(None, 0), (-5, 0), (0, 0), (0.2, 1), (149.5, 150), (900, 900), (5000, 900)]
)
def test_the_message_comes_when_the_claim_ends(expires_in, delay):
    """At once without a claim; never later than a queue can hold a message back."""
    claim = None
    if expires_in is not None:
        claim = Claim("t", 1, NOW.isoformat(), (NOW + timedelta(seconds=expires_in)).isoformat())
    assert delay_seconds(claim, NOW, UNKNOWN) == delay


def test_a_claim_from_the_future_is_not_waited_for():
    """It is dead: the clock was set back since it was made."""
    later = NOW + timedelta(hours=1)
    assert delay_seconds(Claim("t", 1, later.isoformat(), (later + LEASE).isoformat()), NOW, UNKNOWN) == 0


def test_books_hear_of_each_batch_and_a_lost_hint_is_no_error(monkeypatch):
    """A FIFO queue drops a body that it has seen: no two are alike. Without a queue nothing is sent."""
    sent = []
    monkeypatch.setattr(signals, "send", lambda url, bodies, group: sent.append((url, *bodies, group)))
    settings = Settings(books_queue_url="https://queue/books.fifo")
    hint_books(settings)
    hint_books(settings)
    hint_books(Settings())
    (url, first, group), (_, second, _) = sent
    assert (url, group) == ("https://queue/books.fifo", "books")
    assert first != second
    event = {"Records": [{"body": json.dumps(body)} for body in (first, second)]}
    assert signals.committed_tables(event) == {"ops.deliveries"}

    def refuse(*_, **__):
        raise Transient("full")

    monkeypatch.setattr(signals, "send", refuse)
    hint_books(settings)
