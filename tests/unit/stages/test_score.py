"""Scores run when what they are computed from changed, write what differs, and say how good they are."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.models import registry
from lakehouse.scores.policy import ScoreRunPolicy
from lakehouse.stages import score
from lakehouse.tables import appending, views
from lakehouse.tables import catalog as catalogs
from tests.support.small_company import SmallCompany, forget

TODAY = date(2026, 6, 30)
ALL = ["marts.clv", "marts.churn_risk", "marts.next_products", "marts.vip_propensity"]


@pytest.fixture
def company(lake, monkeypatch) -> SmallCompany:
    """A lake without a row, whose scores never rest."""
    monkeypatch.setattr(ScoreRunPolicy, "rest", timedelta(0))
    return as_of(monkeypatch, TODAY)


def as_of(monkeypatch, day: date) -> SmallCompany:
    monkeypatch.setenv("LAKEHOUSE_AS_OF", day.isoformat())
    forget()
    return SmallCompany({})


def orders(customers: int, longest: int = 100, seed: int = 8) -> pa.Table:
    """Orders of customers who come again, some more often and for more than others; the first are always the same."""
    rng = np.random.default_rng(seed)
    who, ago, value = [], [], []
    for number in range(customers):
        visits, own = 1 + rng.poisson(rng.gamma(0.8, 3)), rng.gamma(4, 10)
        who += [f"c{number:03}"] * visits
        ago += rng.integers(0, longest, visits).tolist()
        value += rng.gamma(6, own / 6, visits).round(2).tolist()
    return pa.table(
        {
            "source": ["shop"] * len(who),
            "order_id": [f"O{number:05}" for number in range(len(who))],
            "customer_id": who,
            "ordered_on": [TODAY - timedelta(days=days) for days in ago],
            "gross": value,
            "is_order": [True] * len(who),
        }
    )


def fill(company: SmallCompany, name: str, rows: pa.Table) -> None:
    """Replace what a table holds by these rows; other columns are null."""
    catalog = catalogs.open_catalog(company.settings)
    contract = registry.load().contracts[name]
    table = catalogs.ensure(catalog, contract)
    with closing(duck.connect(company.settings, iceberg=False)) as con:
        con.register("given", rows)
        con.execute(f"CREATE TABLE filled AS {views.nothing_sql(contract)}")
        con.execute("INSERT INTO filled BY NAME SELECT * FROM given")
        query = "SELECT * FROM filled"
        appending.replace_query(con, table, query, f"test-{uuid.uuid4()}", computed_from={})


def run(company: SmallCompany) -> list[str]:
    """Run what is stale; return the tables that changed. Afterwards nothing is pending."""
    pending = score.pending(company.settings)
    changed = [committed.table for committed in score.run(company.settings)]
    assert set(changed) <= set(pending)
    assert score.pending(company.settings) == []
    return changed


def test_an_empty_lake_has_no_scores(company):
    """Nothing is computed from nothing, and no table is made."""
    assert run(company) == []
    assert catalogs.table_names(catalogs.open_catalog(company.settings)) == []


def test_scores_are_computed_once_and_say_where_they_are_from(company):
    """By which model, from which snapshots, when; another look finds nothing to do and writes nothing."""
    fill(company, "core.order_values", orders(150))
    company.fill("core.home_currency", {"currency": "CNY", "orders": 1})
    assert score.pending(company.settings) == ALL
    assert run(company)[:2] == ALL[:2]
    rows = company.ask(
        "select model_version, inputs, computed_at, as_of, currency, value_365d from marts.clv"
    )
    assert len(rows) == 150
    assert {row[0] for row in rows} == {"clv-1 bg_nbd + gamma_gamma"}
    assert len({row[1] for row in rows}) == len({row[2] for row in rows}) == 1
    head = catalogs.open_catalog(company.settings).load_table("core.order_values").current_snapshot()
    assert json.loads(rows[0][1])["core.order_values"] == str(head.snapshot_id)
    assert {row[3:5] for row in rows} == {(TODAY, "CNY")}
    assert all(row[5] > 0 for row in rows)
    snapshots = company.snapshots()
    assert run(company) == []
    assert company.snapshots() == snapshots


def test_every_run_leaves_its_quality(company):
    """A row a score: what was used, how good it was, or why there is nothing."""
    fill(company, "core.order_values", orders(150, longest=400))
    run(company)
    said = "{'m': method, 'r': reason, 'c': customers, 'f': figures, 'e': mae}"
    runs = dict(company.ask(f"select score, {said} from marts.score_runs"))
    assert runs["marts.clv"]["m"] == "bg_nbd + gamma_gamma"
    assert runs["marts.clv"]["c"] == 150
    assert runs["marts.clv"]["e"] > 0
    assert json.loads(runs["marts.clv"]["f"])["bg_nbd_log_likelihood"] < 0
    assert runs["marts.vip_propensity"]["m"] == "none"
    assert "are needed" in runs["marts.vip_propensity"]["r"]
    nothing = company.ask("select count(*), count(vip_probability), count(is_vip) from marts.vip_propensity")
    assert nothing == [(150, 0, 150)]


@pytest.mark.parametrize("customers", [1, 20])
def test_a_small_lake_has_rows_without_scores(company, customers):
    """And one row a score that says why."""
    fill(company, "core.order_values", orders(customers))
    assert set(run(company)) >= {"marts.clv", "marts.churn_risk", "marts.vip_propensity"}
    for table, column in (("clv", "value_30d"), ("churn_risk", "churn_probability")):
        assert company.ask(f"select count(*), count({column}) from marts.{table}") == [(customers, 0)]
    assert company.ask("select count(*) from marts.score_runs where method <> 'none' or reason is null") == [
        (0,)
    ]


def test_what_is_computed_anew_and_the_same_is_no_news(company):
    """Other inputs, the same scores: no row moves, no head, no run is noted; only what was looked at."""
    fill(company, "core.order_values", orders(150))
    run(company)
    before = company.ask("from marts.clv order by all")
    runs = company.ask("select count(*) from marts.score_runs")
    company.fill("core.tickets", {"source": "desk", "ticket_id": "1", "customer_id": "nobody"})
    assert score.pending(company.settings) == ["marts.clv", "marts.churn_risk", "marts.vip_propensity"]
    assert run(company) == []
    assert company.ask("from marts.clv order by all") == before
    assert company.ask("select count(*) from marts.score_runs") == runs


def test_a_row_keeps_its_time_until_its_score_changes(company):
    """A customer more: the row is new, the others are as they were, since their scores are."""
    fill(company, "core.order_values", orders(40))
    run(company)
    ask = "select customer_id, inputs, computed_at from marts.churn_risk order by all"
    before = company.ask(ask)
    fill(company, "core.order_values", orders(41))
    assert "marts.churn_risk" in run(company)
    after = company.ask(ask)
    assert after[:-1] == before
    assert after[-1][0] == "c040"
    assert after[-1][2] > before[-1][2]
    assert company.ask("select count(*) from marts.score_runs where score = 'marts.churn_risk'") == [(2,)]


def test_another_day_is_another_score(company, monkeypatch):
    """It looks ahead from that day."""
    fill(company, "core.order_values", orders(150))
    run(company)
    (before,) = company.ask("select sum(probability_alive) from marts.clv")[0]
    later = as_of(monkeypatch, TODAY + timedelta(days=30))
    assert score.pending(later.settings) == ALL
    run(later)
    (after,) = later.ask("select sum(probability_alive) from marts.clv")[0]
    assert after < before
    assert later.ask("select distinct as_of from marts.clv") == [(TODAY + timedelta(days=30),)]


def test_other_numbers_compute_anew(company, monkeypatch):
    """A policy's number is part of what rows were computed from."""
    fill(company, "core.order_values", orders(20))
    run(company)
    changed = score.Score(**{**vars(score.SCORES[0]), "policies": ("another",)})
    monkeypatch.setattr(score, "SCORES", (changed, *score.SCORES[1:]))
    assert score.pending(company.settings) == ["marts.clv"]


