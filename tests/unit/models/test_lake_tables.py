"""One look sees one set of snapshots, and what it wrote itself."""

from __future__ import annotations

import pytest

from lakehouse.errors import CommitConflict
from lakehouse.models import registry
from lakehouse.models.lake_tables import LakeTables
from lakehouse.tables import commit, model_note
from tests.support.small_company import SmallCompany

RATES = {"currency": "EUR", "day": None, "rate": 1.1}


@pytest.fixture
def company(lake) -> SmallCompany:
    company = SmallCompany({})
    company.fill("core.home_currency", {"currency": "USD"})
    return company


def look(company: SmallCompany) -> LakeTables:
    return LakeTables(company.settings, registry.load().in_order)


def test_what_comes_after_it_began_is_not_seen(company):
    """Nor a table that is made meanwhile."""
    lake = look(company)
    head = commit.head(lake.by_name["core.home_currency"])
    company.fill("core.home_currency", {"currency": "EUR"})
    company.fill("core.home_rates", RATES)
    model = registry.load().by_table["core.home_rates"]
    assert lake.expected_inputs(model)["core.home_currency"] == head
    assert "core.home_rates" not in lake.by_name
    assert look(company).expected_inputs(model)["core.home_currency"] != head


def test_what_another_run_filled_is_not_written_over(company):
    """Its rows may be of newer inputs."""
    model = registry.load().by_table["core.home_rates"]
    lake = look(company)
    assert lake.to_write(model).current_snapshot() is None
    company.fill("core.home_rates", RATES)
    with pytest.raises(CommitConflict, match=r"core\.home_rates was written by another run"):
        lake.to_write(model)
    lake.reload(model)
    assert lake.to_write(model).current_snapshot() is not None


def test_what_is_wrong_is_noted_where_there_is_a_table(company):
    """A model that never filled one has none to note it in: `status` says it of the definition."""
    lake = look(company)
    lake.note("core.home_currency", "wrong")
    lake.note("core.home_rates", "wrong")
    assert model_note.noted(look(company).by_name["core.home_currency"]) == "wrong"
