"""A run is closed when nobody is sending a chunk of it: what was not begun counts as not sent, else uncertain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound import closing, log
from lakehouse.outbound.log import Closed
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.outbound.records import Outcome, Run
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
COUNTS = (
    "selected", "unchanged", "to_send", "to_remove", "failed_waiting", "withheld_waiting", "unknown", "no_consent",
    "no_address", "same_address",
)  # fmt: skip
MINUTE, OVER = timedelta(minutes=1), timedelta(0)


@pytest.fixture(autouse=True)
def _store(monkeypatch):
    monkeypatch.setattr(DeliveryPolicy, "closing_seconds", 0.0)
    return objects_in_memory(monkeypatch)


def a_run(chunks: int) -> Run:
    made = Run("news", "00000001", "plan", NOW.isoformat(), {}, "d", chunks, **dict.fromkeys(COUNTS, 0))
    return log.write_run(SETTINGS, made, [])


def claim(run: Run, name: str, lease: timedelta) -> log.Claim:
    made = log.claim(SETTINGS, run.sync, run.run, name, NOW, lease)
    assert made is not None
    return made


def finish(run: Run, name: str) -> None:
    log.write_outcome(SETTINGS, Outcome(run.sync, run.run, name, 1, NOW.isoformat(), []))


def test_chunks_count_as_what_is_known_of_them() -> None:
    """One that is done counts by its outcome; one that was given back untouched was not sent."""
    run = a_run(5)
    done, never, broke_off, given_back, twice = run.chunk_ids()
    claim(run, done, MINUTE)
    finish(run, done)
    claim(run, broke_off, OVER)
    log.release(SETTINGS, "news", run.run, given_back, claim(run, given_back, MINUTE), nothing_left=True)
    claim(run, twice, OVER)
    log.release(SETTINGS, "news", run.run, twice, claim(run, twice, MINUTE), nothing_left=True)
    assert closing.close(SETTINGS, run, NOW)
    assert log.closed(SETTINGS, run) == Closed(NOW.isoformat(), [never, given_back], [broke_off, twice])
    assert log.open_chunks(SETTINGS, run) == {}


def test_a_run_is_not_closed_while_somebody_sends_a_chunk_of_it() -> None:
    """No chunk is begun meanwhile, and the next look closes it."""
    run = a_run(2)
    sent, never = run.chunk_ids()
    mine = claim(run, sent, MINUTE)
    assert not closing.close(SETTINGS, run, NOW)
    assert log.closed(SETTINGS, run) is None
    assert log.is_closing(SETTINGS, "news", run.run)
    log.release(SETTINGS, "news", run.run, sent, mine)
    assert closing.close(SETTINGS, run, NOW)
    assert log.closed(SETTINGS, run) == Closed(NOW.isoformat(), [never], [sent])


def test_a_worker_that_ends_meanwhile_is_waited_for(monkeypatch) -> None:
    """What it sent counts by its outcome."""
    run = a_run(2)
    sent, never = run.chunk_ids()
    claim(run, sent, MINUTE)
    monkeypatch.setattr(DeliveryPolicy, "closing_seconds", 60.0)
    monkeypatch.setattr(closing.time, "sleep", lambda _: finish(run, sent))  # the worker's part, in the pause
    assert closing.close(SETTINGS, run, NOW)
    assert log.closed(SETTINGS, run) == Closed(NOW.isoformat(), [never], [])


def test_closing_again_changes_nothing() -> None:
    """The first word stands, whenever another planner closes it."""
    run = a_run(1)
    assert closing.close(SETTINGS, run, NOW)
    assert closing.close(SETTINGS, run, NOW + MINUTE)
    assert log.closed(SETTINGS, run) == Closed(NOW.isoformat(), run.chunk_ids(), [])


def test_a_run_that_is_done_needs_no_word() -> None:
    """All its outcomes are there."""
    run = a_run(1)
    finish(run, *run.chunk_ids())
    assert closing.close(SETTINGS, run, NOW)
    assert log.closed(SETTINGS, run) is None
