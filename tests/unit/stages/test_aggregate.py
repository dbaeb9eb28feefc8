"""Models, then the projection, then the announcements; a wrong model is an error when all else is done."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lakehouse import signals
from lakehouse.errors import BadDefinition
from lakehouse.models import runner
from lakehouse.models.runner import ModelRun
from lakehouse.stages import aggregate
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
    monkeypatch.setattr(aggregate, "project_consents", lambda _: done.append("project"))
    monkeypatch.setattr(signals, "table_committed", lambda _, table, head: done.append(f"{table} {head}"))
    monkeypatch.setattr(catalogs, "open_catalog", lambda _: None)
    monkeypatch.setattr(catalogs, "load", lambda *_: None)
    return done


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([], ["project", "marts.customer_360 "]),
        (["core.orders"], ["project", "core.orders 1", "marts.customer_360 "]),
        (["core.orders", "marts.customer_360"], ["project", "core.orders 1", "marts.customer_360 1"]),
    ],
)
def test_the_marts_are_announced_once_after_the_projection(steps, monkeypatch, tables, expected):
    """Also when they did not change: segments may have missed the last hint."""
    outcome = ModelRun([Committed(table, 1) for table in tables])
    monkeypatch.setattr(runner, "run", lambda _: outcome)
    assert aggregate.aggregate(None) == tables
    assert steps == expected


def test_wrong_models_are_an_error_at_the_end(steps, monkeypatch):
    """All of them are named."""
    monkeypatch.setattr(runner, "run", lambda _: ModelRun([], ["a.sql: x", "b.sql: y"]))
    with pytest.raises(BadDefinition, match=r"^a\.sql: x; b\.sql: y$"):
        aggregate.aggregate(None)
    assert steps[0] == "project"
