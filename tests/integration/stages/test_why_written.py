"""Why somebody was written to: from the records alone, and nothing of anybody else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from lakehouse import objects
from lakehouse.errors import Terminal
from lakehouse.outbound import log
from lakehouse.stages import export
from lakehouse.stages.books import keep_books
from lakehouse.stages.why_written import UNDER_WAY, why
from tests.integration.stages.test_export import SYNC, compute, publish

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany

SAID = datetime(2026, 2, 1, tzinfo=UTC)


def identities(company: SmallCompany, **owners: str) -> None:
    """Let e-mails be of customers, and nobody else's: name of the address → customer."""
    company.fill(
        "core.identities",
        *(
            {
                "customer_id": customer,
                "identifier_type": "email",
                "identifier_value": f"{name}@x.org",
                "rule": "own",
                "sources": 1,
                "records": 1,
            }
            for name, customer in owners.items()
        ),
    )


@pytest.fixture
def known(company) -> SmallCompany:
    """A CRM that was told of Ann and Bob, whose statements are on file; the books have it."""
    compute(company, c_ann=10, c_bob=20)
    identities(company, c_ann="c_ann", c_bob="c_bob")
    export.export(company.settings)
    publish(company)
    keep_books(company.settings)
    return company


def test_what_was_sent_is_told_with_the_values_it_came_from(known):
    """As they were when the run was planned, whatever has been computed since."""
    company = known
    company.fill(
        "marts.customer_360",
        *({"customer_id": n, "as_of": date(2026, 4, 1), "revenue": Decimal(999)} for n in ("c_ann", "c_bob")),
    )
    found = why(company.settings, " c_Ann@X.org ")
    assert found.customers == ("c_ann",)
    (sent,) = found.deliveries
    assert (sent.sync, sent.action, sent.outcome, sent.id) == (SYNC, "upsert", "sent", "c_ann@x.org")
    values = {each.table: each for each in sent.values}
    assert [row["segment"] for row in values["ops.segment_members"].rows] == ["high_value"]
    assert [row["revenue"] for row in values["marts.customer_360"].rows] == [Decimal(10)]
    assert {each.standing for each in sent.values} == {"kept"}
    chunk = log.chunk(company.settings, SYNC, sent.run, sent.chunk)
    assert sent.properties == next(row.properties for row in chunk.rows if row.customer_id == "c_ann")
    assert len(sent.claims) == 1
    assert [key.rsplit("/", 1)[1] for key in sent.objects] == [
        "run.json",
        "rows.json",
        "claim.json",
        "outcome.json",
    ]


def test_snapshots_that_expired_are_told(known):
    """What cannot be known any more is said, not made up from what is there now."""
    sent = why(known.settings, "c_ann").deliveries[0]
    run = log.run(known.settings, SYNC, sent.run)
    assert run is not None
    other = run.inputs["marts.customer_360"] + "0"
    key = f"outbound/{SYNC}/{sent.run}/run.json"
    changed = run.to_json() | {"inputs": run.inputs | {"marts.customer_360": other}}
    objects.put(known.settings.ops_bucket, key, json.dumps(changed).encode())
    values = {
        each.table: (each.standing, each.rows) for each in why(known.settings, "c_ann").deliveries[0].values
    }
    assert values["marts.customer_360"] == ("expired", ())
    assert values["ops.segment_members"] == ("expired", ())
    assert values["marts.rfm"][0] == "kept"


def test_what_the_books_do_not_have_yet_is_told(company):
    """A chunk that is under way, and one that was answered just now."""
    compute(company, c_ann=10)
    identities(company, c_ann="c_ann")
    export.export(company.settings)
    (under_way,) = why(company.settings, "c_ann@x.org").deliveries
    assert under_way.outcome == UNDER_WAY
    publish(company)
    (sent,) = why(company.settings, "c_ann@x.org").deliveries
    assert (sent.outcome, sent.outcome_at != "") == ("sent", True)
    keep_books(company.settings)
    assert [each.outcome for each in why(company.settings, "c_ann@x.org").deliveries] == ["sent"]


def test_who_is_withheld_is_told_why(company):
    """And that nothing was written."""
    compute(company, c_ann=10, c_bob=20)
    company.fill("core.consent_answers")
    identities(company, c_ann="c_ann", c_bob="c_bob")
    export.export(company.settings)
    keep_books(company.settings)
    found = why(company.settings, "c_bob").deliveries
    assert [(each.outcome, each.reason, each.is_written) for each in found] == [
        ("withheld", "consent", False)
    ]


def test_the_statement_that_allowed_it_is_told(known):
    """As it is now: one that was recalled since says so."""
    chunk = why(known.settings, "c_ann").deliveries[0]
    known.fill(
        "core.consents",
        {"consent_id": "s1", "customer_id": "c_ann", "purpose": "marketing", "channel": "email", "granted": True,
         "source": "shop", "record": "7", "stated_at": SAID, "recalled_at": SAID},
    )  # fmt: skip
    known.fill(
        "ops.deliveries",
        {"sync": SYNC, "run": chunk.run, "chunk": chunk.chunk, "customer_id": "c_ann", "action": "upsert",
         "outcome": "sent", "consent_id": "s1", "outcome_at": SAID},
    )  # fmt: skip
    (sent,) = why(known.settings, "c_ann").deliveries
    assert sent.statement is not None
    assert (sent.statement["record"], sent.statement["recalled_at"]) == ("7", SAID)


def test_nothing_is_told_of_whoever_had_the_customer_s_name_before(known):
    """Ann's address went to Cy, since two people had been one: each hears of what went to them."""
    identities(known, c_ann="c_cy", c_bob="c_bob", c_eve="c_ann")
    known.fill(
        "ops.audit_log",
        {"audit_id": "1", "decided_at": SAID, "action": "split", "subject": "c_ann",
         "detail": json.dumps({"customer_id": "c_cy"})},
    )  # fmt: skip
    assert why(known.settings, "c_ann").deliveries == ()
    assert why(known.settings, "c_eve@x.org").deliveries == ()
    assert [each.id for each in why(known.settings, "c_ann@x.org").deliveries] == ["c_ann@x.org"]
    assert [each.id for each in why(known.settings, "c_bob").deliveries] == ["c_bob@x.org"]


def test_a_merged_customer_hears_of_both(known):
    """What was sent under a name that is no more."""
    identities(known, c_ann="c_bob", c_bob="c_bob")
    known.fill(
        "ops.audit_log",
        {"audit_id": "1", "decided_at": SAID, "action": "merge", "subject": "c_ann",
         "detail": json.dumps({"customer_id": "c_bob"})},
    )  # fmt: skip
    assert {each.id for each in why(known.settings, "c_bob").deliveries} == {"c_ann@x.org", "c_bob@x.org"}


def test_an_address_that_is_nobody_s_now_still_finds_what_went_there(known):
    """The CRM holds it, and our own state says for whom."""
    export.export(known.settings)  # folds what was answered
    identities(known, c_bob="c_bob")
    found = why(known.settings, "c_ann@x.org")
    assert [each.id for each in found.deliveries] == ["c_ann@x.org"]


def test_nobody_and_no_sync_are_told(known):
    """With what to do."""
    with pytest.raises(Terminal, match="lakehouse identity explain"):
        why(known.settings, "nobody@x.org")
    with pytest.raises(Terminal, match="never planned anything"):
        why(known.settings, "c_ann", "hubspot_segment")
    assert [each.sync for each in why(known.settings, "c_ann", SYNC).deliveries] == [SYNC]
