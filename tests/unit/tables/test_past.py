"""Tables as they were: by moment and by head, as far back as snapshots are kept."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from lakehouse.tables import appending, commit, data_files, past, replace_files
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contract import Contract, columns

NOTES = Contract(
    name="core.notes",
    doc="Notes",
    grain="one row a note",
    key=("n",),
    columns=columns(("n", "long", "Number")),
)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def notes(lake):
    return catalogs.ensure(catalogs.open_catalog(lake), NOTES)


def write(table, *numbers):
    with closing(duckdb.connect()) as con:
        return data_files.write(con, table, f"SELECT unnest({list(numbers)}) AS n", f"a{numbers[0]}")


def add(table, number):
    """Append a row; return the snapshot that brought it."""
    appending.append_written(table, write(table, number))
    return table.refresh().current_snapshot()


def test_a_table_that_was_never_filled_has_no_past(notes):
    assert past.oldest(notes) is None
    assert past.snapshot_at(notes, datetime(2999, 1, 1, tzinfo=UTC)) is None
    assert past.snapshot_of(notes, "17") is None


def test_a_moment_has_the_snapshot_that_was_made_last_by_then(notes):
    """From the moment at which it was made, and until the next one is."""
    first, second = add(notes, 1), add(notes, 2)
    made = [past.made_at(each) for each in (first, second)]
    assert past.oldest(notes) == made[0] < made[1]
    assert past.snapshot_at(notes, made[0] - MILLISECOND) is None
    assert past.snapshot_at(notes, made[0]) == first
    assert past.snapshot_at(notes, made[1] - MILLISECOND) == first
    assert past.snapshot_at(notes, made[1]) == second
    assert past.snapshot_at(notes, made[1] + timedelta(days=9)) == second


def test_a_snapshot_is_made_at_a_moment_of_utc(notes):
    before = datetime.now(UTC)
    made = past.made_at(add(notes, 1))
    assert before - MILLISECOND <= made <= datetime.now(UTC)
    assert made.utcoffset() == timedelta(0)


def test_what_expired_is_not_to_be_had_any_more(notes):
    """The moments that had it have none; later ones have theirs."""
    first, *later = (add(notes, number) for number in (1, 2, 3))
    notes.maintenance.expire_snapshots().by_id(first.snapshot_id).commit()
    notes.refresh()
    assert past.snapshot_at(notes, past.made_at(first)) is None
    assert past.snapshot_of(notes, commit.head_of(first)) is None
    for kept in later:
        assert past.snapshot_at(notes, past.made_at(kept)).snapshot_id == kept.snapshot_id
        assert past.snapshot_of(notes, commit.head_of(kept)).snapshot_id == kept.snapshot_id
    assert past.oldest(notes) == past.made_at(later[0])


def test_a_moment_whose_snapshot_expired_does_not_have_the_one_before(notes):
    """One in the middle, as a tag that keeps an old one leaves it: what stood then is not known."""
    first, second, third = (add(notes, number) for number in (1, 2, 3))
    notes.maintenance.expire_snapshots().by_id(second.snapshot_id).commit()
    notes.refresh()
    assert past.snapshot_at(notes, past.made_at(second)) is None
    assert past.snapshot_at(notes, past.made_at(third)).snapshot_id == third.snapshot_id
    # nobody can tell when the one in the middle came
    assert past.snapshot_at(notes, past.made_at(first)) is None


def test_a_table_that_was_rolled_back_was_what_it_was(notes):
    """A moment has what the table showed then, though its snapshot was made earlier or later."""
    first, second = add(notes, 1), add(notes, 2)
    notes.manage_snapshots().set_current_snapshot(first.snapshot_id).commit()
    notes.refresh()
    rolled_back = datetime.fromtimestamp(notes.metadata.snapshot_log[-1].timestamp_ms / 1000, UTC)
    assert past.snapshot_at(notes, past.made_at(second)) == second
    assert past.snapshot_at(notes, rolled_back) == first


def test_a_head_is_found_in_files_that_were_rewritten(notes):
    """The latest snapshot that holds its rows: of the first its files may be gone."""
    add(notes, 1)
    head = commit.head_of(add(notes, 2))
    merged = write(notes, 1, 2)
    replace_files.replace_files(notes, commit.live_files(notes), merged.files, same_rows=True)
    rewritten = notes.refresh().current_snapshot()
    assert str(rewritten.snapshot_id) != head
    assert past.snapshot_of(notes, head) == rewritten
    add(notes, 3)
    assert past.snapshot_of(notes, head) == rewritten
    notes.maintenance.expire_snapshots().by_id(rewritten.snapshot_id).commit()
    assert past.snapshot_of(notes.refresh(), head).snapshot_id == int(head)
