"""The outbound log keeps one run a number, one outcome a chunk and one claim at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.errors import Terminal
from lakehouse.outbound import log
from lakehouse.outbound.changes import Changes
from lakehouse.outbound.planner import make_plan
from lakehouse.outbound.records import Outcome, Run
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_planner import upserts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(minutes=2)
SETTINGS = Settings(ops_bucket="ops")
CHUNK = ("news", "00000001", "a-0001")


@pytest.fixture(autouse=True)
def _store(monkeypatch):
    objects_in_memory(monkeypatch)


def write(rows: int, chunk_rows: int = 2, number: str = "00000001") -> Run:
    changes = Changes(selected=rows, upserts=upserts(rows))
    plan = make_plan(SYNC, changes, number, NOW, {}, chunk_rows)
    return log.write_run(SETTINGS, plan.run, plan.chunks)


def test_runs_and_their_chunks_are_read_as_they_were_written():
    """In the order of their numbers."""
    first, second = write(3), write(1, number="00000002")
    assert log.syncs(SETTINGS) == ["news"]
    assert list(log.runs(SETTINGS, "news")) == [first, second]
    assert list(log.runs(SETTINGS, "news", after="00000001")) == [second]
    assert (log.run(SETTINGS, "news", "00000002"), log.run(SETTINGS, "news", "00000003")) == (second, None)
    rows = [log.chunk(SETTINGS, "news", first.run, name).rows for name in first.chunk_ids()]
    assert [[row.customer_id for row in chunk] for chunk in rows] == [["c000", "c001"], ["c002"]]
    with pytest.raises(Terminal, match="has no chunk x in run 00000001"):
        log.chunk(SETTINGS, "news", first.run, "x")


def test_a_number_has_one_run():
    """The second planner gets the first one's run."""
    first = write(3)
    assert write(4) == first
    assert list(log.open_chunks(SETTINGS, first)) == first.chunk_ids()


def test_the_first_outcome_of_a_chunk_stands():
    """And with it the chunk is no longer open."""
    run = write(3)
    done, waiting = run.chunk_ids()
    first = Outcome("news", run.run, done, 1, NOW.isoformat(), [])
    assert log.write_outcome(SETTINGS, first) == first
    assert log.write_outcome(SETTINGS, Outcome("news", run.run, done, 2, NOW.isoformat(), [])) == first
    assert log.outcomes(SETTINGS, run) == [(done, first), (waiting, None)]
    assert log.open_chunks(SETTINGS, run) == {waiting: 0}


def test_a_claim_keeps_others_out_until_it_ends():
    """By its lease, or by its owner's word; each attempt is counted."""
    first = log.claim(SETTINGS, *CHUNK, NOW, LEASE)
    assert log.claim(SETTINGS, *CHUNK, NOW + LEASE / 2, LEASE) is None
    second = log.claim(SETTINGS, *CHUNK, NOW + LEASE, LEASE)
    assert (first.attempt, second.attempt) == (1, 2)
    log.release(SETTINGS, *CHUNK, second, NOW + LEASE)
    third = log.claim(SETTINGS, *CHUNK, NOW + LEASE, LEASE)
    assert third == log.read_claim(SETTINGS, *CHUNK, 3)
    assert log.read_claim(SETTINGS, *CHUNK, 0) is None
    assert log.read_claim(SETTINGS, *CHUNK, 4) is None
