"""Our HubSpot client: every answer is read row by row, by trace id, and nothing personal is in an error."""

from __future__ import annotations

import logging

import pytest
import stamina

from lakehouse.errors import Transient
from lakehouse.local.hubspot.faults import Fault
from lakehouse.outbound.destinations.hubspot import HubSpot
from lakehouse.outbound.destinations.hubspot_api import Account
from lakehouse.outbound.records import Chunk, Row
from tests.support.cloud import TOKEN


def _rows(*addresses, action="upsert", **properties):
    return [
        Row(n, f"c{n}", address, action, properties or {"tier": "gold"})
        for n, address in enumerate(addresses)
    ]


def _chunk(rows):
    return Chunk("news", "00000001", "abc-0001", "hubspot", "contacts", "email", "marketing", "email", rows)


def _send(destination, rows):
    return destination.send(_chunk(rows), rows)


@pytest.fixture
def account(hubspot):
    return HubSpot(Account(hubspot.url, TOKEN, "lakehouse/hubspot"))


def test_a_refused_batch_is_split(account, hubspot):
    """400 too: every good row of 10 is written, once, in at most 2·log2(10)+1 requests."""
    hubspot.faults.add(Fault(status=400, id="p7@x.org", times=99, code="VALIDATION_ERROR"))
    answers = _send(account, _rows(*(f"p{n}@x.org" for n in range(10))))
    assert [n for n, answer in answers.items() if answer.status == "failed"] == [7]
    assert answers[7].code == "VALIDATION_ERROR"
    state = hubspot.state(every_contact=True)
    assert state["writes_by_email"] == {f"p{n}@x.org": 1 for n in range(10) if n != 7}
    assert state["requests"] <= 9


def test_a_rate_limit_is_waited_out(account, hubspot):
    """429 with Retry-After: asked again after that time, and each row is written once."""
    hubspot.faults.add(Fault(status=429, retry_after=1, times=2))
    with stamina.set_testing(True, attempts=5):
        assert _send(account, _rows("a@x.org"))[0].status == "sent"
    assert hubspot.state()["most_writes"] == 1


def test_nobody_there_is_transient(account, hubspot):
    """A refused connection."""
    hubspot.stop()
    with stamina.set_testing(True, attempts=2), pytest.raises(Transient, match="cannot be reached"):
        _send(account, _rows("a@x.org"))


def test_a_chunk_takes_no_longer_than_its_lease(hubspot):
    """A worker that has used up its time gives the chunk back before another may take it."""
    clock = iter([0.0, 89.0, 91.0])
    slow = HubSpot(Account(hubspot.url, TOKEN, "lakehouse/hubspot"), clock=lambda: next(clock))
    rows = _rows("a@x.org", "b@x.org")
    hubspot.faults.add(Fault(status=409))
    with pytest.raises(Transient, match="too slow"):
        _send(slow, rows)


def test_writes_and_removals_travel_together(account, hubspot):
    """One chunk may hold both; a contact that is not there is not made by a removal."""
    _send(account, _rows("a@x.org", "b@x.org", tier="gold"))
    rows = [
        Row(0, "c0", "A@x.org", "remove", {"tier": ""}),
        Row(1, "c1", "gone@x.org", "remove", {"tier": ""}),
        Row(2, "c2", "new@x.org", "upsert", {"tier": "silver"}),
    ]
    answers = _send(account, rows)
    assert {n: (a.status, a.code) for n, a in answers.items()} == {
        0: ("removed", ""),
        1: ("removed", "GONE"),
        2: ("sent", ""),
    }
    assert hubspot.state(every_contact=True)["writes_by_email"] == {
        "a@x.org": 2,
        "b@x.org": 1,
        "new@x.org": 1,
    }


def test_nothing_personal_is_logged(account, hubspot, caplog):
    """Addresses stay out of every logger, retries and refusals included."""
    caplog.set_level(logging.DEBUG)
    hubspot.faults.add(Fault(status=503))
    hubspot.faults.add(Fault(status=409, id="secret.person@x.org", times=9))
    with stamina.set_testing(True, attempts=5):
        _send(account, _rows("secret.person@x.org", "b@x.org"))
    assert "secret.person" not in caplog.text
