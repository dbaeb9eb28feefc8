"""Models, then the announcements; a wrong model is an error when all else is done."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lakehouse import signals
from lakehouse.errors import BadDefinition
from lakehouse.models import runner
from lakehouse.models.runner import ModelRun
from lakehouse.stages import aggregate, score
from lakehouse.tables import catalog as catalogs


@dataclass
class Committed:
    """A commit, as far as it is announced."""

    table: str
    snapshot_id: int


@pytest.fixture
def steps(monkeypatch) -> list[str]:
    """What is done, in order."""
    done: list[str] = []
    monkeypatch.setattr(signals, "table_committed", lambda _, table, head: done.append(f"{table} {head}"))
    monkeypatch.setattr(catalogs, "open_catalog", lambda _: None)
    monkeypatch.setattr(catalogs, "load", lambda *_: None)
    monkeypatch.setattr(score, "run", lambda _: [])
    return done


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([], ["marts.customer_360 "]),
        (["core.orders"], ["core.orders 1", "marts.customer_360 "]),
        (["core.orders", "marts.customer_360"], ["core.orders 1", "marts.customer_360 1"]),
    ],
)
def test_the_marts_are_announced_once(steps, monkeypatch, tables, expected):
    """Also when they did not change: segments may have missed the last hint. Consents have a lane of their own."""
    outcome = ModelRun([Committed(table, 1) for table in tables])
    asked = []
    monkeypatch.setattr(runner, "run", lambda _, **which: asked.append(which) or outcome)
    assert aggregate.aggregate(None) == tables
    assert steps == expected
    assert asked == [{"besides": ("core.consents", "core.consent_answers")}]


def test_scores_come_after_the_announcements_and_are_announced_too(steps, monkeypatch):
    """Segments wait for no score; and what a score meets is no reason that nobody hears of the marts."""
    monkeypatch.setattr(runner, "run", lambda *_, **__: ModelRun([Committed("marts.customer_360", 1)]))

    def run(_):
        steps.append("scores")
        return [Committed("marts.clv", 2)]

    monkeypatch.setattr(score, "run", run)
    assert aggregate.aggregate(None) == ["marts.customer_360", "marts.clv"]
    assert steps == ["marts.customer_360 1", "scores", "marts.clv 2"]


def test_wrong_models_are_an_error_at_the_end(steps, monkeypatch):
    """All of them are named."""
    monkeypatch.setattr(runner, "run", lambda *_, **__: ModelRun([], ["a.sql: x", "b.sql: y"]))
    with pytest.raises(BadDefinition, match=r"^a\.sql: x; b\.sql: y$"):
        aggregate.aggregate(None)
    assert steps == ["marts.customer_360 "]
