"""What came since a snapshot: data files of appends, whatever was rewritten; nothing where rows were replaced."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.tables import appended, appending, commit, data_files, replace_files, replace_table
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contract import Contract, columns

NOTES = Contract(
    name="core.notes",
    doc="Notes",
    grain="one row a note",
    key=("n",),
    columns=columns(("n", "long", "Number")),
)


@pytest.fixture
def notes(lake):
    return catalogs.ensure(catalogs.open_catalog(lake), NOTES)


def add(table, *numbers):
    con = duckdb.connect()
    query = f"SELECT unnest({list(numbers)}) AS n"
    appending.append_written(table, data_files.write(con, table, query, f"a{numbers[0]}"))
    con.close()
    return commit.head(table.refresh())


def rows(table, paths):
    con = duckdb.connect()
    found = con.execute(f"SELECT n FROM ({data_files.read_sql(table, paths)}) ORDER BY n").fetchall()
    con.close()
    return [n for (n,) in found]


def test_what_was_appended_since_is_named_once(notes):
    first = add(notes, 1, 2)
    second = add(notes, 3)
    third = add(notes, 4, 5)
    assert rows(notes, appended.paths_since(notes, first)) == [3, 4, 5]
    assert rows(notes, appended.paths_since(notes, second)) == [4, 5]
    assert appended.paths_since(notes, third) == []
    assert appended.paths_since(notes, "17") is None  # expired, or of another table


def test_rewritten_files_bring_no_rows(notes):
    """The files that were appended are still read: their snapshot is kept."""
    first = add(notes, 1)
    add(notes, 2)
    con = duckdb.connect()
    old = commit.live_files(notes)
    written = data_files.write(con, notes, "SELECT unnest([1, 2]) AS n", "rewritten")
    con.close()
    replace_files.replace_files(notes, old, written.files, same_rows=True)
    assert len(commit.live_files(notes.refresh())) == 1
    assert rows(notes, appended.paths_since(notes, first)) == [2]
    add(notes, 3)
    assert rows(notes, appended.paths_since(notes, first)) == [2, 3]


def test_rows_that_were_changed_in_their_files_are_no_news(notes):
    """A refill writes rows again, otherwise: all of them must be read."""
    first = add(notes, 1)
    add(notes, 2)
    con = duckdb.connect()
    old = commit.live_files(notes)
    written = data_files.write(con, notes, "SELECT unnest([1, 7]) AS n", "refilled")
    con.close()
    replace_files.replace_files(notes, old, written.files, same_rows=False)
    assert appended.paths_since(notes.refresh(), first) is None


def test_after_a_replacement_nobody_can_tell(notes):
    first = add(notes, 1)
    second = add(notes, 2)
    base = notes.current_snapshot().snapshot_id
    replace_table.replace_all(notes, [], computed_from={"a": "b"}, base=base)
    third = commit.head(notes.refresh())
    assert appended.paths_since(notes, first) is None
    assert appended.paths_since(notes, second) is None
    add(notes, 3)
    assert rows(notes, appended.paths_since(notes, third)) == [3]


def test_files_that_differ_are_those_of_one_snapshot_alone(notes):
    """What both have is not named; of a table that is empty now, all that it had."""
    add(notes, 1, 2)
    before = int(add(notes, 3))
    kept = next(entry for entry in commit.live_entries(notes) if entry.data_file.record_count == 2)
    gone = [entry for entry in commit.live_entries(notes) if entry.data_file.record_count == 1]
    con = duckdb.connect()
    written = data_files.write(con, notes, "SELECT unnest([7, 8, 9]) AS n", "other")
    con.close()
    replace_table.replace_some(notes, gone, written.files, computed_from={}, base=before)
    went, came = appended.differing_files(notes.refresh(), before)
    assert (rows(notes, went.paths), went.rows) == ([3], 1)
    assert (rows(notes, came.paths), came.rows) == ([7, 8, 9], 3)
    now = notes.current_snapshot().snapshot_id
    assert appended.differing_files(notes, now) == (appended.Files([], 0), appended.Files([], 0))
    replace_table.replace_all(notes, [], computed_from={}, base=now)
    went, came = appended.differing_files(notes.refresh(), before)
    assert kept.data_file.file_path in went.paths
    assert came == appended.Files([], 0)
