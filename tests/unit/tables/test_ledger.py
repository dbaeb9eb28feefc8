"""Which generations of which files are loaded: by summaries, and by the ledger."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.tables import ledger
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.replace_files import replace_manifests
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
    """The first ingest of all comes before the first copy; and no ids are asked for in vain."""
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
    """Of this table alone; by the ledger where summaries have expired, and by the summaries where both have it."""
    bad = {"received": 3, "loaded": 1, "quarantined": 2}
    mended = {"received": 2, "loaded": 2, "quarantined": 0, "started_at": "2026-02-01T00:00:00Z", "replay": 1}
    assert ledger.loads(catalog, table) == {}
    name = "'" + ".".join(table.name()) + "'"
    for file, table_name in (("a", name), ("b", name), ("c", "'raw.other'"), ("d", "NULL")):
        note_record(lake, catalog, replace(a_record(file, 0), **bad), table_name)
    note_record(lake, catalog, replace(a_record("b", 0), **mended), name)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    partial, complete, empty = (ledger.Load(first, *counts) for counts in ((1, 2), (3, 0), (0, 0)))
    assert ledger.loads(catalog, table) == {"a": partial, "b": complete}
    append(table, [], records=[replace(a_record("a", 0), **mended), replace(a_record("e", 0), **bad)])
    append(table.refresh(), [], records=[a_record("f", 0)])
    found = ledger.loads(catalog, table.refresh())
    assert found == {"a": complete, "b": complete, "e": partial, "f": empty}
    assert [file for file, load in sorted(found.items()) if load.complete] == ["a", "b", "f"]
    assert [file for file, load in sorted(found.items()) if load.empty] == ["f"]


def test_what_is_known_is_in_a_summary_or_in_the_ledger(lake, catalog, table):
    """Of the generations that were asked for, and no others."""
    append(table, [], records=[a_record("a", 0), a_record("b", 0)])
    note(lake, catalog, ("b", 0, "raw.x"), ("c", 1, "raw.x"), ("d", 0, "raw.x"), ("e", 0, None))
    assert ledger.known(catalog, table.refresh(), {"a", "b", "c", "c/1", "e", "f"}) == {"a", "b", "c/1"}
    snapshot = table.current_snapshot()
    expected = [(snapshot.snapshot_id, snapshot.timestamp_ms, a_record(name, 0)) for name in "ab"]
    assert list(ledger.in_summaries(table)) == expected
    assert list(ledger.in_summaries(None)) == []


@pytest.mark.parametrize(("hours_ahead", "moved"), [(-1, False), (0, True), (5, True)])
def test_rows_are_loaded_after_those_that_are_there(table, hours_ahead, moved):
    """Whatever the clock says: of two rows about one thing the later counts, whatever is rewritten or replayed."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert ledger.after_last_load(table, now) == now
    last = now + timedelta(hours=hours_ahead)
    append(table, [], records=[replace(a_record("a", 0), started_at=last.isoformat())])
    replace_manifests(table)
    replay = replace(a_record("b", 0), replay=1, started_at=(now + timedelta(days=9)).isoformat())
    append(table, [], records=[replay])
    expected = last + timedelta(milliseconds=1) if moved else now
    assert ledger.after_last_load(table.refresh(), now) == expected


def test_rows_are_loaded_after_those_of_a_quick_writer_that_a_slow_one_followed(table):
    """Who began first may commit last: the latest beginning counts, not that of the latest commit."""
    slow = datetime(2026, 3, 1, 12, tzinfo=UTC)
    quick = slow + timedelta(seconds=1)
    for name, started_at in (("quick", quick), ("slow", slow)):
        append(table.refresh(), [], records=[replace(a_record(name, 0), started_at=started_at.isoformat())])
    found = ledger.after_last_load(table.refresh(), slow - timedelta(hours=1))
    assert found == quick + timedelta(milliseconds=1)
    table.maintenance.expire_snapshots().by_ids([table.metadata.snapshots[0].snapshot_id]).commit()
    assert ledger.after_last_load(table.refresh(), slow - timedelta(hours=1)) > quick


def test_rows_are_loaded_after_those_whose_commits_have_expired(table):
    """Only rewrites are left, and the clock was set back: what the table has was loaded before its last change."""
    append(table, [], records=[a_record("a", 0)])
    loaded = table.refresh().current_snapshot()
    replace_manifests(table)
    table.refresh().maintenance.expire_snapshots().by_ids([loaded.snapshot_id]).commit()
    set_back = datetime.fromtimestamp(loaded.timestamp_ms / 1000, UTC) - timedelta(hours=6)
    assert ledger.after_last_load(table.refresh(), set_back).timestamp() * 1000 > loaded.timestamp_ms
    ahead = set_back + timedelta(hours=12)
    assert ledger.after_last_load(table, ahead) == ahead
