"""From statements that land to the gate: what is computed, projected, and asked; whatever becomes of anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.resolve.handler import handler
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.models import registry
from lakehouse.privacy import answers, consent
from lakehouse.stages import aggregate, consents
from lakehouse.stages.policy import ConsentLanePolicy
from lakehouse.stages.resolve import resolve
from lakehouse.tables import catalog as catalogs
from tests.support import small_company
from tests.support.model_cases import own_model
from tests.support.small_company import SmallCompany, forget

EVENT = {"Records": [{"messageId": "1", "receiptHandle": "1", "body": "{}", "attributes": {}}]}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def known(company, monkeypatch, shelf) -> SmallCompany:
    """Two contacts, of whom the first said Yes and the second No; nothing is projected."""
    with small_company.kept(monkeypatch, shelf) as fresh:
        if fresh:
            contacts(company, "1.csv", "Yes", "No")
            aggregate.models.run(company.settings)
    return company


def land(company: SmallCompany, name: str, *said: str) -> None:
    """Load a version of the contacts, each with what it says and the day of it, which is when it changed, too."""
    lines = ["Record ID,Email,Marketing consent,Marketing consent date,Create Date,Last Modified Date"]
    for n, words in enumerate(said, start=1):
        word, _, day = words.partition(" ")
        day = day or "2026-01-01"
        lines.append(f"{n},p{n}@x.org,{word},{day if word else ''},2025-01-01,{day}")
    company.load("hubspot/contacts", name, "\n".join(lines) + "\n")


def contacts(company: SmallCompany, name: str, *said: str) -> None:
    """Load a version of the contacts, and resolve."""
    land(company, name, *said)
    resolve(company.settings)
    company.announced()


def willing(company: SmallCompany) -> set[str]:
    """The e-mail addresses that may be written to at this moment."""
    people = company.ask(
        "select customer_id, identifier_value from core.identities where identifier_type = 'email'"
    )
    found = consent.grants(company.settings, people, "marketing", "email", datetime.now(UTC))
    return {address for _, address in found.consent_ids}


def test_what_was_granted_is_projected_and_what_was_withdrawn_is_not(known):
    """`publish` asks the projection, so it follows each change of the answers; an empty cell is none."""
    assert consents.refresh_consents(known.settings) is True
    assert willing(known) == {"p1@x.org"}
    contacts(known, "2.csv", "", "Yes 2026-01-02")
    consents.refresh_consents(known.settings)
    assert willing(known) == {"p1@x.org", "p2@x.org"}
    contacts(known, "3.csv", "No 2026-01-03", "")
    consents.refresh_consents(known.settings)
    assert willing(known) == {"p2@x.org"}
    assert consents.refresh_consents(known.settings) is False


def test_without_consents_there_is_no_projection(company):
    """Nothing allows nothing."""
    assert consents.refresh_consents(company.settings) is False
    assert consent.generation(company.settings, datetime.now(UTC)) == "none"


def test_a_refusal_reaches_the_gate_while_every_mart_fails(known, monkeypatch, tmp_path):
    """And while files wait for ingest: the lane waits for neither, but for the time between two of its runs."""
    monkeypatch.setattr(ConsentLanePolicy, "refresh_every", timedelta(0))
    handler(EVENT, None)
    assert willing(known) == {"p1@x.org"}
    for table in registry.shipped():
        if table.startswith("marts."):
            own_model(tmp_path, table, swap=("SELECT", "SELECT no_such_column,"))
    (tmp_path / "models" / "nobody.sql").write_text("SELECT 1", "utf-8")  # not even a header
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    land(known, "2.csv", "No 2026-01-02", "No")
    aggregate.signals.send(known.queues["ingest"], [{}])
    handler(EVENT, None)
    assert willing(known) == set()
    with pytest.raises(BadDefinition, match=r"nobody\.sql"):
        aggregate.aggregate(known.settings)


def test_a_refusal_reaches_the_gate_while_identities_fail(known, monkeypatch):
    """Those that are there say whose address it is."""
    handler(EVENT, None)

    def broken(_):
        raise Terminal("no more identities")

    monkeypatch.setattr(consents.resolve, "resolve", broken)
    land(known, "2.csv", "No 2026-01-02", "No")
    with pytest.raises(Terminal, match="no more identities"):
        consents.resolve_and_refresh(known.settings, known.queues["resolve"], EVENT)
    assert willing(known) == set()


def test_a_withdrawal_that_comes_during_the_projection_is_not_lost(known, monkeypatch):
    """The projection says which snapshot it tells, and tells that one: the next look sees that there is a newer."""
    consents.refresh_consents(known.settings)
    current = answers.Answers.current

    def overtaken(settings):
        seen = current(settings)
        contacts(known, "2.csv", "No 2026-01-02", "Yes 2026-01-02")
        aggregate.models.run(settings)
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(answers.Answers, "current", overtaken)
        consents.project_consents(known.settings)
    assert willing(known) == {"p1@x.org"}
    assert consents.project_consents(known.settings) is True
    assert willing(known) == {"p2@x.org"}


def test_an_older_truth_never_undoes_a_newer_one(known, monkeypatch):
    """A run that was slow to begin with an older snapshot must not bring a withdrawn grant back."""
    old = catalogs.open_catalog(known.settings).load_table("core.consent_answers")
    contacts(known, "2.csv", "No 2026-01-02", "No")
    consents.refresh_consents(known.settings)
    with monkeypatch.context() as patch:
        patch.setattr(answers.catalogs, "load", lambda _, name: old if name.endswith("answers") else None)
        assert consents.project_consents(known.settings) is False
    assert willing(known) == set()


def test_differences_are_read_from_the_snapshots_that_the_table_has_kept(known):
    """Refusals first; what was projected by a version that is gone cannot be compared with."""
    before = answers.Answers.current(known.settings)
    contacts(known, "2.csv", "No 2026-01-02", "Yes 2026-01-02")
    consents.refresh_consents(known.settings)
    now = answers.Answers.current(known.settings)
    found = [
        (each.phase, each.address, each.consent_id is not None, each.counted)
        for each in now.differences([before.version])
    ]
    assert found == [(0, "p1@x.org", False, True), (1, "p2@x.org", True, False)]
    assert [each.address for each in now.grants()] == ["p2@x.org"]
    assert list(now.differences([now.version])) == []
    both = now.differences([now.version, before.version])
    assert [(each.address, each.counted) for each in both] == [("p1@x.org", False), ("p2@x.org", True)]
    assert now.differences(["12345"]) is None


def test_an_old_projection_is_renewed_before_it_ends(known, monkeypatch):
    """Else everybody would be withheld three days after the last change."""
    consents.refresh_consents(known.settings)
    assert consents.refresh_consents(known.settings) is False

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=40)

    monkeypatch.setattr(consents, "datetime", Later)
    assert consents.refresh_consents(known.settings) is True


def test_while_files_wait_the_lane_runs_now_and_then(company, monkeypatch):
    """Not for each of them: a hint behind them comes, and the clock may be set back."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    consents.refresh_consents(company.settings)
    now = datetime.now(UTC)
    assert consents._is_due(company.settings, now)
    monkeypatch.setattr(consents, "has_messages", lambda _: True)
    assert not consents._is_due(company.settings, now)
    assert consents._is_due(company.settings, now + timedelta(minutes=1))
    assert consents._is_due(company.settings, now - timedelta(days=1))
