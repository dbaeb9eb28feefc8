"""The outbound log keeps one run a number, one outcome a chunk and one claim at a time."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import steady_clock
from lakehouse.errors import Terminal
from lakehouse.outbound import log
from lakehouse.outbound.changes import Changes
from lakehouse.outbound.planner import make_plan
from lakehouse.outbound.records import Chunk, Outcome, Run
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_planner import compared, upserts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(minutes=2)
SETTINGS = Settings(ops_bucket="ops")
CHUNK = ("news", "00000001", "a-0001")


@pytest.fixture(autouse=True)
def store(monkeypatch):
    return objects_in_memory(monkeypatch)


def write(rows: int, chunk_rows: int = 2, number: str = "00000001") -> Run:
    changes = Changes(selected=rows, upserts=upserts(rows))
    plan = make_plan(SYNC, compared(changes), number, NOW, {}, chunk_rows)
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
    log.release(SETTINGS, *CHUNK, second)
    third = log.claim(SETTINGS, *CHUNK, NOW + LEASE, LEASE)
    assert third == log.read_claim(SETTINGS, *CHUNK, 3)
    assert log.read_claim(SETTINGS, *CHUNK, 0) is None
    assert log.read_claim(SETTINGS, *CHUNK, 4) is None


@pytest.mark.parametrize("keep", [0, 0.5])
@pytest.mark.parametrize("name", ["run.json", "rows.json", "outcome.json"])
def test_a_damaged_object_is_named_with_what_to_do(store, name, keep):
    """Cut in half or empty: by key, and it can be had back."""
    run = write(1)
    (chunk,) = run.chunk_ids()
    log.write_outcome(SETTINGS, Outcome("news", run.run, chunk, 1, NOW.isoformat(), []))
    (key,) = (key for key in store.bodies if key[1].endswith(name))
    store.bodies[key] = store.bodies[key][: int(len(store.bodies[key]) * keep)]
    read = {
        "run.json": lambda: log.run(SETTINGS, "news", run.run),
        "rows.json": lambda: log.chunk(SETTINGS, "news", run.run, chunk),
        "outcome.json": lambda: log.outcome(SETTINGS, "news", run.run, chunk),
    }
    with pytest.raises(
        Terminal, match=rf"s3://{key[0]}/{key[1]} is damaged .*: restore its previous version"
    ):
        read[name]()


@pytest.mark.parametrize("body", [b"", b'{"token": "a"', b"{}", b"[]"])
def test_a_damaged_claim_counts_as_over(store, body):
    """The chunk waits for nobody; the next worker's claim is the second."""
    write(1)
    log.claim(SETTINGS, *CHUNK, NOW, LEASE)
    (key,) = (key for key in store.bodies if key[1].endswith("claim.json"))
    store.bodies[key] = body
    second = log.claim(SETTINGS, *CHUNK, NOW, LEASE)
    assert (second.attempt, log.read_claim(SETTINGS, *CHUNK, 2)) == (2, second)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not name their start")
@pytest.mark.parametrize("step", [timedelta(0), -LEASE / 2, -LEASE, timedelta(days=-1), timedelta(days=1)])
def test_on_one_machine_a_claim_lasts_for_its_lease(monkeypatch, step):
    """Wherever the wall clock is set to meanwhile."""
    seconds = [1_000.0]
    monkeypatch.setattr(steady_clock, "steady_seconds", lambda: seconds[0])
    laptop = SETTINGS.model_copy(update={"catalog": "rest"})
    log.claim(laptop, *CHUNK, NOW, LEASE)
    seconds[0] += LEASE.total_seconds() - 1
    assert log.claim(laptop, *CHUNK, NOW + LEASE + step, LEASE) is None
    seconds[0] += 1
    assert log.claim(laptop, *CHUNK, NOW + LEASE + step, LEASE) is not None


@pytest.mark.parametrize("back", [timedelta(0), LEASE / 2, timedelta(days=1)])
def test_a_claim_that_was_released_stays_so(back):
    """Wherever the clock is set to afterwards."""
    first = log.claim(SETTINGS, *CHUNK, NOW, LEASE)
    log.release(SETTINGS, *CHUNK, first)
    assert log.claim(SETTINGS, *CHUNK, NOW + LEASE / 2 - back, LEASE) is not None


@pytest.mark.parametrize("back", [timedelta(minutes=5), timedelta(days=1), timedelta(days=20_000)])
def test_a_claim_from_the_future_keeps_nobody_out(back):
    """The clock was set back since: nobody knows when its lease ends. Two machines' clocks may differ a little."""
    log.claim(SETTINGS, *CHUNK, NOW, LEASE)
    assert log.claim(SETTINGS, *CHUNK, NOW - timedelta(seconds=4), LEASE) is None
    second = log.claim(SETTINGS, *CHUNK, NOW - back, LEASE)
    assert second.attempt == 2
    assert log.claim(SETTINGS, *CHUNK, NOW - back, LEASE) is None


def test_since_when_a_chunk_waits_is_noted_once():
    """By its first call; a note from the future begins anew."""
    waiting = Chunk(*CHUNK, "crm", "contacts", "email", "marketing", "email", [])
    assert log.waiting_since(SETTINGS, waiting, NOW) == NOW
    assert log.waiting_since(SETTINGS, waiting, NOW + LEASE) == NOW
    for _ in range(2):
        assert log.waiting_since(SETTINGS, waiting, NOW - timedelta(hours=1)) == NOW - timedelta(hours=1)
