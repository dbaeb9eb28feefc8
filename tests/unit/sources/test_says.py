"""Whether a row says something of a column, or nothing because its file lacks it."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.sources import definition
from lakehouse.sources.definition import load
from lakehouse.sources.says import columns_asked_of, columns_of, says_sql

SOURCE = """
source: crm
entity: people
doc: People.
grain: one row a person
format: {}
columns:
  - {{name: id, from: Id, doc: Id}}
  - {{name: email, from: E-mail, doc: E-mail}}
  - {{name: mail, from: Mail, doc: Other e-mail}}
record: id
seen_at: _loaded_at
identifiers:
  - {{type: crm_id, value: id}}
  - {{type: email, value: "coalesce(email, 'mail''s')"}}
"""
CSV = definition.parse(SOURCE.format("csv"), "people.yaml")
JSON = definition.parse(SOURCE.format("ndjson"), "people.yaml")
ROWS = "(VALUES ('a@x', 'f1'), (NULL, 'f1'), (NULL, 'f2'), (NULL, 'it''s')) AS t(email, _file_id)"


def said(source, sql: str, absent) -> list[bool]:
    """Return of four rows whether they say something: one with a value, and an empty one of each of three files."""
    condition = says_sql(source, sql, absent)
    return [row for (row,) in duckdb.sql(f"SELECT {condition} FROM {ROWS}").fetchall()]


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        ({}, [True, True, True, True]),
        ({"email": ["f2"]}, [True, True, False, True]),
        ({"email": ["f1", "it's"]}, [True, False, True, False]),
        ({"mail": ["f1", "f2"]}, [True, True, True, True]),
    ],
)
def test_an_empty_cell_clears_and_a_missing_column_does_not(absent, expected):
    """A value says something whatever was noted of its file; only columns of the expression count."""
    assert said(CSV, "email", absent) == expected


def test_of_json_null_says_nothing():
    """Whether or not the file is noted: nobody can tell a missing key from one that is null."""
    assert said(JSON, "email", {}) == said(JSON, "email", {"email": ["f1"]}) == [True, False, False, False]


def test_an_expression_of_several_columns_lacks_what_one_of_them_lacks():
    """A file with `email` alone does not empty what is made of both."""
    assert says_sql(CSV, "coalesce(email, mail)", {"email": ["f1"], "mail": ["f2"]}) == (
        "((coalesce(email, mail)) IS NOT NULL OR _file_id NOT IN ('f1', 'f2'))"
    )


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("email", {"email"}),
        ("'email'", set()),
        ("coalesce(mail, 'it''s email')", {"mail"}),
        ("emails || e_mail", set()),
        ("lower(email)||mail", {"email", "mail"}),
    ],
)
def test_columns_are_found_by_their_whole_names_outside_of_texts(sql, columns):
    """`emails` is no `email`, and a text names none."""
    assert columns_of(CSV, sql) == columns


def test_it_is_noted_of_the_columns_that_identifiers_are_made_of():
    """Of others nobody asks whether a file lacks them."""
    assert columns_asked_of(CSV) == {"id", "email"}


def test_it_is_noted_of_what_is_said_of_a_person():
    """Else an export of fewer columns would take names away."""
    assert {"contact_id", "name", "birth_date", "city"} <= columns_asked_of(load()["crm", "contacts"])
