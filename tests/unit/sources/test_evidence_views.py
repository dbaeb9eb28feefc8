"""What sources say of people: a row that describes a record withdraws what it leaves empty, an event does not."""

from __future__ import annotations

import json
from datetime import date

import pytest

from lakehouse.engine import normal_forms
from lakehouse.engine.escape import identifier
from lakehouse.sources.definition import load
from lakehouse.sources.evidence_views import observations_sql, people_sql, pruned_sql
from lakehouse.sources.says import describes_record
from tests.support.lakes import duck_of

DESCRIBED = {
    ("crm", "contacts"), ("hubspot", "contacts"), ("shop", "customers"), ("salesforce", "leads"),
    ("loyalty", "memberships"), ("wukong", "contacts"), ("wechat", "users"),
}  # fmt: skip
SAYING = {
    ("web", "events"), ("shop", "orders"), ("shopify", "orders"), ("surveys", "answers"), ("crm", "ownerships"),
    ("crm", "customer_attributes"), ("list", "contacts"), ("huoban", "webhooks"),
}  # fmt: skip


@pytest.fixture
def con(lake):
    """Return a connection with two raw tables, empty."""
    with duck_of(lake) as con:
        con.execute("CREATE SCHEMA raw")
        for place in (("hubspot", "contacts"), ("crm", "contacts")):
            source = load()[place]
            columns = (f"{identifier(column.name)} {column.duck_type}" for column in source.contract.columns)
            con.execute(f"CREATE TABLE {source.table} ({', '.join(columns)})")
        normal_forms.create(con)
        yield con


@pytest.mark.parametrize("place", sorted(DESCRIBED | SAYING))
def test_which_rows_describe_a_record(place):
    """Those of a source whose key names the record."""
    assert describes_record(load()[place]) == (place in DESCRIBED)


def test_no_source_says_nothing(con):
    """With the columns of any other."""
    assert con.execute(observations_sql([])).fetchall() == []
    assert con.execute(people_sql(f"({observations_sql([])})")).fetchall() == []


def test_the_first_identifier_names_the_record(con):
    """A slot has a name of its own where a source has two of a type; an event's is the user, else the device."""
    con.execute(
        "INSERT INTO raw.hubspot_contacts (_loaded_at, record_id, phone, mobile_phone) "
        "VALUES ('2026-01-01', '7', '1', '2')"
    )
    slots = f"SELECT slot, own, value FROM ({observations_sql([load()['hubspot', 'contacts']])}) ORDER BY ALL"
    assert con.execute(slots).fetchall() == [
        ("email", False, None), ("email 2", False, None), ("hubspot_id", True, "7"),
        ("hubspot_id 2", False, None), ("phone", False, "1"), ("phone 2", False, "2"), ("user_id", False, None),
    ]  # fmt: skip


def test_of_a_record_the_newest_name_counts(con):
    """A row without one says nothing of it."""
    con.execute(
        "INSERT INTO raw.crm_contacts (_loaded_at, _row, contact_id, name, updated_at) VALUES "
        "('2026-01-01', 1, '7', 'Ann Lee', '2026-01-01'), ('2026-01-02', 1, '7', 'Ann Berg', '2025-01-01'), "
        "('2026-01-03', 1, '7', NULL, '2026-01-03')"
    )
    said = observations_sql([load()["crm", "contacts"]])
    assert con.execute(f"SELECT record, name FROM ({people_sql(f'({said})')})").fetchall() == [
        ("crm:contact:7", "Ann Lee")
    ]


def test_of_each_field_the_newest_row_that_says_something_counts(con):
    """An empty cell clears it; a file that lacks the column says nothing of it."""
    con.execute(
        "INSERT INTO raw.crm_contacts (_loaded_at, _file_id, _row, contact_id, name, city, birth_date) VALUES "
        "('2026-01-01', 'full', 1, '7', 'Ann Lee', 'Oslo', '1980-01-01'), "
        "('2026-01-02', 'narrow', 1, '7', NULL, 'Rome', NULL)"
    )

    def said(absent):
        found = observations_sql([load()["crm", "contacts"]], {"raw.crm_contacts": absent})
        return con.execute(f"SELECT name, city, birth_date FROM ({people_sql(f'({found})')})").fetchall()

    assert said({}) == [(None, "Rome", None)]
    assert said({"name": ["narrow"], "birth_date": ["narrow"]}) == [("Ann Lee", "Rome", date(1980, 1, 1))]


@pytest.mark.parametrize(
    ("dated", "said"), [("2099-01-01", "2026-01-05"), ("2025-01-01", "2025-01-01"), ("1970-01-01", None)]
)
def test_a_row_is_no_newer_than_when_it_came(con, dated, said):
    """Whatever clock dated it; what stands for no date is none."""
    con.execute(
        "INSERT INTO raw.crm_contacts (_loaded_at, contact_id, updated_at) VALUES ('2026-01-05', '7', ?)",
        [dated],
    )
    found = observations_sql([load()["crm", "contacts"]])
    rows = con.execute(f"SELECT DISTINCT said_at::DATE::VARCHAR FROM ({found})").fetchall()
    assert rows == [(said,)]


def test_of_each_value_the_first_statement_and_the_last_are_kept(con):
    """Of a value that stays the first alone: how often a visitor comes says nothing of who it is."""
    con.execute(
        "INSERT INTO raw.crm_contacts (_loaded_at, _file_id, _row, contact_id, name, email, updated_at) "
        "SELECT '2026-01-01', 'f', day, '7', 'Ann', CASE WHEN day = 5 THEN NULL ELSE 'ann@x.org' END, "
        "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_days(day) FROM (SELECT unnest(range(10))::INTEGER AS day)"
    )
    said = f"({observations_sql([load()['crm', 'contacts']])})"
    rows = con.execute(
        f"SELECT slot, value, list(row ORDER BY row) FROM ({pruned_sql(said)}) "
        "WHERE slot IN ('crm_id', 'email', 'person') GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [(slot, value, kept) for slot, value, kept in rows if slot != "person"] == [
        ("crm_id", "7", [0]), ("email", "ann@x.org", [0, 9]), ("email", None, [5]),
    ]  # fmt: skip
    assert [(json.loads(value)["name"], kept) for slot, value, kept in rows if slot == "person"] == [
        ("Ann", [0, 9])
    ]
