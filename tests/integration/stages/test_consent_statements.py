"""A person's word: landed by the common door, audited, and taken back; with every delivery that leaned on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import aws
from lakehouse.errors import Terminal
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import from_object
from lakehouse.stages.consent_questions import answers, explain, normal_name
from lakehouse.stages.consent_statements import Statement, recall, state
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.resolve import resolve
from tests.support import cloud as clouds
from tests.support.small_company import SmallCompany

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def load_landed(company: SmallCompany, prefix: str) -> None:
    """Load what was landed there, and refresh."""
    listed = aws.s3().list_objects_v2(Bucket=clouds.LANDING, Prefix=prefix)["Contents"]
    for entry in listed:
        head = aws.s3().head_object(Bucket=clouds.LANDING, Key=entry["Key"])
        ingest(
            company.settings,
            [from_object(clouds.LANDING, {**head, "key": entry["Key"], "size": entry["Size"]})],
        )
    resolve(company.settings)
    refresh_consents(company.settings)


def audited() -> list[dict]:
    listed = aws.s3().list_objects_v2(Bucket=clouds.OPS, Prefix="audit/consent/").get("Contents", [])
    return [
        json.loads(aws.s3().get_object(Bucket=clouds.OPS, Key=entry["Key"])["Body"].read())
        for entry in listed
    ]


@pytest.fixture
def known(company) -> SmallCompany:
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,,")
    return company


def test_a_grant_counts_for_its_address_and_a_withdrawal_ends_it(known):
    """Who wrote them stands in the audit log, without the address."""
    granted = state(
        known.settings, Statement("ann@x.org", "email", "marketing", True, NOW, "v1", "a call"), "me", NOW
    )
    load_landed(known, "consent/statements/")
    [answer] = answers(known.settings, "ann@x.org")
    assert (answer["allowed"], answer["purpose"], answer["channel"]) == (True, "marketing", "email")
    later = datetime(2026, 3, 2, tzinfo=UTC)
    withdrawn = state(known.settings, Statement("ann@x.org", "email", "marketing", False, later), "me", later)
    load_landed(known, "consent/statements/")
    found = explain(known.settings, answer["customer_id"])
    assert [row["allowed"] for row in found["answers"]] == [False]
    assert [(row["record"], row["granted"], row["decides"]) for row in found["statements"]] == [
        (withdrawn, False, True),
        (granted, True, False),
    ]
    assert {(entry["action"], entry["subject"]) for entry in audited()} == {
        ("consent_granted", granted),
        ("consent_withdrawn", withdrawn),
    }
    assert "ann@" not in json.dumps(audited())


def test_a_recall_names_what_leaned_on_it_and_lets_it_count_no_more(known):
    """By source or file; until it is undone."""
    known.contacts("2.csv", "1,Ann,ann@x.org,C1,Yes,2025-05-01")
    resolve(known.settings)
    refresh_consents(known.settings)
    [answer] = answers(known.settings, "ann@x.org")
    delivery = {"sync": "news", "run": "1", "chunk": "1", "action": "upsert", "outcome": "sent"}
    known.fill("ops.deliveries", {**delivery, "customer_id": "c", "consent_id": answer["consent_id"]})
    file_id = explain(known.settings, "ann@x.org")["statements"][0]["file_id"]
    found = recall(known.settings, file_id[:12], "wrong form", "me", NOW)
    assert (found.kind, found.target, [row["customer_id"] for row in found.sends]) == ("file", file_id, ["c"])
    load_landed(known, "consent/recalls/")
    assert answers(known.settings, "ann@x.org") == []
    assert recall(known.settings, "hubspot", "all wrong", "me", NOW).kind == "source"
    with pytest.raises(Terminal, match="no source, no form and no raw file"):
        recall(known.settings, "nothing", "?", "me", NOW)


def test_a_form_is_recalled_by_name_and_each_person_told_with_what_to_do(known):
    """Its yes counts no more, that of another form does; a name of two things must say which."""
    known.contacts("2.csv", "2,Ben,ben@x.org,C2,,", "3,Cara,cara@x.org,C3,,")
    for number, (address, form) in enumerate(
        [("ann", "popup"), ("ben", "popup"), ("ben", "footer"), ("cara", "consent")]
    ):
        said = Statement(
            f"{address}@x.org", "email", "marketing", True, NOW + timedelta(hours=number), None, form
        )
        state(known.settings, said, "me", NOW)
    load_landed(known, "consent/statements/")
    stated = known.ask("select customer_id, consent_id, form from core.consents")
    delivery = {
        "sync": "news",
        "run": "1",
        "chunk": "1",
        "action": "upsert",
        "outcome": "sent",
        "outcome_at": NOW,
    }
    sent = [delivery | {"customer_id": who, "consent_id": consent} for who, consent, _ in stated]
    known.fill("ops.deliveries", *sent)
    found = recall(known.settings, "popup", "asked wrongly", "me", NOW)
    ann, ben = (answers(known.settings, f"{name}@x.org")[0]["customer_id"] for name in ("ann", "ben"))
    assert (found.kind, {send["customer_id"] for send in found.sends}) == ("form", {ann, ben})
    other = next(consent for _, consent, form in stated if form == "footer")
    advice = {person["customer_id"]: person["to_do"] for person in found.people}
    assert advice[ann].startswith("the next run of news takes them off")
    assert advice[ben].startswith(f"look: {other} may allow it still")
    load_landed(known, "consent/recalls/")
    assert answers(known.settings, "ann@x.org") == []
    assert [row["allowed"] for row in answers(known.settings, "ben@x.org")] == [True]
    with pytest.raises(Terminal, match="both a source and a form"):
        recall(known.settings, "consent", "?", "me", NOW)
    assert recall(known.settings, "consent", "?", "me", NOW, kind="form").kind == "form"


@pytest.mark.parametrize(
    ("typed", "meant"), [("Ann@X.org ", "ann@x.org"), ("c_1", "c_1"), ("+86 138 0000 0000", "+8613800000000")]
)
def test_names_are_looked_up_in_their_normal_form(typed, meant):
    """As statements and answers have them."""
    assert normal_name(typed) == meant


def test_a_name_that_is_none_is_told():
    """Without what was typed: it may be somebody's."""
    with pytest.raises(
        Terminal, match=r"^what was named is no customer id, and no valid phone: give an e-mail"
    ):
        normal_name("nobody")
