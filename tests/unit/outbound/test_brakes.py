"""A plan that looks like a mistake is stopped, until somebody says that it is meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from lakehouse.outbound import brakes
from lakehouse.outbound.brakes import Brake, Totals, find_brake, is_accepted
from lakehouse.outbound.definition import Brakes
from lakehouse.outbound.policies.definition import Contact
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
EMPTY = Brake("empty_audience", 5, 5)


@pytest.mark.parametrize(
    ("totals", "kind"),
    [
        (Totals(selected=0, held=0, leaving=0, to_send=0), None),
        (Totals(selected=0, held=1, leaving=1, to_send=0), "empty_audience"),
        (Totals(selected=5, held=15, leaving=10, to_send=0), None),  # few people, whatever the share
        (Totals(selected=5, held=16, leaving=11, to_send=0), "shrunken_audience"),
        (Totals(selected=900, held=1000, leaving=500, to_send=0), None),
        (Totals(selected=900, held=1000, leaving=501, to_send=0), "shrunken_audience"),
        (Totals(selected=10_000, held=0, leaving=0, to_send=10_000), None),
        (Totals(selected=10_001, held=0, leaving=0, to_send=10_001), "first_run"),
        (Totals(selected=10_001, held=1, leaving=0, to_send=10_001), None),
        (Totals(selected=10_001, held=0, leaving=0, to_send=10_000), None),  # the rest is left out
    ],
)
def test_a_plan_is_stopped_by_its_totals(totals, kind):
    """Nobody selected, too many leaving, or a large first run."""
    found = find_brake(SYNC, totals)
    assert (found.kind if found else None) == kind
    if found:
        assert "lakehouse publish news --accept" in found.reason("news")


def test_a_sync_may_say_otherwise():
    """In its own file."""
    sync = SYNC.model_copy(update={"brakes": Brakes(leaving_share=0.01, leaving_rows=0, first_run_rows=1)})
    assert find_brake(sync, Totals(9, 100, 1, 0)) is None
    assert find_brake(sync, Totals(9, 100, 2, 0)) == Brake("shrunken_audience", 2, 100)
    assert find_brake(sync, Totals(2, 0, 0, 2)) == Brake("first_run", 2, 2)


@pytest.mark.parametrize(
    ("refusals", "contacted", "refused", "stops"),
    [
        ("refusals: {share: 0.02, least_contacted: 100}", 100, 2, False),
        ("refusals: {share: 0.02, least_contacted: 100}", 100, 3, True),
        ("refusals: {share: 0.02, least_contacted: 100}", 99, 99, False),  # of few nothing can be said
        ("refusals: {share: 0, least_contacted: 1}", 1, 1, True),
        ("refusals: null", 1000, 1000, False),
    ],
)
def test_a_sync_stops_when_too_many_refuse(refusals, contacted, refused, stops):
    """Whatever else is well; one that contacts nobody never does."""
    sync = SYNC.model_copy(update={"contact": Contact.model_validate(yaml.safe_load(refusals))})
    totals = Totals(10, 10, 0, 1, contacted, refused)
    found = find_brake(sync, totals)
    assert found == (Brake("refusals", refused, contacted) if stops else None)
    assert not stops or f"{refused} of the {contacted} whom it wrote to lately refused" in found.reason(
        "news"
    )
    assert find_brake(SYNC, totals) is None


@pytest.mark.parametrize(
    ("accepted", "counts"),
    [
        ({"kind": "empty_audience", "rows": 5, "at": NOW.isoformat()}, True),
        ({"kind": "empty_audience", "rows": 4, "at": NOW.isoformat()}, False),
        ({"kind": "first_run", "rows": 5, "at": NOW.isoformat()}, False),
        ({"kind": "empty_audience", "rows": 5, "at": (NOW - timedelta(days=1)).isoformat()}, False),
        ({"kind": "empty_audience", "rows": 5, "at": "yesterday"}, False),
        ({"kind": "empty_audience", "rows": "5", "at": NOW.isoformat()}, False),
        ({}, False),
    ],
)
def test_a_word_counts_for_what_was_told_and_for_a_day(accepted, counts):
    """No more rows than somebody has seen."""
    assert is_accepted(EMPTY, accepted, NOW) is counts


def test_what_is_stopped_can_be_accepted_once(monkeypatch):
    """And is forgotten when it has gone."""
    store = objects_in_memory(monkeypatch)
    assert brakes.accept(SETTINGS, "news", NOW, "ann") is None
    brakes.put_on(SETTINGS, "news", EMPTY, NOW)
    assert brakes.standing(SETTINGS, "news") == (EMPTY, NOW.isoformat())
    assert brakes.all_standing(SETTINGS) == {
        "news": {"kind": "empty_audience", "reason": EMPTY.reason("news"), "since": NOW.isoformat()}
    }
    assert brakes.accept(SETTINGS, "news", NOW, "ann") == EMPTY
    assert is_accepted(EMPTY, brakes.accepted(SETTINGS, "news"), NOW)
    brakes.take_off(SETTINGS, "news")
    assert (brakes.standing(SETTINGS, "news"), brakes.accepted(SETTINGS, "news")) == (None, {})
    store.bodies["ops", "outbound/news/brake.json"] = b"{broken"
    assert brakes.standing(SETTINGS, "news") is None
