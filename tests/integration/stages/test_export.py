"""What a CRM must be told is planned once for each news, and a run that died on the way is made up for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.outbound import log
from lakehouse.outbound.records import Outcome, Result
from lakehouse.privacy import consent
from lakehouse.settings import current
from lakehouse.stages import export
from tests.support.small_company import SmallCompany, forget

SYNC = "hubspot_segments"


def compute(company: SmallCompany, **revenue: int) -> None:
    """Compute the marts of these customers; whoever spent something is of high value."""
    as_of = date(2026, 3, 1)
    marts = [
        {"customer_id": name, "as_of": as_of, "purchase_days": 2, "orders": 2, "revenue": Decimal(spent),
         "recency_days": 5}
        for name, spent in revenue.items()
    ]  # fmt: skip
    company.fill("core.customers", *({"customer_id": name, "email": f"{name}@x.org"} for name in revenue))
    company.fill("marts.customer_360", *marts)
    company.fill(
        "marts.rfm",
        *({"customer_id": n, "as_of": as_of, "m": 5 if spent else 1} for n, spent in revenue.items()),
    )
    company.fill(
        "core.consents",
        *({"customer_id": n, "purpose": "marketing", "channel": "email", "granted": True} for n in revenue),
    )
    allow(company, *revenue)


def allow(company: SmallCompany, *names: str) -> None:
    consent.project(
        company.settings, [(name, "marketing", "email", "k") for name in names], str(names), datetime.now(UTC)
    )


def publish(company: SmallCompany, status: str = "sent", at: datetime | None = None) -> dict[str, str]:
    """Answer for the CRM: write the outcome of each announced chunk; return customer → action."""
    done = {}
    for message in company.hints("publish"):
        chunk = log.chunk(company.settings, message["sync"], message["run"], message["chunk"])
        done |= {row.customer_id: row.action for row in chunk.rows}
        rows = [
            Result(row.row, row.customer_id, row.action, "removed" if row.action == "remove" else status)
            for row in chunk.rows
        ]
        moment = (at or datetime.now(UTC)).isoformat()
        log.write_outcome(
            company.settings, Outcome(message["sync"], message["run"], message["chunk"], 1, moment, rows)
        )
    return done


def runs() -> int:
    return len(list(log.runs(current(), SYNC)))


@pytest.fixture
def known(company) -> SmallCompany:
    """A CRM that knows that Ann and Bob are of high value."""
    compute(company, ann=10, bob=20)
    export.export(company.settings)
    assert publish(company) == {"ann": "upsert", "bob": "upsert"}
    return company


def test_what_is_told_once_is_not_told_again(known):
    """Nothing is pending, and another look plans no run and announces nothing."""
    assert not export.pending(known.settings)
    export.export(known.settings)
    assert (runs(), known.hints("publish")) == (1, [])


def test_a_look_that_finds_nothing_new_does_not_even_ask_who_is_in_the_audience(known, monkeypatch):
    """It comes every few minutes."""
    asked = []
    monkeypatch.setattr(export, "audience", lambda *given: asked.append(given))
    export.export(known.settings)
    assert asked == []
    assert runs() == 1


def test_who_leaves_is_taken_off(known):
    """And who stays is left alone."""
    compute(known, ann=10, bob=0)
    assert export.pending(known.settings)
    export.export(known.settings)
    assert publish(known) == {"bob": "remove"}


@pytest.mark.parametrize("lost", ["marts.rfm", "marts.customer_360"])
def test_marts_that_are_not_computed_remove_nobody(known, lost):
    """A lake that is being rebuilt has no customers for a while; the CRM keeps them."""
    export.catalogs.open_catalog(known.settings).drop_table(lost)
    found = export.export(known.settings)
    assert found.inputs == {}
    assert (runs(), known.hints("publish")) == (1, [])
    assert not export.pending(known.settings)


def test_nothing_computed_yet_plans_nothing(company):
    """The first look of an empty lake."""
    export.export(company.settings)
    assert not export.pending(company.settings)
    assert (log.syncs(company.settings), company.hints("publish")) == ([], [])


def test_a_run_that_died_between_segments_and_plan_is_made_up_for(company, monkeypatch):
    """The segments stand still by then; asked alone, they would never say that the CRM does not know."""
    compute(company, ann=10)
    with monkeypatch.context() as patch:
        patch.setattr(export, "plan_run", lambda *_: pytest.fail("died"))
        with pytest.raises(pytest.fail.Exception):
            export.export(company.settings)
    assert not export.segments.pending(company.settings)
    assert export.pending(company.settings)
    export.export(company.settings)
    assert publish(company) == {"ann": "upsert"}
    assert not export.pending(company.settings)


def test_chunks_without_an_outcome_are_announced_again(company):
    """Their message may be lost."""
    compute(company, ann=10)
    export.export(company.settings)
    assert len(company.hints("publish")) == 1
    assert export.pending(company.settings)
    export.export(company.settings)
    assert runs() == 1
    assert publish(company) == {"ann": "upsert"}
    assert not export.pending(company.settings)


def test_news_that_come_while_chunks_are_open_are_planned_when_they_are_done(company):
    """One open run at a time; what it did not know of is not forgotten."""
    compute(company, ann=10)
    export.export(company.settings)
    compute(company, ann=10, eve=30)
    export.export(company.settings)
    assert runs() == 1
    assert publish(company) == {"ann": "upsert"}
    assert export.pending(company.settings)
    export.export(company.settings)
    assert publish(company) == {"eve": "upsert"}
    assert not export.pending(company.settings)


def test_changed_consents_and_changed_definitions_are_news(known, monkeypatch):
    """Who was withheld goes out when the projection allows it; a changed sync is planned anew."""
    allow(known, "ann")
    assert export.pending(known.settings)
    export.export(known.settings)
    assert not export.pending(known.settings)
    syncs = export.load_syncs(None)
    changed = {name: sync.model_copy(update={"removed": "-"}) for name, sync in syncs.items()}
    monkeypatch.setattr(export, "load_syncs", lambda _: changed)
    assert export.pending(known.settings)


def test_a_row_that_failed_goes_again_when_its_time_has_come(company, monkeypatch):
    """The sync says after how many hours; nothing else need have moved."""
    compute(company, ann=10)
    export.export(company.settings)
    publish(company, "failed")
    export.export(company.settings)
    assert not export.pending(company.settings)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=25)

    monkeypatch.setattr(export, "datetime", Later)
    assert export.pending(company.settings)
    export.export(company.settings)
    assert publish(company) == {"ann": "upsert"}
    assert not export.pending(company.settings)


def test_a_segment_that_is_no_sql_plans_nothing(known, monkeypatch, tmp_path):
    """A broken definition must not look like an empty segment."""
    (tmp_path / "segments").mkdir()
    text = "name: high_value\ntitle: T\ndoc: D\nwhere: nonsense > 1\n"
    (tmp_path / "segments" / "high_value.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    with pytest.raises(BadDefinition, match="segment high_value"):
        export.export(known.settings)
    assert (runs(), known.hints("publish")) == (1, [])
