"""Tasks, tickets and notes: one a key, whatever is lost; what somebody works on stays as it is."""

from __future__ import annotations

import pytest

from lakehouse.outbound.records import Row
from tests.support.destination_wire import Fault
from tests.support.hubspot_crm import BLANK, DUE, NEW, OURS, row


def leaver(crm_id: str, guards=OURS) -> Row:
    return Row(0, "c1", "k1", "remove", {"hs_task_status": "COMPLETED"}, crm_id, guards=guards)


@pytest.mark.parametrize("lost", [Fault(lost=True, after=True), Fault(status=502, after=True, text="<html>")])
def test_a_task_whose_answer_was_lost_is_not_made_twice(crm, lost):
    """The request goes again; HubSpot refuses the second task, and the first is found by its key."""
    crm.wire.faults.append(lost)
    answers = crm.send(row(), row(1, "k2"))
    assert [answer.status for answer in answers.values()] == ["sent", "sent"]
    assert (answers[0].crm_id, crm.count()) == (crm.task().id, 2)


def test_a_task_is_about_its_customers_contact(crm):
    """One that is not there any more fails nothing: the task says whom it is about."""
    contact = crm.contact("ann@x.org")
    answers = crm.send(row(about=contact), row(1, "k2", about="404"), row(2, "k3"))
    assert [answers[number].status for number in range(3)] == ["sent"] * 3
    assert [crm.task(key).contacts for key in ("k1", "k2", "k3")] == [(contact,), (), ()]
    assert len(crm.wire.requests) == 1


def test_what_is_found_by_its_key_is_brought_up_to_date(crm):
    """An attempt before made it, and died; what that may have said is ours."""
    made = crm.send(row())[0].crm_id
    again = row(guards={**BLANK, "hs_task_subject": ["", "Call Ann"]}, hs_task_subject="Call Ann at ten")
    assert crm.send(again)[0].crm_id == made
    assert crm.task().properties["hs_task_subject"] == "Call Ann at ten"


def test_who_works_on_a_task_keeps_all_of_it(crm):
    """It is neither brought up to date nor closed; who changed its subject alone keeps that."""
    record = crm.send(row())[0].crm_id
    crm.edit(hs_task_subject="Ring her")
    answer = crm.send(
        row(crm_id=record, guards=OURS, hs_task_subject="Call Bob", hs_timestamp="2026-03-02T08:00:00Z")
    )[0]
    assert (answer.status, answer.code, answer.kept) == ("sent", "KEPT", ("hs_task_subject",))
    assert crm.task().properties["hs_task_subject"] == "Ring her"
    assert crm.task().properties["hs_timestamp"] == "2026-03-02T08:00:00.000Z"
    crm.edit(hs_task_status="IN_PROGRESS")
    before = crm.task()
    ours = {**OURS, "hs_timestamp": ["2026-03-02T08:00:00Z"]}
    answer = crm.send(row(crm_id=record, guards=ours, hs_timestamp="2026-03-09T08:00:00Z"))[0]
    assert (answer.status, answer.code, set(answer.kept)) == ("sent", "KEPT", set(NEW))
    assert crm.send(leaver(record))[0].kept
    assert crm.task() == before


def test_a_task_that_somebody_deleted_is_not_made_again(crm):
    """Where it is known to have been there."""
    record = crm.send(row())[0].crm_id
    crm.api.answer("POST", "tasks", "/batch/archive", {"inputs": [{"id": record}]}, {})
    answer = crm.send(row(crm_id=record, guards=OURS, hs_task_subject="Call Bob"))[0]
    assert (answer.status, answer.code, set(answer.kept), crm.count()) == ("sent", "GONE", set(NEW), 0)
    assert crm.send(leaver(record))[0].code == "GONE"


def test_a_cause_that_is_gone_closes_its_task(crm):
    """Also where nobody was told its id."""
    crm.send(row(), row(1, "k2"))
    assert crm.send(leaver(crm.task().id))[0].status == "removed"
    assert crm.task().properties["hs_task_status"] == "COMPLETED"
    assert crm.task("k2").properties["hs_task_status"] == "NOT_STARTED"
    crm.edit(hs_task_status="NOT_STARTED")
    assert crm.send(leaver(""))[0].status == "removed"
    assert crm.task().properties["hs_task_status"] == "COMPLETED"


