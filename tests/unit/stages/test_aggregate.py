"""Models, then the announcements; a wrong model is an error when all else is done."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lakehouse import signals
from lakehouse.errors import BadDefinition
from lakehouse.models import runner
from lakehouse.models.runner import ModelRun
from lakehouse.settings import Settings
from lakehouse.stages import aggregate, score
from lakehouse.tables import catalog as catalogs

SETTINGS = Settings()


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
    assert aggregate.aggregate(SETTINGS) == tables
    assert steps == expected
    assert asked == [{"besides": ("core.consents", "core.consent_answers")}]


def test_scores_come_after_the_announcements_and_are_announced_too(steps, monkeypatch):
    """Segments wait for no score; and what a score meets is no reason that nobody hears of the marts."""
    monkeypatch.setattr(runner, "run", lambda *_, **__: ModelRun([Committed("marts.customer_360", 1)]))

    def run(_):
        steps.append("scores")
        return [Committed("marts.clv", 2)]

    monkeypatch.setattr(score, "run", run)
    assert aggregate.aggregate(SETTINGS) == ["marts.customer_360", "marts.clv"]
    assert steps == ["marts.customer_360 1", "scores", "marts.clv 2"]


def test_wrong_models_are_an_error_at_the_end(steps, monkeypatch):
    """All of them are named."""
    monkeypatch.setattr(runner, "run", lambda *_, **__: ModelRun([], ["a.sql: x", "b.sql: y"]))
    with pytest.raises(BadDefinition, match=r"^a\.sql: x; b\.sql: y$"):
        aggregate.aggregate(SETTINGS)
    assert steps == ["marts.customer_360 "]


def test_models_that_read_scores_run_again_once_these_have_changed(steps, monkeypatch, tmp_path):
    """And no others: nothing waits for the next tick."""
    model = tmp_path / "models" / "marts" / "worth.sql"
    model.parent.mkdir(parents=True)
    header = "doc: d\ngrain: g\nkey: [customer_id]\ncolumns: [{name: customer_id, doc: d}]"
    model.write_text(f"/*\n{header}\n*/\nSELECT customer_id FROM marts.clv\n", "utf-8")
    asked = []

    def run(_, **which):
        asked.append(which)
        return ModelRun(
            [Committed("marts.worth", 3)] if "only" in which else [Committed("marts.customer_360", 1)]
        )

    monkeypatch.setattr(runner, "run", run)
    settings = Settings(definitions=tmp_path)
    assert aggregate.aggregate(settings) == ["marts.customer_360"]
    assert len(asked) == 1
    monkeypatch.setattr(score, "run", lambda _: [Committed("marts.clv", 2)])
    assert aggregate.aggregate(settings) == ["marts.customer_360", "marts.clv", "marts.worth"]
    assert asked[2] == {"only": {"marts.worth"}}
    assert steps[-2:] == ["marts.clv 2", "marts.worth 3"]
