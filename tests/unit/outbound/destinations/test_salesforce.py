"""Salesforce: tokens, limits, fields, and removal by record id."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
import stamina

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import NotSent
from lakehouse.outbound.records import Row
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import KINDS, World
from tests.support.salesforce_simulator import SalesforceSimulator

APP = {"client_id": "app", "client_secret": "app-secret"}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """An organisation that is reached by a connected app."""

    monkeypatch.setitem(KINDS, "salesforce", replace(KINDS["salesforce"], secret=APP))
    with stamina.set_testing(True, attempts=3):
        yield World("salesforce", tmp_path, monkeypatch)


def test_a_token_is_got_once_and_again_when_it_has_run_out(world):
    """401 in the middle: one new token, and the request again."""
    world.send(world.row(0, "a@x.org"))
    world.send(world.row(0, "b@x.org"))
    assert world.simulator.tokens_given == 1
    world.simulator.valid_tokens = {"another"}
    assert world.send(world.row(0, "c@x.org"))[0].fate == "sent"
    assert world.simulator.tokens_given == 2


def test_an_app_that_is_refused_is_told(world, monkeypatch):
    """Without what it said."""
    monkeypatch.setattr(
        SalesforceSimulator, "_give_token", lambda *_: httpx.Response(400, json={"error": "invalid_client"})
    )
    with pytest.raises(Terminal, match="gives no token"):
        world.send(world.row(0, "a@x.org"))


def test_a_token_that_opens_nothing_is_not_asked_for_for_ever(world, monkeypatch):
    """A new one, once; then a person must act."""
    monkeypatch.setattr(world.simulator, "valid_tokens", frozenset())
    monkeypatch.setattr(
        SalesforceSimulator, "_give_token", lambda *_: httpx.Response(200, json={"access_token": "x"})
    )
    with pytest.raises(Terminal, match="INVALID_SESSION_ID"):
        world.send(world.row(0, "a@x.org"))


def test_a_day_without_calls_left_is_no_rows_fault(world):
    """403 with REQUEST_LIMIT_EXCEEDED: nothing was done, and it goes again."""
    limit = Fault(status=403, text='[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "x"}]')
    world.fail(*[limit] * 3)
    with pytest.raises(NotSent, match="REQUEST_LIMIT_EXCEEDED"):
        world.send(world.row(0, "a@x.org"))
    world.fail(limit)
    assert world.send(world.row(0, "a@x.org"))[0].fate == "sent"


def test_a_field_that_is_not_there_is_the_syncs_fault(world):
    """Every row would fail: nothing is halved, and the field is named."""
    rows = [Row(n, f"c{n}", f"p{n}@x.org", "upsert", {"Tier__c": "x", "Teir__c": "y"}) for n in range(8)]
    with pytest.raises(Terminal, match=r"INVALID_FIELD\): Teir__c is not there"):
        world.send(*rows)
    assert world.asked == 1


def test_an_empty_value_clears_a_field_of_any_type(world):
    """Null: an empty text in a number's field is refused."""
    world.send(world.row(0, "a@x.org", "gold"))
    world.send(world.row(0, "a@x.org", ""))
    assert b'"Tier__c":null' in world.wire.requests[-1].content.replace(b" ", b"")
    assert world.held("a@x.org") == ""


def test_a_removal_clears_by_record_and_by_external_id(world):
    """A record whose external id was edited there, and the one that has the id now; a stray by its record alone."""
    first = world.send(world.row(0, "a@x.org"))[0].crm_id
    world.simulator.records["moved@x.org"] = world.simulator.records.pop("a@x.org") | {
        "Email__c": "moved@x.org"
    }
    second = world.send(world.row(0, "a@x.org"), run="2")[0].crm_id
    stray = Row(0, "c0", "a@x.org", "remove", {"Tier__c": ""}, first, stray=True)
    assert world.send(stray, run="3")[0].crm_id == first
    assert (world.held("moved@x.org"), world.held("a@x.org")) == ("", "gold")
    answer = world.send(world.leaver(0, "a@x.org", first), run="4")[0]
    assert (answer.status, answer.crm_id) == ("removed", ",".join(sorted([first, second])))
    assert world.held("a@x.org") == ""


