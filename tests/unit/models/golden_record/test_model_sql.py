"""Survivorship: each rule on two records that say different things, and what people may write."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import duckdb
import pytest

from lakehouse.models.golden_record import load, model_sql
from lakehouse.models.golden_record.definition import GoldenRecord
from lakehouse.tables.people import CUSTOMERS
from tests.support import model_cases

OLD, NEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def survivor(record: GoldenRecord) -> dict:
    """Return the one customer of a CRM that says much and a shop that said less, later."""
    contacts = [
        {"source": "crm", "contact_id": "1", "customer_id": "ann", "valid_from": OLD, "first_name": "Annabella",
         "last_name": "Lee", "city": "Rome", "country": "IT"},
        {"source": "shop", "contact_id": "2", "customer_id": "ann", "valid_from": NEW, "first_name": "Ann",
         "name": "Ann L.", "city": "Oslo"},
    ]  # fmt: skip
    emails = [("crm", "1", "annabella@x.org", OLD), ("shop", "2", "ann@x.org", NEW)]
    identities = [
        {"identifier_type": "email", "identifier_value": email, "customer_id": "ann", "first_seen_at": at,
         "last_seen_at": at}
        for _, _, email, at in emails
    ]  # fmt: skip
    evidence = [
        {"source": f"{source}:contacts", "record": number, "slot": "email", "identifier_type": "email",
         "identifier_value": email, "standing": "ties", "since": at}
        for source, number, email, at in emails
    ]  # fmt: skip
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA core")
        for name, rows in (("contacts", contacts), ("identities", identities), ("evidence", evidence)):
            model_cases.fill(con, f"core.{name}", rows)
        found = con.execute(model_sql(record))
        names = [column[0] for column in found.description]
        assert names == [column.name for column in CUSTOMERS.columns]
        (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


@pytest.mark.parametrize(
    ("rule", "trusted", "first_name", "city", "email"),
    [
        ("most_recent", (), "Ann", "Oslo", "ann@x.org"),
        ("most_trusted", ("crm",), "Annabella", "Rome", "annabella@x.org"),
        ("most_trusted", ("shop", "crm"), "Ann", "Oslo", "ann@x.org"),
        ("longest", (), "Annabella", "Oslo", "annabella@x.org"),  # of equals the later
        ("most_complete", (), "Annabella", "Rome", "ann@x.org"),  # the records carry as much: the later one's
    ],
)
def test_each_rule_chooses_and_says_who_said_it(rule, trusted, first_name, city, email):
    """Of a field that only one record says, that is it, by any rule."""
    fields = dict.fromkeys(("first_name", "city", "email"), rule)
    row = survivor(GoldenRecord(name="customers", doc="", trusted=trusted, fields=fields))
    assert (row["first_name"], row["city"], row["email"], row["last_name"]) == (
        first_name,
        city,
        email,
        "Lee",
    )
    provenance = json.loads(row["provenance"])
    assert provenance["first_name"]["source"] == ("crm" if first_name == "Annabella" else "shop")
    assert provenance["first_name"]["record"] == ("1" if first_name == "Annabella" else "2")
    assert provenance["email"]["source"] == ("crm" if email == "annabella@x.org" else "shop")
    assert provenance["language"] is None


def test_a_name_is_made_where_there_is_none():
    """Of given and family name; in Chinese the family name comes first."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA core")
        rows = [
            {"source": "crm", "contact_id": who, "customer_id": who, "valid_from": OLD, "first_name": first,
             "last_name": last}
            for who, first, last in (("a", "Ann", "Lee"), ("b", "伟", "张"), ("c", None, "Ray"), ("d", None, None))
        ]  # fmt: skip
        identities = [
            {"identifier_type": "crm_id", "identifier_value": who, "customer_id": who} for who in "abcd"
        ]
        model_cases.fill(con, "core.contacts", rows)
        model_cases.fill(con, "core.identities", identities)
        model_cases.fill(con, "core.evidence", [])
        found = dict(con.execute(f"SELECT customer_id, name FROM ({model_sql(load())})").fetchall())
    assert found == {"a": "Ann Lee", "b": "张伟", "c": "Ray", "d": None}
