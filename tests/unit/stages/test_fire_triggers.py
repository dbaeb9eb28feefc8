"""The triggers stage: a rule is asked when it may give other reasons, and its rows follow."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from functions.trigger.handler import handler
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.models.triggers import definition
from lakehouse.stages import fire_triggers
from lakehouse.stages.fire_triggers import fire
from lakehouse.stages.status import _wrong_definitions
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import TRIGGERS
from tests.support.model_looks import Company
from tests.support.small_company import forget

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULE = """name: leads
title: New leads
doc: Each lead once.
within: 2 hours
sql: |
  SELECT customer_id, lead_id AS cause, created_at AS due_at, channel AS about FROM core.leads WHERE valid_to IS NULL
"""


@pytest.fixture
def company(lake, tmp_path, monkeypatch) -> Company:
    """A lake with one rule of people's own, and none of the shipped ones."""
    (tmp_path / "definitions" / "triggers").mkdir(parents=True)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    forget()
    monkeypatch.setattr(definition._load, "_shipped_cached", dict)
    definition._load.cache_clear = lambda: None
    company = Company({})
    write(company, "leads", RULE)
    return company


def write(company: Company, name: str, text: str) -> None:
    (company.settings.definitions / "triggers" / f"{name}.yaml").write_text(text, "utf-8")


def leads(company: Company, *rows: tuple[str, str, datetime]) -> None:
    company.fill("core.leads", *({"source": "crm", "customer_id": who, "lead_id": lead, "created_at": at,
                                  "valid_from": at} for who, lead, at in rows))  # fmt: skip


def rows(company: Company) -> list[tuple]:
    return company.ask(
        "SELECT customer_id, cause, fired_at, cancelled_at FROM marts.triggers ORDER BY customer_id, cause"
    )


def heads(company: Company) -> int:
    return len(catalogs.open_catalog(company.settings).load_table(TRIGGERS.name).metadata.snapshots)


def at(company: Company, now: datetime) -> fire_triggers.Fired:
    """Look; another look at the same moment has nothing to do."""
    outcome = fire(company.settings, now)
    assert fire_triggers.pending(company.settings, now) == []
    assert fire(company.settings, now).asked == []
    return outcome


def test_an_empty_lake_has_no_triggers(company):
    """No table is made, and nothing is asked."""
    assert at(company, NOON) == fire_triggers.Fired()
    assert catalogs.table_names(catalogs.open_catalog(company.settings)) == []


def test_time_alone_makes_a_reason_due(company):
    """Without a new event; one that was due too long ago is nobody's any more."""
    leads(company, ("ann", "L1", NOON + HOUR), ("bob", "L2", NOON - 3 * HOUR))
    assert at(company, NOON).fired == 0
    assert at(company, NOON + HOUR - timedelta(seconds=1)).asked == []
    assert at(company, NOON + HOUR).fired == 1
    assert rows(company) == [("ann", "L1", NOON + HOUR, None)]
    assert at(company, NOON + 5 * HOUR).asked == []


def test_a_reason_that_is_gone_cancels_its_row_and_one_that_is_back_lets_it_stand(company):
    """As long as it is of use; then it stays as it was, and no row ever goes."""
    leads(company, ("ann", "L1", NOON))
    at(company, NOON)
    leads(company)
    assert at(company, NOON + HOUR).cancelled == 1
    assert rows(company) == [("ann", "L1", NOON, NOON + HOUR)]
    leads(company, ("ann", "L1", NOON))
    at(company, NOON + HOUR + timedelta(minutes=1))
    assert rows(company) == [("ann", "L1", NOON, None)]
    leads(company)
    at(company, NOON + 3 * HOUR)
    assert rows(company) == [("ann", "L1", NOON, None)]
    leads(company, ("ann", "L1", NOON))
    at(company, NOON + 4 * HOUR)
    assert rows(company) == [("ann", "L1", NOON, None)]


def test_a_row_waits_while_its_reason_is_to_come_again(company):
    """Somebody is back at the cart: nobody writes to them until they have left it again; it stays one row."""
    leads(company, ("ann", "L1", NOON))
    at(company, NOON)
    leads(company, ("ann", "L1", NOON + HOUR))
    half = NOON + HOUR / 2
    at(company, half)
    assert rows(company) == [("ann", "L1", NOON, half)]
    at(company, NOON + HOUR)
    assert rows(company) == [("ann", "L1", NOON, None)]


def test_inputs_that_change_nothing_move_no_head(company):
    """What was asked is noted; who reads the table has nothing to do."""
    leads(company, ("ann", "L1", NOON))
    at(company, NOON)
    before = rows(company)
    leads(company, ("ann", "L1", NOON), ("bob", "L0", NOON - 9 * HOUR))
    assert at(company, NOON + HOUR).asked == ["leads"]
    assert rows(company) == before


