"""A run's note gives back its definitions, also those that a later release has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from lakehouse.segments import run_record
from lakehouse.segments.run_record import RunRecord
from tests.support.objects_in_memory import objects_in_memory

if TYPE_CHECKING:
    import pytest

    from lakehouse.settings import Settings

QUIET = {"name": "quiet", "title": "T", "doc": "D", "where": "orders > 3"}


def record(at: datetime, run: str = "1-a") -> RunRecord:
    return RunRecord(run, at.isoformat(), {}, {"quiet": 3}, {}, {"quiet": {**QUIET, "gone_since": 1}})


def test_a_definition_is_as_it_was_but_for_fields_that_are_no_more():
    """One that there was not is none."""
    found = record(datetime(2026, 3, 1, tzinfo=UTC))
    segment = found.segment("quiet")
    assert segment is not None
    assert (segment.where, segment.control_share) == ("orders > 3", 0)
    assert found.segment("loud") is None


def test_the_last_run_up_to_a_moment_is_found(monkeypatch: pytest.MonkeyPatch):
    """Of the same day and of days before; by UTC, whatever zone the moment is said in."""
    objects_in_memory(monkeypatch)
    lake = cast("Settings", SimpleNamespace(ops_bucket="ops"))
    first, second = datetime(2026, 3, 1, 9, 30, tzinfo=UTC), datetime(2026, 3, 3, 9, tzinfo=UTC)
    for at, run in ((first, "1-a"), (second, "2-b")):
        run_record.write(lake, record(at, run))
    moments = {
        first - timedelta(microseconds=1): None,
        first: "1-a",
        second - timedelta(seconds=1): "1-a",
        second.astimezone(timezone(timedelta(hours=8))): "2-b",
        second + timedelta(days=9): "2-b",
    }
    found = {at: run_record.latest(lake, at) for at in moments}
    assert {at: run and run.run for at, run in found.items()} == moments
