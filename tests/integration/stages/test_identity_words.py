"""A person's word goes through the door that files go through, and outranks all evidence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse import aws
from lakehouse.errors import Terminal
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import from_object
from lakehouse.stages import analyst_sql, resolve
from lakehouse.stages.explain_identity import explain
from lakehouse.stages.identity_words import RecordName, Said, records_of, say
from tests.support.small_company import SmallCompany

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ANN, BOB = (RecordName("hubspot_id", number, "hubspot:contacts") for number in "12")


@pytest.fixture
def known(company: SmallCompany) -> SmallCompany:
    """A company with two contacts of one address."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01", "2,Ann,ann@x.org,C2,No,2026-01-01")
    resolve.resolve(company.settings)
    return company


def said(company: SmallCompany, verdict: str) -> None:
    key = say(company.settings, (ANN, BOB), verdict, Said("eve", "they are twins"), lambda: NOW)
    bucket = company.settings.landing_bucket
    head = aws.s3().head_object(Bucket=bucket, Key=key)
    entry = {"key": key, "version_id": head["VersionId"], "size": head["ContentLength"]}
    assert not ingest(company.settings, [from_object(bucket, entry)]).failed
    resolve.resolve(company.settings)


def customers(company: SmallCompany) -> int:
    return len({customer for (customer,) in company.ask("select customer_id from core.identities")})


def test_a_word_ties_unties_and_is_taken_back(known: SmallCompany) -> None:
    assert customers(known) == 1
    said(known, "two")
    assert customers(known) == 2
    assert known.ask("select verdict, said_by, why from raw.people_ties") == [
        ("two", "eve", "they are twins")
    ]
    said(known, "open")
    assert customers(known) == 1
    known.contacts("2.csv", "2,Ann,bea@x.org,C2,No,2026-01-01")  # of the same time, and loaded later
    resolve.resolve(known.settings)
    assert customers(known) == 2
    said(known, "one")
    assert customers(known) == 1


def test_an_explanation_has_every_statement_and_every_change(known: SmallCompany) -> None:
    said(known, "two")
    con = analyst_sql.connect(known.settings)
    found = explain(con, "ANN@x.org")
    assert len(found) == 1
    (ann,) = found
    assert {(each.type, each.value) for each in ann.identifiers} == {
        ("hubspot_id", "1"), ("email", "ann@x.org"), ("user_id", "C1"),
    }  # fmt: skip
    assert {(each.slot, each.value, each.standing, each.row) for each in ann.evidence} == {
        ("hubspot_id", "1", "ties", 1), ("email", "ann@x.org", "ties", 1), ("user_id", "C1", "ties", 1),
    }  # fmt: skip
    (other,) = ann.others
    assert (other.type, other.value, other.standing) == ("email", "ann@x.org", "ties")
    (bob,) = explain(con, "hubspot_id:2")
    assert other.customers == [bob.customer_id]
    assert explain(con, bob.customer_id) == [bob]
    with pytest.raises(Terminal, match="no customer is known by that"):
        explain(con, "nobody@x.org")
    con.close()


def test_a_text_names_one_record_or_all_of_a_customer(known: SmallCompany) -> None:
    con = analyst_sql.connect(known.settings)
    assert records_of(con, "hubspot_id:1") == [ANN]
    assert records_of(con, "ann@x.org") == [ANN, BOB]
    con.close()
    with pytest.raises(Terminal, match="with itself"):
        say(known.settings, (ANN, ANN), "one", Said("eve", ""), lambda: NOW)