def test_customers_that_merge_are_not_told_twice(company):
    """A row goes by the name that its customer has now; of two that so become one the first is kept under it."""
    leads(company, ("ann", "L1", NOON), ("bob", "L1", NOON), ("bob", "L2", NOON))
    company.fill("core.identities", {"identifier_type": "user_id", "identifier_value": "u1", "customer_id": "ann",
                                     "first_customer_id": "ann"})  # fmt: skip
    assert at(company, NOON).fired == 3
    leads(company, ("ann", "L1", NOON), ("ann", "L2", NOON))
    tie = {
        "identifier_type": "user_id",
        "identifier_value": "u1",
        "customer_id": "ann",
        "first_customer_id": "ann",
    }
    company.fill("core.identities", tie, tie | {"identifier_value": "u2", "first_customer_id": "bob"})
    assert at(company, NOON + HOUR).fired == 0
    assert rows(company) == [
        ("ann", "L1", NOON, None),
        ("ann", "L2", NOON, None),
        ("bob", "L1", NOON, NOON + HOUR),
    ]


def test_a_wrong_rule_stops_only_itself_and_keeps_its_rows(company):
    """Whether its file or its SQL is wrong; `status` names it."""
    write(company, "others", RULE.replace("name: leads", "name: others"))
    leads(company, ("ann", "L1", NOON))
    assert at(company, NOON).fired == 2
    before = rows(company)
    for wrong, says in (
        (RULE.replace("within:", "for:"), "for: unknown name"),
        (RULE.replace("lead_id AS cause", "no_such AS cause"), "no_such"),
        (
            RULE.replace("created_at AS due_at", "CAST(channel || 'x' AS TIMESTAMPTZ) AS due_at"),
            "leads.yaml: sql",
        ),
    ):
        write(company, "leads", wrong)
        leads(company, ("ann", "L1", NOON), ("bob", "L2", NOON - 5 * HOUR))
        company.fill("core.leads", {"source": "crm", "customer_id": "ann", "lead_id": "L1", "created_at": NOON,
                                    "valid_from": NOON, "channel": "c"})  # fmt: skip
        outcome = at(company, NOON + HOUR)
        assert "others" in outcome.asked
        assert says in outcome.wrong["leads"]
        catalog = catalogs.open_catalog(company.settings)
        told = _wrong_definitions(company.settings, {TRIGGERS.name: catalog.load_table(TRIGGERS.name)})
        assert [each["name"] for each in told if each["kind"] == "trigger"] == ["leads"]
        assert rows(company) == before
        write(company, "leads", RULE)
        at(company, NOON + HOUR)


def test_the_rows_of_a_rule_that_is_taken_away_are_cancelled(company):
    """Nobody says any more that there is a reason; once."""
    leads(company, ("ann", "L1", NOON))
    at(company, NOON)
    (company.settings.definitions / "triggers" / "leads.yaml").unlink()
    write(company, "others", RULE.replace("name: leads", "name: others").replace("2 hours", "3 hours"))
    at(company, NOON + HOUR)
    assert {row[3] for row in rows(company)} == {None, NOON + HOUR}
    (company.settings.definitions / "triggers" / "others.yaml").unlink()
    assert fire(company.settings, NOON + HOUR + timedelta(minutes=1)).cancelled == 1


def test_a_look_that_another_was_before_commits_nothing(company, monkeypatch):
    """And the function leaves it to the next minute."""
    leads(company, ("ann", "L1", NOON))
    settle = fire_triggers._Look.settle

    def overtaken(look, con):
        monkeypatch.setattr(fire_triggers._Look, "settle", settle)
        fire(company.settings, NOON)
        settle(look, con)

    monkeypatch.setattr(fire_triggers._Look, "settle", overtaken)
    with pytest.raises(CommitConflict):
        fire(company.settings, NOON)
    assert len(rows(company)) == 1
    monkeypatch.setattr(
        "functions.trigger.handler.fire", lambda _: (_ for _ in ()).throw(CommitConflict("x"))
    )
    assert handler({"schedule": "trigger"}, None) == {"fired": 0, "cancelled": 0}


def test_the_preview_says_what_would_become_of_each_reason(company):
    """And writes nothing."""
    leads(company, ("ann", "L1", NOON), ("gil", "L5", NOON))
    at(company, NOON)
    now = NOON + HOUR
    leads(
        company,
        ("ann", "L1", NOON),
        ("bob", "L2", now),
        ("cleo", "L3", now + HOUR),
        ("dan", "L4", now - 9 * HOUR),
    )
    with closing(fire_triggers.preview(company.settings, "leads", now)) as found:
        becomes = {row[1]: row[4] for row in found.fetchall()}
    assert becomes == {"L1": "is there", "L2": "new", "L3": "to come", "L4": "too late"}
    assert len(rows(company)) == 2
    with pytest.raises(Terminal, match="there is no trigger lead; did you mean leads"):
        fire_triggers.preview(company.settings, "lead", now)
    listed = fire_triggers.listed(company.settings)
    assert [(each["name"], each["rows"]) for each in listed] == [("leads", 2)]


def test_a_row_says_by_which_rule_from_which_snapshots(company):
    """For whoever asks why."""
    leads(company, ("ann", "L1", NOON))
    at(company, NOON)
    [(version, inputs)] = company.ask("SELECT rule_version, inputs FROM marts.triggers")
    assert version == definition.load(company.settings.definitions).defined["leads"].version
    assert "core.leads" in json.loads(inputs)
