"""Salesforce's Bulk API 2.0: what a job takes, what it says, and that it is asked before anything is sent again.

Inputs are those that people report of other tools; each names its thread.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import httpx
import pytest
import stamina

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import NotSent
from lakehouse.outbound.destinations.salesforce_bulk import Note, csv_of, rows_of_job
from lakehouse.outbound.policy import BulkPolicy, RequestPolicy
from lakehouse.outbound.records import Row
from tests.support.destination_simulators import BAD
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import World

LOST = Fault(lost=True, after=True)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """An organisation that gets each chunk as a job."""
    with stamina.set_testing(True, attempts=3):
        yield World("salesforce_bulk", tmp_path, monkeypatch)


def _row(number, name, **properties):
    return Row(number, f"c{number}", name, "upsert", properties)


def _jobs(world):
    return list(world.simulator.bulk.jobs.values())


@pytest.mark.parametrize(
    "value",
    [
        "two\nlines",  # ForceCLI/force#439: a file is cut at line breaks within a field
        "dos\r\nlines",  # forcedotcom/cli#3113: another line ending than the job's
        'a "quoted" word',  # segmentio/action-destinations#930: quotes that are not doubled
        "a,b;c\td",  # simple-salesforce#736: separators in a field
        "刘伟 🙂 Zoë",  # simple-salesforce#677: letters that are not ASCII
        "null",  # jsforce#80, #930: a word that is no order
        " blank ",
        "=1+1",
    ],
)
def test_a_value_arrives_as_it_is(world, value):
    """Whatever a CSV makes of it elsewhere."""
    assert world.send(_row(0, "a@x.org", Tier__c="gold", Note__c=value))[0].status == "sent"
    assert world.simulator.records["a@x.org"]["Note__c"] == value


def test_an_empty_value_clears_and_one_that_is_not_there_does_not(world):
    """ForceCLI/force#428, rudder-server#7151: an empty cell changes nothing, `#N/A` clears."""
    world.send(
        _row(0, "a@x.org", Tier__c="gold", Note__c="n"), _row(1, "b@x.org", Tier__c="gold", Note__c="n")
    )
    world.send(_row(0, "a@x.org", Tier__c=""), _row(1, "b@x.org", Note__c=""), run="2")
    shown = [
        {name: record.get(name) for name in ("Tier__c", "Note__c")}
        for record in world.simulator.records.values()
    ]
    assert shown == [{"Tier__c": None, "Note__c": "n"}, {"Tier__c": "gold", "Note__c": None}]


def test_a_text_that_would_clear_a_field_goes_another_way(world):
    """`#N/A` as somebody's own text, as a spreadsheet leaves it: in a job it would be an order."""
    answers = world.send(_row(0, "a@x.org", Tier__c="#N/A"), _row(1, "b@x.org", Tier__c="gold"))
    assert [answers[n].status for n in (0, 1)] == ["sent", "sent"]
    assert world.held("a@x.org") == "#N/A"
    assert [len(job["_lines"]) for job in _jobs(world)] == [1]


def test_few_rows_are_no_job(world, monkeypatch):
    """Up to the policy's number they go 200 a request."""
    monkeypatch.setattr(BulkPolicy, "above_rows", 2)
    world.send(*[world.row(n, f"p{n}@x.org") for n in range(2)])
    assert _jobs(world) == []
    world.send(*[world.row(n, f"p{n}@x.org") for n in range(3)], run="2")
    assert len(_jobs(world)) == 1


def test_nobody_stands_twice_in_a_job():
    """Two of one external id are both refused (DUPLICATE_VALUE), whatever their letters."""
    rows = [_row(0, "a@x.org"), _row(1, "A@X.org"), *[_row(n, f"p{n}@x.org") for n in range(2, 2100)]]
    assert [row.row for row in rows_of_job(rows, None)][:2] == [0, 2]
    assert rows_of_job(rows, Note("750", [1, 5]))[0].row == 1
    assert rows_of_job(rows[:100], None) == []