def test_only_what_nobody_touched_is_archived(crm):
    """The rest stays."""
    crm.removal = "archive"
    crm.send(row(), row(1, "k2"))
    crm.edit("k2", hs_task_subject="Mine")
    rows = [
        Row(number, "c1", key, "remove", {}, crm.task(key).id, guards=OURS)
        for number, key in enumerate(("k1", "k2"))
    ]
    answers = crm.send(*rows)
    assert (answers[0].status, answers[0].kept, answers[1].code) == ("removed", (), "KEPT")
    assert (crm.task("k1"), crm.task("k2").properties["hs_task_subject"]) == (None, "Mine")


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("tickets", {"subject": "Reply", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH"}),
        ("notes", {"hs_note_body": "Likes green tea", "hs_timestamp": DUE}),
    ],
)
def test_tickets_and_notes_are_made_alike(crm, kind, properties):
    """About a contact, by HubSpot's own type of association."""
    contact = crm.contact("ann@x.org")
    made = Row(0, "c1", "k1", "upsert", properties, guards={name: [""] for name in properties}, about=contact)
    assert crm.send(made, kind=kind)[0].status == "sent"
    assert crm.task(kind=kind).contacts == (contact,)


def test_blanks_are_filled_and_nothing_else(crm):
    """Beside what is always written; a contact that is not there is made by that, not by its blanks."""
    crm.contact("ann@x.org", city="Typed")
    crm.contact("bob@x.org")
    rows = [
        Row(0, "a", "ann@x.org", "upsert", {"city": "Oslo", "tier": "gold"}, guards={"city": [""]}),
        Row(1, "b", "bob@x.org", "upsert", {"city": "Oslo", "tier": "gold"}, guards={"city": [""]}),
        Row(2, "c", "cyd@x.org", "upsert", {"city": "Oslo"}, guards={"city": [""]}),
        Row(3, "d", "dan@x.org", "upsert", {"city": "Oslo", "tier": "gold"}, guards={"city": [""]}),
    ]
    answers = crm.send(*rows, kind="contacts", key="email", create=None, removal="clear")
    assert [(answers[n].status, answers[n].code, answers[n].kept) for n in range(4)] == [
        ("sent", "KEPT", ("city",)), ("sent", "", ()), ("failed", "NO_RECORD", ()), ("sent", "", ()),
    ]  # fmt: skip
    assert [crm.city(f"{name}@x.org") for name in ("ann", "bob", "dan")] == ["Typed", "Oslo", "Oslo"]


def test_what_a_person_typed_over_ours_is_not_cleared(crm):
    """Only what we wrote is taken off."""
    for name, city in (("ann", "Oslo"), ("bob", "Typed")):
        crm.contact(f"{name}@x.org", city=city, tier="gold")
    rows = [
        Row(n, name, f"{name}@x.org", "remove", {"city": "", "tier": ""}, guards={"city": ["Oslo"]})
        for n, name in enumerate(("ann", "bob"))
    ]
    answers = crm.send(*rows, kind="contacts", key="email", create=None, removal="clear")
    assert [(answers[n].status, answers[n].kept) for n in range(2)] == [
        ("removed", ()),
        ("removed", ("city",)),
    ]
    assert (crm.city("ann@x.org"), crm.city("bob@x.org")) == (None, "Typed")


def test_contacts_that_are_known_by_their_id_are_never_made(crm):
    """As where records that are one person are marked."""
    record = crm.contact("ann@x.org")
    rows = [Row(n, "a", name, "upsert", {"others": "8"}) for n, name in enumerate((record, "404"))]
    answers = crm.send(*rows, kind="contacts", key="hs_object_id", create=None, removal="clear")
    assert [(answers[n].status, answers[n].code) for n in range(2)] == [("sent", ""), ("failed", "NO_RECORD")]
    gone = [Row(n, "a", name, "remove", {"others": ""}) for n, name in enumerate((record, "404"))]
    answers = crm.send(*gone, kind="contacts", key="hs_object_id", create=None, removal="clear")
    assert [(answers[n].status, answers[n].code) for n in range(2)] == [("removed", ""), ("removed", "GONE")]
