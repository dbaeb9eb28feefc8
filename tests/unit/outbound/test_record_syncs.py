"""Syncs of tasks, tickets and notes: what their files may say, and what there is to send for causes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.outbound import brakes, destination_fit
from lakehouse.outbound.acknowledged import Acknowledged, State
from lakehouse.outbound.brakes import Totals
from lakehouse.outbound.changes import find_changes
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.policies import at_sending
from lakehouse.outbound.records import Desired, Row
from lakehouse.privacy.consent import Grants
from tests.unit.outbound.test_changes import NOW, SYNC

SAID = {
    "name": "calls",
    "destination": "hubspot",
    "object": "tasks",
    "triggers": ["win_back"],
    "properties": {"hs_task_subject": "Call {name}", "hs_timestamp": "due_at"},
}
CALLS = Sync.model_validate(SAID)
TASK = {"hs_task_subject": "Call Ann", "hs_timestamp": "2026-03-01", **CALLS.fixed}


def cause(**more) -> dict:
    row = {"customer_id": "ann", "segments": [], "because": "win_back", "cause_key": "r1", "due_at": "2026-03-01",
           "name": "Ann", "channel_address": "ann@x.org", "consented": True, "owner": "5",
           "crm_contact_id": "7"}  # fmt: skip
    return {**row, **more}


def desired(sync: Sync = CALLS, **more) -> Desired:
    [found] = sync.desired([cause(**more)])
    return found


def test_a_tasks_key_goes_by_its_sync_and_cause():
    """Not by what else the row says; it is about the customer's contact."""
    found = desired()
    assert found.id == desired(name="Anna", customer_id="ann2").id
    assert found.id != desired(cause_key="r2").id
    assert found.id != desired(Sync.model_validate({**SAID, "name": "visits"})).id
    assert (found.about, found.address, found.properties) == ("7", "ann@x.org", TASK)


def test_what_belongs_to_nobody_is_withheld():
    """With its reason, and closed where it was made before; that is no leaving of a person's own."""
    sync = Sync.model_validate({**SAID, "owner": {}})
    state = State(acknowledged={desired(sync).id: Acknowledged("ann", TASK, "1")})
    found = find_changes(sync, [desired(sync, owner=None)], state, NOW, inputs_moved=False)
    assert (found.no_owner, [row.properties for row in found.removals]) == (
        ["ann"],
        [{"hs_task_status": "COMPLETED"}],
    )


def test_a_tasks_fields_are_ours_as_long_as_nobody_changed_them():
    """Once somebody works on it, nothing is wanted of it any more; nor is it closed."""
    key = desired().id
    held = Acknowledged("ann", TASK, "1")
    [row] = find_changes(
        CALLS, [desired(name="Anna")], State(acknowledged={key: held}), NOW, inputs_moved=False
    ).upserts
    assert (row.crm_id, row.guards["hs_task_subject"], row.guards["hs_task_status"]) == (
        "1",
        ["Call Ann"],
        ["NOT_STARTED"],
    )
    kept = replace(held, properties={}, theirs=sorted(TASK))
    found = find_changes(
        CALLS, [desired(name="Anna")], State(acknowledged={key: kept}), NOW, inputs_moved=False
    )
    assert (found.upserts, found.unchanged) == ([], 1)
    wider = Sync.model_validate({**SAID, "fixed": {"hs_task_priority": "HIGH"}})
    assert not find_changes(
        wider, [desired(wider)], State(acknowledged={key: kept}), NOW, inputs_moved=False
    ).rows
    [leaving] = find_changes(CALLS, [], State(acknowledged={key: kept}), NOW, inputs_moved=False).removals
    assert (leaving.properties, leaving.guards["hs_task_status"]) == ({}, [])


