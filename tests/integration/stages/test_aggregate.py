"""Models, then the announcement: each whatever became of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.stages import aggregate
from lakehouse.stages.resolve import resolve
from tests.support import small_company
from tests.support.model_cases import own_model
from tests.support.small_company import SmallCompany, forget


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def known(company, monkeypatch, shelf) -> SmallCompany:
    """Models have run on two contacts."""
    with small_company.kept(monkeypatch, shelf) as fresh:
        if fresh:
            company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01", "2,Bob,bob@x.org,C2,No,2026-01-01")
            resolve(company.settings)
            aggregate.models.run(company.settings)
            company.announced()
    return company


def test_the_marts_are_announced_even_when_nothing_moved(known):
    """Segments may have missed the last hint; they look for themselves."""
    assert aggregate.aggregate(known.settings) == []
    assert known.announced() == ["marts.customer_360"]


def test_consents_are_left_to_their_lane(company):
    """`resolve` computes and projects them, before any mart."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    resolve(company.settings)
    assert "core.contacts" in aggregate.pending(company.settings)
    computed = aggregate.aggregate(company.settings)
    assert "core.contacts" in computed
    assert {"core.consents", "core.consent_answers"}.isdisjoint(computed)
    assert aggregate.pending(company.settings) == []


def test_a_wrong_model_does_not_stop_the_announcement(known, monkeypatch, tmp_path):
    """Its own error is told at the end, so that the message comes again and an alarm rings."""
    own_model(tmp_path, "marts.daily_activity", swap=("s.visitors", "s.nonsense"))
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    with pytest.raises(BadDefinition, match=r"marts/daily_activity\.sql: Binder Error"):
        aggregate.aggregate(known.settings)
    assert known.announced() == ["marts.customer_360"]