def test_products_are_named_as_in_their_shop(company):
    """Ranked for each customer, and what was bought before is said to be."""
    fill(company, "core.order_values", orders(120))
    numbers = orders(120)["order_id"].to_pylist()
    lines = {
        "source": ["shop"] * len(numbers),
        "order_id": numbers,
        "line_id": ["1"] * len(numbers),
        "product_id": [f"P{number % 7}" for number in range(len(numbers))],
    }
    fill(company, "core.order_items", pa.table(lines))
    assert "marts.next_products" in run(company)
    rows = company.ask("select customer_id, rank, source, product_id from marts.next_products order by 1, 2")
    assert {row[2] for row in rows} == {"shop"}
    assert {row[3] for row in rows} == {f"P{number}" for number in range(7)}
    assert len(rows) == len({row[:2] for row in rows}) == len({(row[0], row[3]) for row in rows})


def test_who_was_first_wins_and_the_run_is_noted_once(company, monkeypatch):
    """A run that broke off after it was noted is computed again, and its note stands already."""
    fill(company, "core.order_values", orders(150))
    real = appending.replace_written

    def refused(*_, **__):
        raise CommitConflict("another run was first")

    monkeypatch.setattr(appending, "replace_written", refused)
    with pytest.raises(CommitConflict):
        score.run(company.settings)
    monkeypatch.setattr(appending, "replace_written", real)
    assert "marts.clv" in run(company)
    assert company.ask("select count(*) from marts.score_runs where score = 'marts.clv'") == [(1,)]


def test_new_rows_alone_are_no_reason_for_another_run_at_once(company, monkeypatch):
    """A busy shop would compute without end; another day, and a clock that was set back, are reasons."""
    fill(company, "core.order_values", orders(20))
    run(company)
    monkeypatch.setattr(ScoreRunPolicy, "rest", timedelta(minutes=10))
    fill(company, "core.order_values", orders(21))
    assert score.pending(company.settings) == []
    assert score.run(company.settings) == []
    assert score.pending(as_of(monkeypatch, TODAY + timedelta(days=1)).settings) == ALL
    as_of(monkeypatch, TODAY)
    monkeypatch.setattr(ScoreRunPolicy, "rest", timedelta(0))
    assert "marts.clv" in run(company)
