"""What becomes of each row of a chunk: by consent, by the destination's answer, and after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound import log
from lakehouse.outbound.changes import Change, Changes
from lakehouse.outbound.deliver import deliver, deliver_message
from lakehouse.outbound.destinations import Answer, Declared, NothingWritten, NotSent
from lakehouse.outbound.planner import make_plan
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.privacy import consent
from lakehouse.privacy.consent import Grants
from lakehouse.settings import Settings
from lakehouse.steady_clock import read_steady
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_planner import compared

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
NOTHING = {"tier": ""}
SENT = Answer("sent")


class Crm:
    """A destination that answers what it is told to, and keeps what it was sent."""

    def __init__(self, answer: Answer | Exception = SENT, *, idempotent: bool = True) -> None:
        self.answer = answer
        self.idempotent = idempotent
        self.declared = Declared(100, None, idempotent=idempotent, removal="clear")
        self.sent: list[str] = []
        self.guards: list[dict[str, list[str]]] = []

    def send(self, _chunk, rows):
        self.guards += [row.guards for row in rows if row.guards]
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
    monkeypatch.setattr(consent, "generation", lambda *_: "e/1")
    writes = [Change("upsert", name, f"{name}@x.org", {"tier": "vip"}) for name in ("ann", "bob", "eve")]
    changes = Changes(selected=3, upserts=writes, removals=[Change("remove", "joe", "joe@x.org", NOTHING)])
    plan = make_plan(SYNC, compared(changes), "00000001", NOW, {}, 100)
    removal, upserts = plan.chunks
    both = [replace(row, row=number) for number, row in enumerate([*removal.rows, *upserts.rows])]
    run = replace(plan.run, chunks=1)
    log.write_run(SETTINGS, run, [replace(removal, rows=both)])  # as runs before 2026-12 have it
    return "news", "00000001", run.chunk_ids()[0]


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


def test_after_a_crash_what_the_rows_say_is_ours_too(chunk, monkeypatch):
    """The first worker may have written it; and what a person held is noted with the outcome."""
    said = log.chunk(SETTINGS, *chunk)
    guarded = replace(said, rows=[replace(row, guards={"tier": [""]}) for row in said.rows])
    monkeypatch.setattr(log, "chunk", lambda *_: guarded)
    crm = Crm(Answer("sent", "KEPT", kept=("tier",)))
    log.claim(SETTINGS, *chunk, NOW, DeliveryPolicy.lease)
    outcome = deliver(SETTINGS, *chunk, NOW + DeliveryPolicy.lease, crm)
    assert crm.guards == [{"tier": [""]}, {"tier": ["", "vip"]}]
    assert [row.kept for row in outcome.rows if row.customer_id == "ann"] == [["tier"]]


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_error_leaves_the_chunk_open(chunk, idempotent):
    """Where sending again is safe, the next worker need not wait for the lease."""
    with pytest.raises(Transient):
        deliver(SETTINGS, *chunk, NOW, Crm(Transient("away"), idempotent=idempotent))
    crm = Crm()
    outcome = deliver(SETTINGS, *chunk, NOW, crm)
    assert (outcome is not None) is idempotent


@pytest.mark.parametrize("idempotent", [True, False])
def test_what_a_person_has_to_mend_uses_up_no_attempt(chunk, idempotent):
    """A wrong token, nothing written: with the right one the rows go, also where they must not go twice."""
    with pytest.raises(NothingWritten):
        deliver(SETTINGS, *chunk, NOW, Crm(NothingWritten("wrong token"), idempotent=idempotent))
    assert reasons(deliver(SETTINGS, *chunk, NOW, Crm(idempotent=idempotent)))["ann"] == ("sent", "")


def test_a_row_of_which_nobody_knows_is_unknown(chunk):
    """The destination must not get it twice, and said so: it was sent at no time that anybody knows."""
    outcome = deliver(SETTINGS, *chunk, NOW, Crm(Answer("unknown", "NO_ANSWER"), idempotent=False))
    (ann,) = (row for row in outcome.rows if row.customer_id == "ann")
    assert (ann.status, ann.code, ann.sent_at, ann.consent_id) == ("unknown", "NO_ANSWER", "", "consent-1")


@pytest.mark.parametrize("idempotent", [True, False])
def test_what_has_not_left_goes_again_wherever_it_goes(chunk, idempotent):
    """429 before anything was sent: the row is not ambiguous afterwards, also where it must not be sent twice."""
    with pytest.raises(NotSent):
        deliver(SETTINGS, *chunk, NOW, Crm(NotSent("busy"), idempotent=idempotent))
    outcome = deliver(SETTINGS, *chunk, NOW, Crm(Answer("failed", "X"), idempotent=idempotent))
    assert reasons(outcome)["ann"] == ("failed", "X")
    assert not any(row.uncertain for row in outcome.rows)


def test_what_may_have_left_stays_uncertain(chunk):
    """One attempt that nobody knows of is enough, whatever came after it."""
    for error in (Transient("away"), NotSent("busy")):
        with pytest.raises(Transient):
            deliver(SETTINGS, *chunk, NOW, Crm(error))
    outcome = deliver(SETTINGS, *chunk, NOW, Crm(Answer("failed", "X")))
    assert {row.customer_id for row in outcome.rows if row.uncertain} == {"ann", "bob", "eve"}


def test_consent_is_asked_of_the_address_that_the_channel_writes_to(monkeypatch):
    """A text message goes to a phone, whatever the CRM knows the person by."""
    objects_in_memory(monkeypatch)
    asked = []
    grants = Grants({("ann", "+15550001"): "consent-1"})
    monkeypatch.setattr(consent, "grants", lambda _, who, *__: asked.extend(who) or grants)
    monkeypatch.setattr(consent, "generation", lambda *_: "e/1")
    change = Change("upsert", "ann", "ann@x.org", {"tier": "vip"}, address="+15550001")
    plan = make_plan(SYNC, compared(Changes(selected=1, upserts=[change])), "00000001", NOW, {}, 100)
    log.write_run(SETTINGS, plan.run, plan.chunks)
    outcome = deliver(SETTINGS, "news", "00000001", plan.run.chunk_ids()[0], NOW, Crm())
    assert reasons(outcome) == {"ann": ("sent", "")}
    assert set(asked) == {("ann", "+15550001")}


def test_no_chunk_of_a_run_that_is_being_closed_is_begun(chunk):
    """Neither before its claim nor, where the claim came first, after it."""
    run = log.run(SETTINGS, "news", "00000001")
    log.begin_closing(SETTINGS, run, NOW)
    crm = Crm()
    assert deliver(SETTINGS, *chunk, NOW, crm) is None
    assert crm.sent == []


def test_a_claim_that_came_before_the_closing_sends_nothing_after_it(chunk, monkeypatch):
    """The worker looks again once it has claimed, and gives the claim back as one that sent nothing."""
    seen = iter([False, True])
    monkeypatch.setattr(log, "is_closing", lambda *_: next(seen))
    crm = Crm()
    assert deliver(SETTINGS, *chunk, NOW, crm) is None
    assert crm.sent == []
    assert not log.may_be_sent(SETTINGS, *chunk, 1)
    assert not log.read_claim(SETTINGS, *chunk, 1).lives(NOW, read_steady(SETTINGS))


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