def test_each_row_has_its_own_answer(world):
    """simple-salesforce#643, cli#1888, sfdmu#145: which failed, and why; the id of those that did not."""
    answers = world.send(world.row(0, "a@x.org"), world.row(1, BAD), world.row(2, "c@x.org"))
    assert (answers[1].code, answers[1].uncertain) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", False)
    assert answers[2].crm_id == world.simulator.records["c@x.org"]["Id"]


def test_a_field_that_is_not_there_is_the_syncs_fault(world):
    """node-sf-bulk2#17: the job fails as a whole, and the results say nothing; with the field there, it goes again."""
    rows = [_row(n, f"p{n}@x.org", Teir__c="x") for n in range(3)]
    with pytest.raises(Terminal, match=r"\(InvalidBatch\): Teir__c is not there"):
        world.send(*rows)
    world.simulator.fields = world.simulator.fields | {"Teir__c"}
    assert {answer.status for answer in world.send(*rows).values()} == {"sent"}


def test_rows_that_were_not_processed_go_again(world):
    """simple-salesforce#698: a job that fails in the middle leaves rows of which no result speaks."""
    world.simulator.bulk.problem = "TransactionTimeout : Too many lock failures"
    answers = world.send(world.row(0, "a@x.org"), world.row(1, "b@x.org"))
    assert {(one.status, one.code, one.uncertain) for one in answers.values()} == {
        ("failed", "TransactionTimeout", False)
    }


@pytest.mark.parametrize("header", ["SF__ID", "sf__Id"])
def test_headers_in_other_letters_are_the_same(world, monkeypatch, header):
    """OpenFn/adaptors#886: results write a field's name in other letters than it was sent in."""
    real = world.simulator.bulk._results

    def other(job, kind):
        first, _, rest = real(job, kind).content.decode().partition("\n")
        shown = first.replace("Email__c", "EMAIL__C").replace("sf__Id", header)
        return httpx.Response(200, content=f"{shown}\n{rest}".encode())

    monkeypatch.setattr(world.simulator.bulk, "_results", other)
    assert world.send(world.row(0, "a@x.org"))[0].crm_id == world.simulator.records["a@x.org"]["Id"]


@pytest.mark.parametrize("status", [200, 204])
def test_a_row_without_a_result_is_ambiguous(world, monkeypatch, status):
    """forrest#233, OpenFn/adaptors#886 (204): it may have been written, and nobody may say that it was not."""
    monkeypatch.setattr(world.simulator.bulk, "_results", lambda *_: httpx.Response(status))
    answer = world.send(world.row(0, "a@x.org"))[0]
    assert (answer.fate, answer.code) == ("ambiguous", "NO_RESULT")


def test_a_batch_too_many_today_is_no_rows_fault(world):
    """The quota of batches: the job fails before a row, and the chunk goes again with another job."""
    world.simulator.bulk.batches_left = 0
    with pytest.raises(NotSent, match="ExceededQuota"):
        world.send(world.row(0, "a@x.org"))
    world.simulator.bulk.batches_left = 1
    assert world.send(world.row(0, "a@x.org"))[0].status == "sent"


def test_what_one_upload_has_no_room_for_goes_with_the_next_run(world, monkeypatch):
    """forcedotcom/cli#1460: few rows that are large."""
    monkeypatch.setattr(BulkPolicy, "upload_bytes", 3_000)
    world.simulator.bulk.max_bytes = 4_000
    answers = world.send(*[_row(n, f"p{n}@x.org", Note__c="x" * 900, Tier__c="gold") for n in range(5)])
    assert {one.code for one in answers.values()} == {"", "NOT_SENT_YET"}
    assert [one.fate for one in answers.values()].count("sent") == len(world.simulator.records) > 0


