"""Which generations of which files are in: by summaries, by the ledger, by notes of files without a table."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lakehouse.tables import ledger
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import FILES, AlreadyCommittedError, FileRecord, append, as_record, file_records
from lakehouse.tables.contracts import LEDGER
from tests.support import cloud as clouds
from tests.support.lakes import a_contract, a_record, write


@pytest.fixture
def catalog(lake):
    return open_catalog(lake)


@pytest.fixture
def table(catalog):
    return ensure(catalog, a_contract())


def note(lake, catalog, *rows: tuple[str, int | None, str | None]) -> None:
    """Copy generations into the ledger: file id, replay, table."""
    books = ensure(catalog, LEDGER)
    others = {column.name for column in LEDGER.columns} - {"file_id", "replay", "table_name"}
    nulls = ", ".join(f"NULL AS {name}" for name in others)
    listed = ", ".join(str(row).replace("None", "NULL") for row in rows)
    query = f"SELECT f AS file_id, r AS replay, t AS table_name, {nulls} FROM (VALUES {listed}) AS v(f, r, t)"
    append(books, write(lake, books, query).files)


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
    found = {"a": {"raw.x"}, "b": {"raw.x"}, "b/2": {"raw.x"}, "c": {""}, "d/1": {""}}
    assert ledger.listed(catalog, asked) == found


def test_no_ledger_lists_nothing(catalog):
    """The first ingest of all comes before the first copy."""
    assert ledger.in_ledger(catalog, {"a"}) == set()


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


def test_a_table_s_record_comes_before_the_note(lake, catalog, table, monkeypatch):
    """Summaries before ledger, ledger before notes, a row with a table before one without."""
    a, b, c = (replace(a_record(name, 0), received=1, quarantined=1) for name in "abc")
    with clouds.cloud(monkeypatch):
        for record in (a, b, c):
            ledger.note_tableless(clouds.OPS, record)
        append(table, [], records=[a_record("a", 0)])
        fields = {column.name: getattr(a_record("b", 0), column.name, None) for column in LEDGER.columns}
        for name in (None, "raw.x"):
            row = fields | {"table_name": name, "received": 0 if name else 1, "committed_at": None}
            books = ensure(catalog, LEDGER)
            cells = ", ".join(f"{'NULL' if v is None else repr(v)} AS {n}" for n, v in row.items())
            append(books, write(lake, books, f"SELECT {cells}").files)
        name = ".".join(table.name())
        tables = {name: table.refresh(), LEDGER.name: books.refresh()}
        found = ledger.records(tables, clouds.OPS)
        assert {key: (where, one.received) for key, (where, one) in found.items()} == {
            "a": (name, 0), "b": ("raw.x", 0), "c": ("", 1),
        }  # fmt: skip
        assert isinstance(found["b"][1], FileRecord)
        assert list(ledger.tableless(clouds.OPS, {"a", "b"})) == [c]
