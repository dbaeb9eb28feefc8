"""A small note answers whether there is news; what it cannot say for certain, it leaves to the fold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound import log, planning_note
from lakehouse.outbound.acknowledged import Missed, State
from lakehouse.outbound.changes import Changes
from lakehouse.outbound.planner import make_plan
from lakehouse.outbound.planning_note import PlanningNote
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_planner import compared, upserts

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
SEEN = {"inputs": {"a": "1"}, "definition": "d"}
KEY = ("ops", "outbound/news/planned.json")


@pytest.fixture
def store(monkeypatch):
    return objects_in_memory(monkeypatch)


def note(run: str = "", *, due_in_hours: float | None = None) -> PlanningNote:
    due = None if due_in_hours is None else (NOW + timedelta(hours=due_in_hours)).isoformat()
    return PlanningNote(SEEN, NOW.isoformat(), run, due, held=3)


def planned(number: str) -> str:
    """Write a run of one chunk; return the chunk's name."""
    plan = make_plan(SYNC, compared(Changes(selected=1, upserts=upserts(1))), number, NOW, {}, 5)
    return log.write_run(SETTINGS, plan.run, plan.chunks).chunk_ids()[0]


def settles(one: PlanningNote, seen=SEEN) -> bool:
    return one.settles(SETTINGS, "news", seen, NOW)


def missed(*hours_ago: float) -> State:
    return State(
        missed={
            str(hours): Missed("upsert", "failed", "X", (NOW - timedelta(hours=hours)).isoformat(), {})
            for hours in hours_ago
        }
    )


def test_a_note_that_is_written_is_read(store):
    """And none is none."""
    assert planning_note.read(SETTINGS, "news") is None
    planning_note.write(SETTINGS, "news", note("00000001", due_in_hours=3))
    assert planning_note.read(SETTINGS, "news") == note("00000001", due_in_hours=3)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"seen": {"inputs"',
        b"[]",
        b"null",
        b'{"seen": {}, "at": "2026-03-01T12:00:00+00:00"}',  # of before 2026-11-29
        json.dumps(  # of before December 2026
            {"seen": {}, "at": NOW.isoformat(), "run": "", "folded": True, "due": None}
        ).encode(),
        json.dumps({"seen": {}, "at": "yesterday", "run": "", "due": None}).encode(),
        json.dumps({"seen": {}, "at": "2026-03-01T12:00:00", "run": "", "due": None}).encode(),
        json.dumps({"seen": {}, "at": NOW.isoformat(), "run": 3, "due": None}).encode(),
        json.dumps({"seen": {}, "at": NOW.isoformat(), "run": "", "due": 5}).encode(),
        b"\xff\xfe\x00",
    ],
)
def test_a_damaged_note_is_none(store, body, capsys):
    """Cut in half, empty, of an older release: it is named in the log, and written anew."""
    store.bodies[KEY] = body
    assert planning_note.read(SETTINGS, "news") is None


def test_it_settles_what_it_has_seen(store):
    """Nothing else; and no run that came after it."""
    assert settles(note())
    assert not settles(note(), {**SEEN, "definition": "other"})
    planned("00000001")
    assert not settles(note())
    assert settles(note("00000001"))
    assert settles(note("00000007"))  # a log that was cleared away


def test_chunks_of_a_planner_that_died_are_no_run(store):
    """Their folder is there, and nobody took its number."""
    planned("00000001")
    store.bodies["ops", "outbound/news/00000002/bbbbbbbb-0001/rows.json"] = b"{}"
    assert settles(note("00000001"))


@pytest.mark.parametrize(("hours", "settled"), [(-1, False), (0, False), (0.1, True)])
def test_a_row_that_is_due_is_news(store, hours, settled):
    """From that moment on."""
    assert settles(note(due_in_hours=hours)) is settled


@pytest.mark.parametrize(
    ("missed_hours_ago", "noted_hours_ago", "due_in_hours"),
    [
        ([], 1, None),
        ([24], 1, 0),
        ([24.5], 1, -0.5),
        ([25], 1, None),  # it was due by then, and part of that plan
        ([23], 1, 1),
        ([23, 24], 1, 0),
        ([1, 23], 0, 1),
    ],
)
def test_a_missed_row_is_due_once(missed_hours_ago, noted_hours_ago, due_in_hours):
    """Whatever was due before the last plan was part of it."""
    due = planning_note.next_due(missed(*missed_hours_ago), SYNC, NOW - timedelta(hours=noted_hours_ago))
    assert due == (None if due_in_hours is None else NOW + timedelta(hours=due_in_hours))