def _slow(world, monkeypatch):
    """Let a job take longer than a chunk may."""
    world.simulator.bulk.polls = 1_000
    monkeypatch.setattr(RequestPolicy, "chunk_seconds", 0.0)


def test_a_job_at_work_is_asked_before_anything_else(world, monkeypatch):
    """simple-salesforce#638: it seems stuck. Nothing is sent again; the job's own answer comes later."""
    _slow(world, monkeypatch)
    monkeypatch.setattr(RequestPolicy, "chunk_seconds", 0.5)
    with pytest.raises(Transient, match="asked again") as caught:
        world.send(world.row(0, "a@x.org"))
    assert not isinstance(caught.value, NotSent)
    world.simulator.bulk.polls = 0
    assert world.send(world.row(0, "a@x.org"))[0].status == "sent"
    assert (world.times("a@x.org"), len(_jobs(world))) == (1, 1)


def test_a_job_whose_closing_was_lost_is_asked(world):
    """It was closed all the same: its rows are written once, and the next attempt makes no other job."""
    world.fail(*[LOST] * 9)
    with pytest.raises(Transient):
        world.send(world.row(0, "a@x.org"))
    world.wire.faults.clear()
    assert world.send(world.row(0, "a@x.org"))[0].status == "sent"
    assert (world.times("a@x.org"), len(_jobs(world))) == (1, 1)


def test_a_job_that_was_never_closed_is_ended(world):
    """The worker died before: what is in it nobody knows, and it has written nothing."""
    world.fail(*[Fault(refused=True)] * 9)
    with pytest.raises(NotSent):
        world.send(world.row(0, "a@x.org"))
    world.wire.faults.clear()
    assert world.send(world.row(0, "a@x.org"))[0].status == "sent"
    assert [job["state"] for job in _jobs(world)] == ["Aborted", "JobComplete"]


def test_a_job_of_a_run_that_was_closed_writes_nothing_any_more(world, monkeypatch):
    """Else it would write back what a later run has taken off: a refusal would be undone."""
    first = world.send(world.row(0, "a@x.org"))[0].crm_id
    world.simulator.bulk.polls = 5
    monkeypatch.setattr(RequestPolicy, "chunk_seconds", 0.5)
    with pytest.raises(Transient):
        world.send(world.row(0, "a@x.org", "platinum"), run="00000002")
    closed = {"at": "2026-03-01T12:00:00+00:00", "unsent": [], "uncertain": ["abc-0001"]}
    world.store.put(
        world.settings.ops_bucket, "outbound/news/00000002/closed.json", json.dumps(closed).encode()
    )
    monkeypatch.setattr(RequestPolicy, "chunk_seconds", 90.0)
    assert world.send(world.leaver(0, "a@x.org", first), run="00000003")[0].status == "removed"
    assert _jobs(world)[-1]["state"] == "Aborted"
    for _ in range(9):  # whoever looks at it now
        world.simulator.bulk._work(_jobs(world)[-1])
    assert world.held("a@x.org") == ""


def test_a_note_that_is_damaged_is_told(world):
    """Nobody guesses which job it was."""
    world.store.put(world.settings.ops_bucket, "outbound/news/00000001/abc-0001/job.json", b"{")
    with pytest.raises(Terminal, match=r"job\.json is damaged"):
        world.send(world.row(0, "a@x.org"))


def test_a_csv_is_what_a_job_asks_for():
    """One header for all rows, in an order that the same rows always have."""
    rows = [_row(0, "a", B__c="1"), _row(1, "b", A__c="", B__c='"')]
    assert csv_of(rows, "Key__c") == b'Key__c,A__c,B__c\na,,1\nb,#N/A,""""\n'
    same = [replace(row, properties=dict(reversed(row.properties.items()))) for row in rows]
    assert csv_of(same, "Key__c") == csv_of(rows, "Key__c")
    assert list(csv.reader(io.StringIO(csv_of(rows, "Key__c").decode())))[2] == ["b", "#N/A", '"']