def test_a_cause_that_comes_back_opens_the_task_that_it_had():
    """It is not taken off twice, and not made twice."""
    closed = Acknowledged("ann", {**TASK, "hs_task_status": "COMPLETED"}, "1", closed=True)
    state = State(acknowledged={desired().id: closed})
    assert not find_changes(CALLS, [], state, NOW, inputs_moved=False).rows
    same = replace(closed, properties=TASK)  # as one whose closing only took it off a list
    assert find_changes(
        CALLS, [desired()], State(acknowledged={desired().id: same}), NOW, inputs_moved=False
    ).upserts
    [row] = find_changes(CALLS, [desired()], state, NOW, inputs_moved=False).upserts
    assert (row.crm_id, row.guards["hs_task_status"], row.properties) == ("1", ["COMPLETED"], TASK)


def test_what_is_kept_is_kept_but_of_who_refuses():
    """A note stays when its cause is gone; of who was erased it goes."""
    said = {**SAID, "object": "notes", "properties": {"hs_note_body": "name", "hs_timestamp": "due_at"}}
    notes = Sync.model_validate(said)
    key = desired(notes).id
    state = State(acknowledged={key: Acknowledged("ann", {"hs_note_body": "Ann"}, "1")})
    assert not find_changes(notes, [], state, NOW, inputs_moved=False).rows
    erased = replace(desired(notes), consented=False, erased=True)
    [row] = find_changes(notes, [erased], state, NOW, inputs_moved=False).removals
    assert (row.properties, row.guards) == ({}, {"hs_note_body": ["Ann"]})


def test_reasons_come_and_go_without_a_brake():
    """All at once, too; but a first run of very many tasks waits, and segments are braked as ever."""
    gone = Totals(selected=0, held=500, leaving=500, to_send=0)
    assert brakes.find_brake(CALLS, gone) is None
    assert brakes.find_brake(CALLS, Totals(1001, 0, 0, 1001)).kind == "first_run"
    of_segment = Sync.model_validate({**SAID, "triggers": [], "segments": ["vip"]})
    assert brakes.find_brake(of_segment, gone).kind == "empty_audience"


@pytest.mark.parametrize(
    ("grants", "purpose", "reason"),
    [
        (Grants(), "none", None),
        (Grants(), "marketing", "consent"),
        (Grants(erased=frozenset({("ann", "ann@x.org")})), "none", "erased"),
        (Grants(unanswered=frozenset({("ann", "ann@x.org")})), "none", "projection"),
    ],
)
def test_of_a_task_only_the_erased_are_asked(grants, purpose, reason):
    """At the moment of sending; while nobody can tell who was erased, it waits."""
    row = Row(0, "ann", "key", "upsert", TASK, address="ann@x.org")
    found = at_sending.consent(row, grants, purpose)
    assert (found.code if found else None) == reason


def test_two_syncs_may_write_tasks_and_not_one_property_of_contacts():
    """Tasks are each sync's own records."""
    other = Sync.model_validate({**SAID, "name": "visits"})
    assert not CALLS.writes & other.writes
    assert SYNC.writes & SYNC.model_copy(update={"name": "b"}).writes


def test_a_list_is_a_part_of_what_the_crm_should_hold():
    """Another list in the file means: off the one, onto the other."""
    on = SYNC.model_copy(update={"list": "42"})
    row = {"customer_id": "c1", "segments": ["vip"], "email": "a@x.org", "consented": True}
    [found] = on.desired([row])
    assert found.properties["list:42"] == "member"
    assert "list:42" not in (on.model_copy(update={"create_properties": True}).created_properties or {})
    state = State(acknowledged={"a@x.org": Acknowledged("c1", found.properties)})
    other = SYNC.model_copy(update={"list": "43"})
    [change] = find_changes(other, other.desired([row]), state, NOW, inputs_moved=False).upserts
    assert (change.properties["list:42"], change.properties["list:43"]) == ("", "member")
    assert not list(destination_fit.problems(on, "hubspot"))
    assert "list" in dict(destination_fit.problems(on, "salesforce"))
