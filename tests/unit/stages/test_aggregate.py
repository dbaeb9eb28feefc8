"""Models, then the consent projection, then the announcement: in this order, and each whatever became of another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.privacy import consent
from lakehouse.stages import aggregate
from lakehouse.stages.resolve import resolve
from tests.support.works import Works, forget


def contacts(company: Works, name: str, *said: str) -> None:
    """Load a version of Ann and Bob, saying Yes, No or nothing at all, and resolve."""
    rows = (
        f"{n},P{n},p{n}@x.org,C{n},{word},{'2026-01-01' if word else ''}"
        for n, word in enumerate(said, start=1)
    )
    company.contacts(name, *rows)
    resolve(company.settings)
    company.announced()


def willing(company: Works) -> set[str]:
    """The e-mail addresses of those who may be written to at this moment."""
    people = dict(company.ask("select customer_id, email from core.customers"))
    return {people[who] for who in consent.allowed(people, "marketing", "email", datetime.now(UTC))}


def test_what_was_granted_is_projected_and_what_was_withdrawn_is_not(company):
    """`publish` asks the projection, so it follows each change of the consents."""
    contacts(company, "1.csv", "Yes", "No")
    assert "core.consents" in aggregate.aggregate(company.settings)
    assert willing(company) == {"p1@x.org"}
    contacts(company, "2.csv", "", "Yes")
    aggregate.aggregate(company.settings)
    assert willing(company) == {"p2@x.org"}


def test_without_consents_there_is_no_projection(company):
    """Nothing allows nothing."""
    assert aggregate.project_consents(company.settings) is False
    assert consent.generation(datetime.now(UTC)) == "none"


def test_the_projection_stands_before_segments_hear_of_the_marts(company, monkeypatch):
    """What is planned without it is withheld, and goes out minutes later for no reason."""
    contacts(company, "1.csv", "Yes")
    order = []
    project, announce = aggregate.project_consents, aggregate.signals.table_committed
    monkeypatch.setattr(aggregate, "project_consents", lambda s: order.append("projected") or project(s))
    monkeypatch.setattr(aggregate.signals, "table_committed", lambda *a: order.append(a[0]) or announce(*a))
    aggregate.aggregate(company.settings)
    assert order[0] == "projected"
    assert "marts.customer_360" in order
    assert "marts.customer_360" in company.announced()


def test_the_marts_are_announced_even_when_nothing_moved(company):
    """Segments may have missed the last hint; they look for themselves."""
    contacts(company, "1.csv", "Yes")
    aggregate.aggregate(company.settings)
    company.announced()
    assert aggregate.aggregate(company.settings) == []
    assert company.announced() == ["marts.customer_360"]


def test_a_withdrawal_that_comes_during_the_projection_is_not_lost(company, monkeypatch):
    """The projection says which snapshot it tells, and tells that one: the next look sees that there is a newer."""
    contacts(company, "1.csv", "Yes", "Yes")
    aggregate.models.run(company.settings)
    project = consent.project
    rows = []

    def slow(grants, *arguments, **more):
        contacts(company, "2.csv", "No", "Yes")
        aggregate.models.run(company.settings)
        rows.extend(grants)
        return project(rows, *arguments, **more)

    monkeypatch.setattr(consent, "project", slow)
    aggregate.project_consents(company.settings)
    monkeypatch.setattr(consent, "project", project)
    assert len(rows) == 2
    assert aggregate.project_consents(company.settings) is True
    assert willing(company) == {"p2@x.org"}


def test_an_older_truth_never_undoes_a_newer_one(company, monkeypatch):
    """A run that was slow to begin with an older snapshot must not bring a withdrawn grant back."""
    contacts(company, "1.csv", "Yes")
    aggregate.aggregate(company.settings)
    old = aggregate.catalogs.open_catalog(company.settings).load_table("core.consents")
    contacts(company, "2.csv", "No")
    aggregate.aggregate(company.settings)
    monkeypatch.setattr(aggregate.catalogs, "load", lambda *_: old)
    assert aggregate.project_consents(company.settings) is False
    monkeypatch.undo()


def test_a_wrong_model_stops_neither_projection_nor_announcement(company, monkeypatch, tmp_path):
    """Its own error is told at the end, so that the message comes again and an alarm rings."""
    (tmp_path / "models").mkdir()
    sql = next(model.sql for model in registry.load() if model.table == "marts.daily_activity")
    (tmp_path / "models" / "mine.sql").write_text(sql.replace("s.visitors", "s.nonsense"), "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    contacts(company, "1.csv", "Yes")
    with pytest.raises(BadDefinition, match=r"mine\.sql: Binder Error"):
        aggregate.aggregate(company.settings)
    assert willing(company) == {"p1@x.org"}
    assert "marts.customer_360" in company.announced()


def test_an_old_projection_is_renewed_before_it_ends(company, monkeypatch):
    """Else everybody would be withheld three days after the last change."""
    contacts(company, "1.csv", "Yes")
    aggregate.aggregate(company.settings)
    first = consent.generation(datetime.now(UTC))
    aggregate.aggregate(company.settings)
    assert consent.generation(datetime.now(UTC)) == first

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=40)

    monkeypatch.setattr(aggregate, "datetime", Later)
    aggregate.aggregate(company.settings)
    assert consent.generation(datetime.now(UTC)) != first
