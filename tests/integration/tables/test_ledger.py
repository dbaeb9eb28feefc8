"""Generations of raw files with the notes of those that no table took, which are objects in a bucket."""

from __future__ import annotations

import itertools
from dataclasses import asdict, replace
from functools import cache

import pytest
from moto import mock_aws

from lakehouse import aws
from lakehouse.tables import ledger
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import FileRecord, append
from lakehouse.tables.contracts import LEDGER
from tests.support.lakes import a_contract, a_record, write


@pytest.fixture
def catalog(lake):
    return open_catalog(lake)


@pytest.fixture
def table(catalog):
    return ensure(catalog, a_contract())


@pytest.fixture
def bucket(lake, monkeypatch):
    """A bucket for notes, in this process."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        monkeypatch.setattr(aws, "_client", cache(aws._client.__wrapped__))
        aws.s3().create_bucket(Bucket="notes")
        yield "notes"


def note_record(lake, catalog, record, table_name, contract=LEDGER) -> None:
    """Copy one record into the ledger; `table_name` is SQL."""
    books = ensure(catalog, contract)
    cells = {column.name: "NULL" for column in contract.columns}
    cells |= {name: repr(value) for name, value in asdict(record).items() if name in cells}
    cells["table_name"] = table_name
    append(books, write(lake, books, f"SELECT {', '.join(f'{v} AS {n}' for n, v in cells.items())}").files)


def test_a_table_s_record_comes_before_the_note(lake, catalog, table, bucket):
    """Summaries before ledger, ledger before notes, a row with a table before one without."""
    a, b, c = (replace(a_record(name, 0), received=1, quarantined=1) for name in "abc")
    for record in (a, b, c):
        ledger.note_tableless(bucket, record)
    append(table, [], records=[a_record("a", 0)])
    fields = {column.name: getattr(a_record("b", 0), column.name, None) for column in LEDGER.columns}
    for name in (None, "raw.x"):
        row = fields | {"table_name": name, "received": 0 if name else 1, "committed_at": None}
        books = ensure(catalog, LEDGER)
        cells = ", ".join(f"{'NULL' if v is None else repr(v)} AS {n}" for n, v in row.items())
        append(books, write(lake, books, f"SELECT {cells}").files)
    name = ".".join(table.name())
    tables = {name: table.refresh(), LEDGER.name: books.refresh()}
    found = ledger.records(tables, bucket)
    assert {key: (where, one.received) for key, (where, one) in found.items()} == {
        "a": (name, 0), "b": ("raw.x", 0), "c": ("", 1),
    }  # fmt: skip
    assert isinstance(found["b"][1], FileRecord)
    assert list(ledger.tableless(bucket, {"a", "b"})) == [c]


def test_records_are_read_as_they_were_committed(lake, catalog, table, bucket):
    """From the ledger too, whose time has a type; from tables of raw files alone, and also without any ledger."""
    name = ".".join(table.name())
    one = replace(a_record("a"), replay=2, set_aside="digest", started_at="2026-01-01T00:00:00+00:00")
    append(table, [], records=[one])
    elsewhere = ensure(catalog, a_contract("core.t"))
    append(elsewhere, [], records=[a_record("other", 0)])
    tables = {name: table.refresh(), "core.t": elsewhere.refresh()}
    assert ledger.records(tables, bucket) == {"a/2": (name, one)}
    books = ensure(catalog, LEDGER)
    assert ledger.records({LEDGER.name: books}, bucket) == {}
    cells = asdict(one) | {"table_name": "raw.x", "snapshot_id": 1, "committed_at": one.started_at}
    append(books, write(lake, books, f"SELECT {', '.join(f'{v!r} AS {n}' for n, v in cells.items())}").files)
    assert ledger.records({LEDGER.name: books.refresh()}, bucket) == {"a/2": ("raw.x", one)}


def test_a_row_without_a_table_does_not_hide_one_with(lake, catalog, bucket):
    """In whatever order they stand in the ledger; alone it stands for itself."""
    rows = (("a", "NULL", 1), ("a", "'raw.x'", 2), ("b", "'raw.x'", 3), ("b", "NULL", 4), ("c", "NULL", 5))
    for name, where, received in rows:
        note_record(lake, catalog, replace(a_record(name), received=received), where)
    found = ledger.records({LEDGER.name: ensure(catalog, LEDGER)}, bucket)
    assert {key: (where, one.received) for key, (where, one) in found.items()} == {
        "a": ("raw.x", 2), "b": ("raw.x", 3), "c": ("", 5),
    }  # fmt: skip


def test_rows_of_a_ledger_from_before_there_were_replays(lake, catalog, bucket):
    """They are first loads, and nobody noted what they left; so are those that a grown ledger holds without."""
    before_replays = itertools.takewhile(lambda column: column.name != "replay", LEDGER.columns)
    old = replace(LEDGER, columns=tuple(before_replays), key=("file_id",))
    record = replace(a_record("a"), started_at="2026-01-01T00:00:00+00:00")
    note_record(lake, catalog, record, "'raw.x'", contract=old)
    for contract in (old, LEDGER):
        books = ensure(catalog, contract)
        assert ledger.records({LEDGER.name: books}, bucket) == {"a": ("raw.x", record)}
        assert ledger.listed(catalog, {"a", "a/1"}) == {"a": {"raw.x"}}


def test_a_note_is_written_once(bucket):
    """The first one stands; each is read as it was written."""
    first, other = a_record("a", 1), a_record("b", 2)
    for record in (first, replace(first, received=9), other):
        ledger.note_tableless(bucket, record)
    assert sorted(ledger.noted(bucket)) == ["a", "b"]
    assert list(ledger.tableless(bucket)) == [first, other]
    assert list(ledger.tableless(bucket, ["b"])) == [first]
    assert aws.s3().list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == "ledger/a.json"
