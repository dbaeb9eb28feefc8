"""What becomes of each row of a chunk: by consent, by the destination's answer, and after a crash."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound import log
from lakehouse.outbound.changes import Change, Changes
from lakehouse.outbound.deliver import deliver, deliver_message
from lakehouse.outbound.destinations import Answer
from lakehouse.outbound.planner import make_plan
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.privacy import consent
from lakehouse.privacy.consent import Grants
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
NOTHING = {"tier": ""}
SENT = Answer("sent")


class Crm:
    """A destination that answers what it is told to, and keeps what it was sent."""

    def __init__(self, answer: Answer | Exception = SENT, *, idempotent: bool = True) -> None:
        self.answer = answer
        self.idempotent = idempotent
        self.sent: list[str] = []

    def send(self, _chunk, rows):
        self.sent += [row.customer_id for row in rows]
        if isinstance(self.answer, Exception):
            raise self.answer
        return {row.row: self.answer if row.action == "upsert" else Answer("removed") for row in rows}


@pytest.fixture
def chunk(monkeypatch) -> tuple[str, str, str]:
    """A chunk that writes ann, bob and eve and removes joe; ann consents, and of eve nothing is known."""
    objects_in_memory(monkeypatch)
    grants = Grants({("ann", "ann@x.org"): "consent-1"}, frozenset({("eve", "eve@x.org")}))
    monkeypatch.setattr(consent, "grants", lambda *_: grants)
    writes = [Change("upsert", name, f"{name}@x.org", {"tier": "vip"}) for name in ("ann", "bob", "eve")]
    changes = Changes(selected=3, upserts=writes, removals=[Change("remove", "joe", "joe@x.org", NOTHING)])
    plan = make_plan(SYNC, changes, "00000001", NOW, {}, 100)
    log.write_run(SETTINGS, plan.run, plan.chunks)
    return "news", "00000001", plan.run.chunk_ids()[0]


def reasons(outcome) -> dict[str, tuple[str, str]]:
    return {row.customer_id: (row.status, row.code) for row in outcome.rows}


def test_rows_are_sent_or_withheld_by_one_reason(chunk):
    """Removals need no consent; who refused and who could not be asked for are told apart."""
    crm = Crm()
    outcome = deliver(SETTINGS, *chunk, NOW, crm)
    assert reasons(outcome) == {
        "joe": ("removed", ""),
        "ann": ("sent", ""),
        "bob": ("withheld", "consent"),
        "eve": ("withheld", "projection"),
    }
    assert crm.sent == ["joe", "ann"]
    leaned_on = {row.customer_id: (row.consent_id, bool(row.sent_at)) for row in outcome.rows}
    assert leaned_on == {
        "joe": ("", True),
        "ann": ("consent-1", True),
        "bob": ("", False),
        "eve": ("", False),
    }


def test_a_chunk_that_is_done_is_not_delivered_again(chunk):
    """The outcome that stands is returned."""
    first = deliver(SETTINGS, *chunk, NOW, Crm())
    again = Crm()
    assert deliver(SETTINGS, *chunk, NOW, again) == first
    assert again.sent == []


def test_a_chunk_that_another_worker_sends_is_left_to_it(chunk):
    """While its claim lives."""
    log.claim(SETTINGS, *chunk, NOW, DeliveryPolicy.lease)
    crm = Crm()
    assert deliver(SETTINGS, *chunk, NOW, crm) is None
    assert crm.sent == []


@pytest.mark.parametrize(("idempotent", "ann"), [(True, ("sent", "")), (False, ("unknown", "NO_OUTCOME"))])
def test_after_a_crash_only_an_idempotent_destination_gets_the_rows_again(chunk, idempotent, ann):
    """Whatever the first worker may have sent."""
    log.claim(SETTINGS, *chunk, NOW, DeliveryPolicy.lease)
    crm = Crm(idempotent=idempotent)
    outcome = deliver(SETTINGS, *chunk, NOW + DeliveryPolicy.lease, crm)
    assert (outcome.attempt, reasons(outcome)["ann"]) == (2, ann)
    assert bool(crm.sent) is idempotent


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_error_leaves_the_chunk_open(chunk, idempotent):
    """Where sending again is safe, the next worker need not wait for the lease."""
    with pytest.raises(Transient):
        deliver(SETTINGS, *chunk, NOW, Crm(Transient("away"), idempotent=idempotent))
    crm = Crm()
    outcome = deliver(SETTINGS, *chunk, NOW, crm)
    assert (outcome is not None) is idempotent


def test_a_row_without_an_answer_has_failed(chunk, monkeypatch):
    """Nobody may believe that it arrived."""
    crm = Crm()
    monkeypatch.setattr(crm, "send", lambda _chunk, _rows: {})
    assert reasons(deliver(SETTINGS, *chunk, NOW, crm))["ann"] == ("failed", "NO_ANSWER")


def test_a_message_names_its_chunk_and_errors_go_on(chunk):
    """One of another kind is an error as well: it ends in the dead-letter queue."""
    with pytest.raises(Terminal, match="no chunk"):
        deliver_message(SETTINGS, {"sync": "news", "run": "00000009", "chunk": "x"}, NOW)
    with pytest.raises(KeyError):
        deliver_message(SETTINGS, {"tick": "true"}, NOW)