def test_a_record_that_was_deleted_is_not_made_anew(world):
    """Removed already."""
    first = world.send(world.row(0, "a@x.org"))[0].crm_id
    world.simulator.records.clear()
    answer = world.send(world.leaver(0, "a@x.org", first), world.leaver(1, "o'b@x.org"), run="2")
    assert {(one.status, one.code) for one in answer.values()} == {("removed", "GONE")}
    assert world.simulator.records == {}


def test_many_leavers_whose_records_are_twice_as_many_are_all_cleared(world):
    """More records than one request takes; where the second finds no connection, nobody says that nothing was sent."""
    names = [f"p{n}@x.org" for n in range(150)]
    before = world.send(*(world.row(n, name) for n, name in enumerate(names)))
    for name in names:
        world.simulator.records[f"moved-{name}"] = world.simulator.records.pop(name) | {
            "Email__c": f"moved-{name}"
        }
    world.send(*(world.row(n, name) for n, name in enumerate(names)), run="2")
    leavers = [world.leaver(n, name, before[n].crm_id) for n, name in enumerate(names)]
    world.fail(Fault(), *[Fault(refused=True)] * 9)
    with pytest.raises(Transient) as caught:
        world.send(*leavers, run="3")
    assert not isinstance(caught.value, NotSent)
    world.wire.faults.clear()
    assert {one.status for one in world.send(*leavers, run="3").values()} == {"removed"}
    assert all("Tier__c" not in record for record in world.simulator.records.values())
    assert max(world.simulator.batches) <= 200


def test_a_record_that_somebody_else_is_writing_is_tried_again(world):
    """With no other: as when many contacts of one account are written at once; not for ever, and it is told then."""
    world.simulator.locked.update({"a@x.org": 1, "b@x.org": 9})
    answers = world.send(*(world.row(n, f"{name}@x.org") for n, name in enumerate("abc")))
    assert [(answers[n].status, answers[n].code) for n in range(3)] == [
        ("sent", ""),
        ("failed", "UNABLE_TO_LOCK_ROW"),
        ("sent", ""),
    ]
    assert world.simulator.batches == [3, 2, 1]
    assert world.simulator.writes == {"a@x.org": 1, "c@x.org": 1}
    world.simulator.locked["b@x.org"] = 0
    first = world.send(world.row(0, "b@x.org"), run="2")[0].crm_id
    world.simulator.locked["b@x.org"] = 2
    assert world.send(world.leaver(0, "b@x.org", first), run="3")[0].status == "removed"


def test_what_became_of_a_record_whose_second_try_was_lost_nobody_knows(world):
    """It was locked, and may be written since; its neighbour's answer stands, and nothing was not sent."""
    world.simulator.locked["a@x.org"] = 1
    world.fail(Fault(), *[Fault(lost=True, after=True)] * 9)
    answers = world.send(world.row(0, "a@x.org"), world.row(1, "c@x.org"))
    assert (answers[0].status, answers[0].uncertain) == ("failed", True)
    assert (answers[1].status, answers[1].uncertain) == ("sent", False)


def test_a_rule_that_only_warns_keeps_no_refusal_from_being_carried_out(world, tmp_path, monkeypatch):
    """Who is written is refused, unless the file allows it; who leaves is cleared whatever the rule says."""
    first = world.send(world.row(0, "a@x.org"))[0].crm_id
    world.simulator.alerts = {"a@x.org", "b@x.org"}
    assert world.send(world.row(0, "b@x.org"), run="2")[0].code == "DUPLICATES_DETECTED"
    assert world.send(world.leaver(0, "a@x.org", first), run="3")[0].status == "removed"
    kind = KINDS["salesforce"]
    monkeypatch.setitem(
        KINDS, "salesforce", replace(kind, definition=f"{kind.definition}duplicates: allow\n")
    )
    (tmp_path / "allowing").mkdir()
    allowing = World("salesforce", tmp_path / "allowing", monkeypatch)
    allowing.simulator.alerts = {"b@x.org"}
    assert allowing.send(allowing.row(0, "b@x.org"))[0].status == "sent"
