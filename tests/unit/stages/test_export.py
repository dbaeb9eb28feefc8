"""A sync is planned again when a row that was missed has become due since it was last planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound.acknowledged import Missed, Standing, State
from lakehouse.stages.export import due_since
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("missed_hours_ago", "noted_hours_ago", "due"),
    [
        ([], 1, False),
        ([24], 1, True),
        ([24.5], 1, True),
        ([25], 1, False),
        ([23], 1, False),
        ([23, 24], 1, True),
    ],
)
def test_a_missed_row_is_due_once(missed_hours_ago, noted_hours_ago, due):
    """Whatever was due before the last plan was part of it."""
    missed = {
        str(hours): Missed("upsert", "failed", "X", (NOW - timedelta(hours=hours)).isoformat(), {})
        for hours in missed_hours_ago
    }
    standing = Standing(State(missed=missed), None, {})
    assert due_since(standing, SYNC, NOW - timedelta(hours=noted_hours_ago), NOW) is due
