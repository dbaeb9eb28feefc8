"""What a sync that contacts people may send at this moment, and what the ledger knows of it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.errors import Transient
from lakehouse.outbound import log
from lakehouse.outbound.changes import Change, Changes
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.destinations import Answer, NotSent
from lakehouse.outbound.planner import make_plan
from lakehouse.outbound.policies import ledger
from lakehouse.outbound.policies.definition import Cap, Contact
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.privacy import consent
from lakehouse.privacy.consent import Grants
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_deliver import SENT, SETTINGS, Crm, reasons
from tests.unit.outbound.test_planner import compared

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
DAY = [int((NOW - timedelta(hours=4)).timestamp()), int((NOW + timedelta(hours=9)).timestamp())]
NEXT = [DAY[0] + 86_400, DAY[1] + 86_400]
AWAKE = {"windows": [DAY, NEXT], "zone": "UTC", "by_people": []}
ONE = SYNC.model_copy(update={"contact": Contact(cap=Cap(most=1, days=7))})


@pytest.fixture
def store(monkeypatch):
    allowed = {(name, f"{name}@x.org"): f"consent-{name}" for name in ("ann", "bob")}
    monkeypatch.setattr(consent, "grants", lambda *_: Grants(allowed))
    monkeypatch.setattr(consent, "generation", lambda *_: "e/1")
    return objects_in_memory(monkeypatch)


def chunk(number: int = 1, sync: Sync = ONE, removals=(), **facts) -> tuple[str, str, str]:
    """A chunk with a message for each customer named by its facts."""
    changes = Changes(
        selected=len(facts),
        upserts=[
            Change("upsert", name, f"{name}@x.org", {"tier": "vip"}, facts=known)
            for name, known in facts.items()
        ],
        removals=[Change("remove", name, f"{name}@x.org", {"tier": ""}) for name in removals],
    )
    plan = make_plan(sync, compared(changes), f"{number:08d}", NOW, {}, 100)
    log.write_run(SETTINGS, plan.run, plan.chunks)
    return sync.name, plan.run.run, plan.run.chunk_ids()[0]


def entries(name: str = "ann") -> list[tuple[str, bool]]:
    found = ledger.read(SETTINGS, "email", [name])[name]
    return [(entry.key.split("/")[1], entry.settled) for entry in found]


def test_a_person_gets_one_message_of_all_syncs_and_of_people(store):
    """The second is withheld until the first has grown old, and names it; a call counts like a message."""
    called = AWAKE | {"by_people": [[int(NOW.timestamp()) - 3600, "crm:call-7"]]}
    other = ONE.model_copy(update={"name": "other"})
    assert reasons(deliver(SETTINGS, *chunk(ann=AWAKE, bob=called), NOW, Crm())) == {
        "ann": ("sent", ""),
        "bob": ("withheld", "cap"),
    }
    later = NOW + timedelta(days=1)
    first, second = deliver(SETTINGS, *chunk(1, other, ann=AWAKE), later, Crm()).rows, None
    assert (first[0].code, first[0].until) == ("cap", (NOW + WEEK).isoformat())
    assert first[0].by.startswith("news/00000001/")
    fresh = {"windows": [[0, 2**40]], "zone": "UTC"}
    second = deliver(SETTINGS, *chunk(2, other, ann=fresh), NOW + WEEK, Crm())
    assert reasons(second) == {"ann": ("sent", "")}


def test_the_reason_is_the_first_consent_then_the_hour_then_the_cap(store):
    """No place in the ledger is taken for who is not written to; removals wait for nothing."""
    asleep = AWAKE | {"windows": [NEXT]}
    crm = Crm()
    outcome = deliver(SETTINGS, *chunk(ann=asleep, eve=asleep), NOW, crm)
    assert reasons(outcome) == {"ann": ("withheld", "quiet_hours"), "eve": ("withheld", "consent")}
    until = {row.customer_id: (row.by, row.until) for row in outcome.rows}
    assert until == {"ann": ("UTC", "2026-03-02T08:00:00+00:00"), "eve": ("", "")}
    assert (crm.sent, entries(), entries("eve")) == ([], [], [])
    removal = deliver(SETTINGS, *chunk(2, removals=["ann"]), NOW.replace(hour=23), crm)
    assert reasons(removal) == {"ann": ("removed", "")}
    assert not any("contacts/" in key for _, key in store.bodies)


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (SENT, [("00000001", True)]),
        (Answer("failed", "X"), []),
        (Answer("failed", "X", uncertain=True), [("00000001", False)]),
    ],
)
def test_the_ledger_learns_what_became_of_a_message(store, answer, known):
    """What was not sent counts no more; of what nobody knows counts."""
    deliver(SETTINGS, *chunk(ann=AWAKE), NOW, Crm(answer))
    assert entries() == known


def test_a_message_that_has_not_left_counts_no_more(store):
    """429 before anything was sent; an answer that was lost is another matter."""
    waiting = chunk(ann=AWAKE)
    with pytest.raises(NotSent):
        deliver(SETTINGS, *waiting, NOW, Crm(NotSent("busy")))
    assert entries() == []
    with pytest.raises(Transient):
        deliver(SETTINGS, *waiting, NOW, Crm(Transient("lost")))
    assert entries() == [("00000001", False)]
    with pytest.raises(NotSent):
        deliver(SETTINGS, *waiting, NOW, Crm(NotSent("busy")))
    assert entries() == [("00000001", False)]


@pytest.mark.parametrize(
    ("idempotent", "status", "settled"), [(True, "sent", True), (False, "unknown", True)]
)
def test_after_a_crash_the_same_row_counts_once(store, idempotent, status, settled):
    """Its place is its own, in whichever attempt."""
    waiting = chunk(ann=AWAKE)
    crm = Crm(SystemExit(), idempotent=idempotent)
    with pytest.raises(SystemExit):
        deliver(SETTINGS, *waiting, NOW, _Dying(crm))
    outcome = deliver(SETTINGS, *waiting, NOW + DeliveryPolicy.lease, Crm(idempotent=idempotent))
    assert [row.status for row in outcome.rows] == [status]
    assert entries() == [("00000001", settled)]


class _Dying:
    """A destination whose worker dies when it has sent."""

    def __init__(self, crm: Crm) -> None:
        self.idempotent = crm.idempotent
        self.declared = crm.declared

    def send(self, _chunk, _rows):
        raise SystemExit


def test_a_ledger_that_cannot_be_asked_sends_nothing(store, monkeypatch):
    """The chunk comes back; nothing of it has left."""
    waiting = chunk(ann=AWAKE)
    monkeypatch.setattr(ledger, "change", _away)
    crm = Crm()
    with pytest.raises(NotSent):
        deliver(SETTINGS, *waiting, NOW, crm)
    assert crm.sent == []


def test_what_was_sent_has_its_outcome_though_the_ledger_cannot_be_told(store, monkeypatch):
    """Else it would be sent again; the reservation stands."""
    crm = Crm()
    real = crm.send

    def send(*rows):
        monkeypatch.setattr(ledger, "change", _away)
        return real(*rows)

    monkeypatch.setattr(crm, "send", send)
    assert reasons(deliver(SETTINGS, *chunk(ann=AWAKE), NOW, crm)) == {"ann": ("sent", "")}
    assert entries() == [("00000001", False)]


def _away(*_):
    raise Transient("away")


def test_a_sync_that_contacts_nobody_asks_only_for_consent(store):
    """Properties of a record are written at night, too, however often."""
    for number in (1, 2, 3):
        outcome = deliver(SETTINGS, *chunk(number, SYNC, ann={}), NOW, Crm())
        assert reasons(outcome) == {"ann": ("sent", "")}
    assert not any("contacts/" in key for _, key in store.bodies)
