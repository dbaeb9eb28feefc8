"""SQL functions of every connection: which country a text means, for the national format of phones."""

from __future__ import annotations

import csv
from importlib.resources import files

import duckdb
import phonenumbers
import pytest

from lakehouse.engine import consent_words, currencies, ids, sql_functions
from lakehouse.engine.sql_functions import countries, create


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        create(con)
        yield con


@pytest.mark.parametrize(
    ("country", "region"),
    [
        ("China", "CN"),
        ("中国", "CN"),
        ("CN", "CN"),
        ("CHN", "CN"),
        ("United States", "US"),
        ("USA", "US"),
        ("US", "US"),
        ("U.S.A.", "US"),
        ("美国", "US"),
        (" united states ", "US"),
        ("Germany", "DE"),
        ("德国", "DE"),
        ("deu", "DE"),
        ("UK", "GB"),
        ("Côte d'Ivoire", "CI"),
        ("台灣", "TW"),
        ("Zimbabwe", "ZW"),
        ("Andorra", "AD"),
        ("Nowhere", None),
        ("United", None),
        ("", None),
        (None, None),
    ],
)
def test_a_country_is_known_by_name_and_code(con, country, region):
    """In English and Chinese, whatever the case; what is no country is null."""
    assert con.execute("SELECT country_region(?)", [country]).fetchone() == (region,)


def test_it_works_on_columns_in_views_cursors_and_lists(con):
    """Wherever a definition's SQL may stand."""
    rows = "(VALUES ('Japan'), (NULL)) AS t(country)"
    con.execute(f"CREATE OR REPLACE VIEW people AS SELECT country_region(country) AS region FROM {rows}")
    assert con.cursor().execute("SELECT region FROM people ORDER BY ALL").fetchall() == [("JP",), (None,)]
    listed = con.execute("SELECT [country_region(c) FOR c IN ['France', 'x']]").fetchone()
    assert listed == (["FR", None],)
    create(con)  # again
    assert con.execute("SELECT count(region) FROM people").fetchone() == (1,)


def test_each_region_that_phones_have_is_there():
    """Three of them are parts of others, of which people write no name."""
    assert set(countries().values()) >= phonenumbers.SUPPORTED_REGIONS - {"AC", "TA"}
    assert all(len(region) == 2 and region.isupper() for region in countries().values())


def test_every_country_has_its_codes_and_both_names():
    """A name that two countries share would be a guess: `countries` refuses it."""
    text = (files("lakehouse.engine") / "countries.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len({row["alpha_2"] for row in rows}) == len({row["alpha_3"] for row in rows}) == 250
    assert [row["alpha_2"] for row in rows] == sorted(row["alpha_2"] for row in rows)
    assert all(row["english"] and row["chinese"] and None not in row for row in rows)


def test_a_new_name_changes_the_version(monkeypatch):
    """Who is who is computed anew then."""
    before = sql_functions.version()
    monkeypatch.setattr(sql_functions, "statements", lambda: ("SELECT 1",))
    sql_functions.version.cache_clear()
    assert sql_functions.version() != before
    monkeypatch.undo()
    sql_functions.version.cache_clear()
    assert sql_functions.version() == before


@pytest.mark.parametrize(
    ("sql", "uses"),
    [
        ("country_region(x)", True),
        ("Country_Region(x)", True),
        ("read_moment(x)", True),
        ("read_day(x)", True),
        ("x", False),
    ],
)
def test_sql_that_calls_a_function_is_known(sql, uses):
    """Its results depend on more than its text."""
    assert sql_functions.uses_functions(sql) is uses


@pytest.mark.parametrize(
    ("duck_type", "sql"),
    [("TIMESTAMPTZ", "read_moment(t)"), ("DATE", "read_day(t)"), ("BIGINT", "TRY_CAST(t AS BIGINT)")],
)
def test_a_mapping_reads_a_text_by_its_type(duck_type, sql):
    """Moments and days by functions that no other row has a say in, and never by a cast."""
    assert sql_functions.reader_sql("t", duck_type) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "person_id(t)",
        "consent_word(t)",
        "consent_channel(t)",
        "consent_purpose(t)",
        "consent_topics(t, t, t)",
        "order_state(t)",
        "currency_code(t)",
        "country_region(t)",
        "personal_email(t)",
        "read_moment(t)",
        currencies.in_zone_sql("t", "Asia/Tokyo"),
        consent_words.is_known_sql("t"),
        *(ids.is_no_id_sql("t", level) for level in ("anything", "record", "person", "mailbox", "phone")),
    ],
)
def test_a_text_is_read_without_a_join(con, sql):
    """A join stands beside the condition that it is for: it is planned and done for every row, whatever is asked."""
    con.execute("CREATE OR REPLACE TEMP TABLE texts (t VARCHAR)")
    [(_, plan)] = con.execute(f"EXPLAIN SELECT {sql} FROM texts").fetchall()
    assert "JOIN" not in plan
