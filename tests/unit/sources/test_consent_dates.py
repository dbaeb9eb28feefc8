"""A refusal whose date cannot be read is one; a yes whose date cannot be read is none."""

from __future__ import annotations

import json

import duckdb
import pytest

from lakehouse.ingest.reading.pieces import pieces
from lakehouse.ingest.reading.typed_rows import create_unit, read_piece
from lakehouse.sources import consent_dates
from lakehouse.sources.definition import load
from tests.support.lakes import duck_of

SHIPPED = load()
DATES = {
    ("consent", "statements"): "stated_at", ("crm", "contacts"): "marketing_consent_at",
    ("hubspot", "contacts"): "marketing_consent_at", ("shop", "customers"): "marketing_consent_at",
    ("zoho", "contacts"): "unsubscribed_at", ("zoho", "leads"): "unsubscribed_at",
}  # fmt: skip


def test_the_dates_of_refusals_of_all_shipped_mappings():
    """Not the day of an order, by which a shop says that its customer refused: the order is none without it."""
    found = {key: set(names) for key, source in SHIPPED.items() if (names := consent_dates.find(source))}
    assert found == {key: {name} for key, name in DATES.items()}


@pytest.fixture
def read(lake, tmp_path):
    """Return a function that reads one row of a source, and says its code, and the date that was read."""
    with duck_of(lake) as con:
        yield lambda key, given: _read(con, tmp_path, key, given)


def _read(con: duckdb.DuckDBPyConnection, folder, key, given):
    source = SHIPPED[key]
    day = "2026-01-05 08:30:00"
    row = {c.origin: day if c.type == "timestamptz" else "1" for c in source.columns if c.required}
    row |= {column.origin: given[column.name] for column in source.columns if column.name in given}
    text = json.dumps(row) if source.format == "ndjson" else ",".join(row) + "\n" + ",".join(row.values())
    create_unit(con, source)
    for number, piece in enumerate(pieces([f"{text}\n".encode()], source, folder)):
        read_piece(con, source, piece, number)
    [found] = con.execute(f"SELECT _code, {DATES[key]} FROM unit").fetchall()
    return found


@pytest.mark.parametrize("date", ["0", "soon", "n/a", "31.02.2026", "2026-13-45"])
@pytest.mark.parametrize("key", DATES)
def test_a_refusal_loads_whatever_stands_for_its_date(read, key, date):
    """In every shipped mapping that has a column for it."""
    said = {"email_opt_out": "true", "marketing_consent": "no", "granted": "no", DATES[key]: date}
    named = {"statement_id": "s", "channel": "email", "purpose": "marketing", "address": "ann@x.org"}
    code, read_date = read(key, said | named)
    assert (code, read_date) == (None, None)


@pytest.mark.parametrize("key", [key for key in DATES if key[0] != "zoho"])  # which only knows of refusals
def test_a_yes_with_an_unreadable_date_does_not(read, key):
    """Its row waits for a date; so does one that says nothing."""
    named = {"statement_id": "s", "channel": "email", "purpose": "marketing", "address": "ann@x.org"}
    said = {"marketing_consent": "yes", "granted": "yes", DATES[key]: "soon"}
    assert read(key, said | named)[0] == "bad_timestamp"
    if key != ("consent", "statements"):
        assert read(key, said | named | {"marketing_consent": ""})[0] == "bad_timestamp"
