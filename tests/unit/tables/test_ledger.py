"""Which generations of which files are in: by summaries, by the ledger, by notes of files without a table."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache

import pytest
from moto import mock_aws
from pyiceberg.table.snapshots import Snapshot

from lakehouse import aws
from lakehouse.tables import ledger
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import (
    FILES,
    AlreadyCommittedError,
    FileRecord,
    append,
    as_record,
    carried,
    file_records,
    head_of,
)
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


def note(lake, catalog, *rows: tuple[str, int | None, str | None]) -> None:
    """Copy generations into the ledger: file id, replay, table."""
    books = ensure(catalog, LEDGER)
    others = {column.name for column in LEDGER.columns} - {"file_id", "replay", "table_name"}
    nulls = ", ".join(f"NULL AS {name}" for name in others)
    listed = ", ".join(str(row).replace("None", "NULL") for row in rows)
    query = f"SELECT f AS file_id, r AS replay, t AS table_name, {nulls} FROM (VALUES {listed}) AS v(f, r, t)"
    append(books, write(lake, books, query).files)


def note_record(lake, catalog, record, table_name, contract=LEDGER) -> None:
    """Copy one record into the ledger; `table_name` is SQL."""
    books = ensure(catalog, contract)
    cells = {column.name: "NULL" for column in contract.columns}
    cells |= {name: repr(value) for name, value in asdict(record).items() if name in cells}
    cells["table_name"] = table_name
    append(books, write(lake, books, f"SELECT {', '.join(f'{v} AS {n}' for n, v in cells.items())}").files)


def test_the_ledger_answers_for_generations(lake, catalog):
    """Rows from before there were replays are first loads; a file without a table is not in."""
    note(
        lake,
        catalog,
        ("a", None, "raw.x"),
        ("b", 0, "raw.x"),
        ("b", 2, "raw.x"),
        ("c", 0, None),
        ("d", 1, None),
    )
    asked = {"a", "a/1", "b", "b/1", "b/2", "c", "d", "d/1", "e"}
    assert ledger.in_ledger(catalog, asked) == {"a", "b", "b/2"}
    assert ledger.in_ledger(catalog, {"b/2"}) == {"b/2"}
    found = {"a": {"raw.x"}, "b": {"raw.x"}, "b/2": {"raw.x"}, "c": {""}, "d/1": {""}}
    assert ledger.listed(catalog, asked) == found


def test_no_ledger_lists_nothing(lake, catalog):
    """The first ingest of all comes before the first copy; and who asks for nothing is told nothing."""
    assert ledger.listed(catalog, {"a"}) == {}
    ensure(catalog, LEDGER)
    assert ledger.listed(catalog, {"a"}) == {}
    assert ledger.in_ledger(catalog, {"a"}) == set()
    note(lake, catalog, ("a", 0, "raw.x"))
    assert ledger.listed(catalog, set()) == {}


def test_all_tables_of_a_generation_are_listed(lake, catalog):
    """It is in once one of them has its rows."""
    note(lake, catalog, ("a", 0, None), ("a", 0, "raw.x"), ("a", None, "raw.y"))
    assert ledger.listed(catalog, {"a"}) == {"a": {"", "raw.x", "raw.y"}}
    assert ledger.in_ledger(catalog, {"a"}) == {"a"}


def test_what_is_loaded_of_a_file_is_of_all_its_generations(lake, catalog, table):
    """Of this table alone; by the ledger where summaries have expired, and by the summaries where both tell."""
    bad = {"received": 3, "loaded": 1, "quarantined": 2}
    mended = {"received": 2, "loaded": 2, "quarantined": 0, "started_at": "2026-02-01T00:00:00Z", "replay": 1}
    assert ledger.loads(catalog, table) == {}
    name = "'" + ".".join(table.name()) + "'"
    for file, table_name in (("a", name), ("b", name), ("c", "'raw.other'"), ("d", "NULL")):
        note_record(lake, catalog, replace(a_record(file, 0), **bad), table_name)
    note_record(lake, catalog, replace(a_record("b", 0), **mended), name)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    half, whole, none = (ledger.Load(first, *counts) for counts in ((1, 2), (3, 0), (0, 0)))
    assert ledger.loads(catalog, table) == {"a": half, "b": whole}
    append(table, [], records=[replace(a_record("a", 0), **mended), replace(a_record("e", 0), **bad)])
    append(table.refresh(), [], records=[a_record("f", 0)])
    found = ledger.loads(catalog, table.refresh())
    assert found == {"a": whole, "b": whole, "e": half, "f": none}
    assert [file for file, load in sorted(found.items()) if load.complete] == ["a", "b", "f"]
    assert [file for file, load in sorted(found.items()) if load.empty] == ["f"]


def test_what_is_known_is_in_a_summary_or_in_the_ledger(lake, catalog, table):
    """Of the generations that were asked for, and no others."""
    append(table, [], records=[a_record("a", 0), a_record("b", 0)])
    note(lake, catalog, ("b", 0, "raw.x"), ("c", 1, "raw.x"), ("d", 0, "raw.x"), ("e", 0, None))
    assert ledger.known(catalog, table.refresh(), {"a", "b", "c", "c/1", "e", "f"}) == {"a", "b", "c/1"}
    snapshot = table.current_snapshot()
    told = [(snapshot.snapshot_id, snapshot.timestamp_ms, a_record(name, 0)) for name in "ab"]
    assert list(ledger.in_summaries(table)) == told
    assert list(ledger.in_summaries(None)) == []


def test_a_replay_is_another_commit_of_the_same_file(table):
    """Its number tells it from the first load, and from another replay with the same number."""
    append(table, [], records=[a_record("a", 0)])
    append(table, [], records=[replace(a_record("a", 0), replay=1)])
    for number, ids in ((0, {"a"}), (1, {"a/1"})):
        with pytest.raises(AlreadyCommittedError) as refused:
            append(table, [], records=[replace(a_record("a", 0), replay=number)])
        assert refused.value.ids == ids


def test_two_replays_with_one_number_meet_in_the_guard(catalog, table):
    """Also when both began before either was there."""
    stale = catalog.load_table(table.name())
    append(table, [], records=[replace(a_record("a", 0), replay=1)])
    with pytest.raises(AlreadyCommittedError):
        append(stale, [], records=[replace(a_record("a", 0), replay=1)])


def test_records_of_all_versions_read(table):
    """Old ones say nothing of replays, later ones may say more."""
    append(table, [], records=[a_record("a", 0)])
    snapshot = table.refresh().current_snapshot()
    row = json.loads(snapshot.summary.additional_properties[FILES])[0]
    old = {name: value for name, value in row.items() if name not in ("replay", "set_aside")}
    assert as_record(old) == as_record(row | {"later": 1}) == file_records(snapshot)[0] == a_record("a", 0)
    assert a_record("a").id == "a"
    assert replace(a_record("a"), replay=3).id == "a/3"


def test_a_snapshot_without_a_summary_carries_nothing():
    """Iceberg lets writers leave it out."""
    snapshot = Snapshot(snapshot_id=7, manifest_list="m")
    assert snapshot.summary is None
    assert carried(snapshot) == set()
    assert head_of(snapshot) == "7"


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
    young = ("replay", "set_aside")
    old = replace(LEDGER, columns=tuple(c for c in LEDGER.columns if c.name not in young), key=("file_id",))
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
