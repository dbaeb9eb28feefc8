"""Models, then the consent projection, then the announcement: in this order, and each whatever became of another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.privacy import consent
from lakehouse.stages import aggregate
from lakehouse.stages.resolve import resolve
from tests.support import small_company
from tests.support.small_company import SmallCompany, forget


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def known(company, monkeypatch, shelf) -> SmallCompany:
    """Models have run on two contacts, of whom the first said Yes and the second No; nothing is projected."""
    with small_company.kept(monkeypatch, shelf) as fresh:
        if fresh:
            contacts(company, "1.csv", "Yes", "No")
            aggregate.models.run(company.settings)
    return company


def contacts(company: SmallCompany, name: str, *said: str) -> None:
    """Load a version of the contacts, saying Yes, No or nothing at all, and resolve."""
    rows = (
        f"{n},P{n},p{n}@x.org,C{n},{word},{'2026-01-01' if word else ''}"
        for n, word in enumerate(said, start=1)
    )
    company.contacts(name, *rows)
    resolve(company.settings)
    company.announced()


def willing(company: SmallCompany) -> set[str]:
    """The e-mail addresses of those who may be written to at this moment."""
    people = dict(company.ask("select customer_id, email from core.customers"))
    return {
        people[who]
        for who in consent.grants(
            company.settings, people, "marketing", "email", datetime.now(UTC)
        ).consent_ids
    }


def test_what_was_granted_is_projected_and_what_was_withdrawn_is_not(known):
    """`publish` asks the projection, so it follows each change of the consents."""
    aggregate.aggregate(known.settings)
    assert willing(known) == {"p1@x.org"}
    contacts(known, "2.csv", "", "Yes")
    assert "core.consents" in aggregate.aggregate(known.settings)
    assert willing(known) == {"p2@x.org"}


def test_without_consents_there_is_no_projection(company):
    """Nothing allows nothing."""
    assert aggregate.project_consents(company.settings) is False
    assert consent.generation(company.settings, datetime.now(UTC)) == "none"


def test_the_projection_stands_before_segments_hear_of_the_marts(known, monkeypatch):
    """What is planned without it is withheld, and goes out minutes later for no reason."""
    contacts(known, "2.csv", "Yes", "Yes")
    order = []
    project, announce = aggregate.project_consents, aggregate.signals.table_committed
    monkeypatch.setattr(aggregate, "project_consents", lambda s: order.append("projected") or project(s))
    monkeypatch.setattr(aggregate.signals, "table_committed", lambda *a: order.append(a[1]) or announce(*a))
    aggregate.aggregate(known.settings)
    assert order[0] == "projected"
    assert order.count("marts.customer_360") == 1
    assert "marts.customer_360" in known.announced()


def test_the_marts_are_announced_even_when_nothing_moved(known):
    """Segments may have missed the last hint; they look for themselves."""
    assert aggregate.aggregate(known.settings) == []
    assert known.announced() == ["marts.customer_360"]


def test_a_withdrawal_that_comes_during_the_projection_is_not_lost(known, monkeypatch):
    """The projection says which snapshot it tells, and tells that one: the next look sees that there is a newer."""
    project = consent.project
    rows = []

    def slow(settings, grants, *arguments, **more):
        contacts(known, "2.csv", "No", "Yes")
        aggregate.models.run(known.settings)
        rows.extend(grants)
        return project(settings, rows, *arguments, **more)

    monkeypatch.setattr(consent, "project", slow)
    aggregate.project_consents(known.settings)
    monkeypatch.setattr(consent, "project", project)
    assert willing(known) == {"p1@x.org"}
    assert aggregate.project_consents(known.settings) is True
    assert willing(known) == {"p2@x.org"}


def test_an_older_truth_never_undoes_a_newer_one(known, monkeypatch):
    """A run that was slow to begin with an older snapshot must not bring a withdrawn grant back."""
    old = aggregate.catalogs.open_catalog(known.settings).load_table("core.consents")
    contacts(known, "2.csv", "No", "No")
    aggregate.aggregate(known.settings)
    with monkeypatch.context() as patch:
        patch.setattr(aggregate.catalogs, "load", lambda *_: old)
        assert aggregate.project_consents(known.settings) is False
    assert willing(known) == set()


def test_a_wrong_model_stops_neither_projection_nor_announcement(known, monkeypatch, tmp_path):
    """Its own error is told at the end, so that the message comes again and an alarm rings."""
    (tmp_path / "models").mkdir()
    sql = next(model.sql for model in registry.load() if model.table == "marts.daily_activity")
    (tmp_path / "models" / "mine.sql").write_text(sql.replace("s.visitors", "s.nonsense"), "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    with pytest.raises(BadDefinition, match=r"mine\.sql: Binder Error"):
        aggregate.aggregate(known.settings)
    assert willing(known) == {"p1@x.org"}
    assert known.announced() == ["marts.customer_360"]


def test_an_old_projection_is_renewed_before_it_ends(known, monkeypatch):
    """Else everybody would be withheld three days after the last change."""
    aggregate.project_consents(known.settings)
    first = consent.generation(known.settings, datetime.now(UTC))
    assert aggregate.project_consents(known.settings) is False

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=40)

    monkeypatch.setattr(aggregate, "datetime", Later)
    assert aggregate.project_consents(known.settings) is True
    assert consent.generation(known.settings, datetime.now(UTC)) != first
