"""A sync that ended is taken off by the definition that it last had."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.outbound import log, retired
from lakehouse.outbound.changes import Changes
from lakehouse.outbound.planner import make_plan
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_planner import compared, upserts

SETTINGS = Settings(ops_bucket="ops")
KEY = ("ops", "outbound/news/definition.json")


@pytest.fixture
def store(monkeypatch):
    return objects_in_memory(monkeypatch)


def test_a_definition_that_is_noted_is_read(store):
    """Whole, with its fingerprint; none where nothing was ever sent."""
    assert retired.last_definition(SETTINGS, "news") is None
    retired.note_definition(SETTINGS, SYNC)
    assert retired.last_definition(SETTINGS, "news") == SYNC


@pytest.mark.parametrize("body", [None, b"{broken", b"{}"])
def test_a_log_without_a_definition_says_enough_by_its_chunks(store, body):
    """As logs of before December 2026 do."""
    plan = make_plan(
        SYNC,
        compared(Changes(selected=1, upserts=upserts(1))),
        "00000001",
        datetime(2026, 3, 1, tzinfo=UTC),
        {},
        5,
    )
    log.write_run(SETTINGS, plan.run, plan.chunks)
    if body is not None:
        store.bodies[KEY] = body
    found = retired.last_definition(SETTINGS, "news")
    assert (found.destination, found.object, found.id.property) == ("hubspot", "contacts", "email")
    assert (found.purpose, found.channel, found.writes) == (SYNC.purpose, SYNC.channel, SYNC.writes)
