"""However records with damaged ids follow one another: nobody is tied by them, and no record overwrites another.

The model is the plain reading: a damaged id is no id, spellings of one id are one, and people are one who share one.
"""

from __future__ import annotations

import csv
import io
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lakehouse.engine import normal_forms
from lakehouse.identity import resolve
from lakehouse.ingest.reading.pieces import pieces
from lakehouse.ingest.reading.typed_rows import create_unit, read_piece
from lakehouse.models.entity_sql import MODELS
from lakehouse.sources.definition import load
from lakehouse.sources.evidence_views import observations_sql
from lakehouse.sources.mapping_views import entity_sql
from tests.support.lakes import duck_of

SOURCE = load()["crm", "contacts"]
COLUMNS = ("contact_id", "customer_id", "email", "phone")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# By what they mean: the spellings of an id, of no id, and of one that has lost digits.
SPELLINGS = {
    "4711": ["4711", "4711.0", " 4711", "\u200b4711\ufeff", "'4711"],
    "4712": ["4712", '="4712"', "４７１２"],
    "K-1": ["K-1", "K-1\u00a0"],
}
NONE = [
    "",
    "NULL",
    r"\N",
    "(not set)",
    "{{customer.id}}",
    "#N/A",
    "#NAME?",
    "undefined",
    "guest",
    "0",
    "-1",
    "[object Object]",
    "неизвестно",
    "Laufkundschaft",
    "2147483647",
]
ROUNDED = ["1.23457E+11", "1,23457e+11"]
EMAILS = {"ann@case.net": ["ann@case.net", "Ann@Case.net "], "bob@case.net": ["bob@case.net"]}
NO_EMAILS = ["", "NULL", r"\N", "n/a", "-", "none", "#N/A", "{{email}}"]
MEANING = {
    text: meant for spellings in (SPELLINGS, EMAILS) for meant, texts in spellings.items() for text in texts
}

numbers = st.sampled_from([*itertools.chain(*SPELLINGS.values()), *NONE, *ROUNDED])
emails = st.sampled_from([*itertools.chain(*EMAILS.values()), *NO_EMAILS])
phones = st.sampled_from(["", "N/A", "000", "-", r"\N"])
records = st.lists(st.tuples(numbers, numbers, emails, phones), min_size=1, max_size=8)


@pytest.fixture
def con(lake):
    with duck_of(lake) as con:
        con.execute("CREATE SCHEMA raw; CREATE SCHEMA core; CREATE SCHEMA mapped")
        normal_forms.create(con)
        yield con


def expected(rows: list[tuple[str, ...]]) -> tuple[int, set[str], list[set[tuple[str, str]]]]:
    """Return how many rows load, which contacts there are, and which identifiers belong together."""
    loaded = [row for row in rows if row[0] in MEANING and row[1] not in ROUNDED]
    people: list[set[tuple[str, str]]] = []
    for contact, (customer, email) in newest(loaded).items():
        person = {("crm_id", contact)}
        person |= {("user_id", MEANING[customer])} if customer in MEANING else set()
        person |= {("email", MEANING[email])} if email in MEANING else set()
        apart = [other for other in people if not other & person]
        people = [*apart, person.union(*(other for other in people if other & person))]
    return len(loaded), {MEANING[row[0]] for row in loaded}, people


def newest(loaded: list[tuple[str, ...]]) -> dict[str, tuple[str, str]]:
    """Return what each contact says: the last row, and of a cell that it leaves empty the last that is not."""
    contacts: dict[str, tuple[str, str]] = {}
    for contact, customer, email, _ in loaded:
        before = contacts.get(MEANING[contact], ("", ""))
        contacts[MEANING[contact]] = (
            customer if customer in MEANING else before[0], email if email in MEANING else before[1],
        )  # fmt: skip
    return contacts


def found(con, folder, rows: list[tuple[str, ...]]) -> tuple[int, set[str], list[set[tuple[str, str]]]]:
    """Return the same of what is read, resolved and computed."""
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *rows])
    create_unit(con, SOURCE)
    folder.mkdir()
    for number, piece in enumerate(pieces([out.getvalue().encode()], SOURCE, folder)):
        read_piece(con, SOURCE, piece, number)
    con.execute(
        "CREATE OR REPLACE TABLE raw.crm_contacts AS SELECT 'f' AS _file_id, TIMESTAMPTZ '2026-01-01' AS _loaded_at, "
        "* EXCLUDE (_piece, _code, _reason, _original) FROM unit WHERE _code IS NULL"
    )
    con.execute(f"CREATE OR REPLACE TABLE observed AS {observations_sql([SOURCE])}")
    resolve(con, observations="observed", previous=None, now=NOW, max_records=1_000)
    con.execute("CREATE OR REPLACE TABLE core.identities AS FROM identities_new")
    con.execute(f"CREATE OR REPLACE VIEW mapped.contacts AS {entity_sql('contacts', [SOURCE])}")
    contacts = con.execute(f"SELECT contact_id, customer_id FROM ({MODELS['contacts'].sql})").fetchall()
    ((loaded,),) = con.execute("SELECT count(*) FROM raw.crm_contacts").fetchall()
    people = con.execute(
        "SELECT list((identifier_type, identifier_value)) FROM core.identities GROUP BY customer_id"
    ).fetchall()
    assert None not in {customer for _, customer in contacts}
    return loaded, {contact for contact, _ in contacts}, [set(person) for (person,) in people]


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example replaces all tables
)
@given(records)
@example([("4711", "(not set)", "ann@case.net", ""), ("4712", "(not set)", "bob@case.net", "")])
@example([("1.23457E+11", "", "ann@case.net", ""), ("1.23457E+11", "", "bob@case.net", "")])
def test_damaged_ids_tie_nobody_and_overwrite_nobody(con, tmp_path_factory, rows):
    """Rows that load are those with an id of their own, all of those are there, and the right people are one."""
    loaded, contacts, people = found(con, tmp_path_factory.mktemp("read") / "pieces", rows)
    expected_loaded, expected_contacts, expected_people = expected(rows)
    assert (loaded, contacts) == (expected_loaded, expected_contacts)
    assert sorted(map(sorted, people)) == sorted(map(sorted, expected_people))
