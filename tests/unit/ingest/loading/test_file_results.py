"""What became of each file: rows by outcome, bad rows under their numbers, files that cannot be read."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.errors import BadFile
from lakehouse.ingest.loading.file_results import FileResults, RowCounts
from lakehouse.ingest.quarantine.bad_rows import BadRow
from tests.support.units import a_source, fill_unit, set_offsets


@pytest.fixture
def con():
    with duckdb.connect() as con:
        yield con


@pytest.fixture
def results(con):
    """Two files: `f` with two pieces and two bad rows, `g` with a good one."""
    results = FileResults(con)
    fill_unit(con, a_source(), (1, 1, "a", None), (1, 2, "b", "bad"), (2, 3, "c", "odd"), (3, 1, "d", None))
    set_offsets(con, (1, "f", 0), (2, "f", 10), (3, "g", 0))
    results.count_unit({1: "f", 2: "f", 3: "g"})
    return results


def test_rows_are_counted_by_file(results):
    """Received and in quarantine; a file that nothing came of has none."""
    assert results.counts("f") == RowCounts(received=3, quarantined=2)
    assert (results.counts("f").loaded, results.counts("g").loaded) == (1, 1)
    assert results.counts("h") == RowCounts()


def test_bad_rows_are_numbered_in_their_file(results):
    """By row in the piece, and the rows before the piece."""
    assert list(results.bad_rows("f")) == [
        BadRow(2, "bad", "a reason", "as it came"), BadRow(13, "odd", "a reason", "as it came"),
    ]  # fmt: skip
    assert list(results.bad_rows("g")) == []


def test_a_second_unit_adds_to_the_first(results, con):
    """As do the duplicates found in it."""
    fill_unit(con, a_source(), (4, 1, "e", None), (4, 2, "e", None))
    set_offsets(con, (4, "f", 20))
    results.count_unit({4: "f"})
    results.count_duplicates({4: "f"}, {4: 1})
    assert results.counts("f") == RowCounts(received=5, duplicates=1, quarantined=2)


@pytest.mark.parametrize("code", ["not_a_record", "other_table"])
def test_rows_that_are_no_records_of_the_table(results, con, code):
    """Are counted apart, when they are read and when they stay in quarantine: without them a list may be complete."""
    fill_unit(con, a_source(), (4, 1, "e", code), (4, 2, "f", "odd"))
    set_offsets(con, (4, "f", 20))
    results.count_unit({4: "f"})
    assert results.counts("f") == RowCounts(received=5, quarantined=4, no_records=1)
    results.keep_rows("h", [BadRow(3, code, "why"), BadRow(4, "odd", "why")])
    assert results.counts("h") == RowCounts(received=2, quarantined=2, no_records=1)


def test_a_bad_file_is_one_row_in_quarantine(results):
    """Itself, with the first reason there was; once its rows are taken back, none of them is left."""
    results.mark_bad("f", BadFile("first", "why"))
    results.mark_bad("f", BadFile("second", "why else"))
    results.forget_rows("f")
    assert results.counts("f") == RowCounts(received=1, quarantined=1)
    assert list(results.bad_rows("f")) == [BadRow(None, "first", "why")]
    assert results.counts("g").received == 1


def test_rows_that_a_replay_did_not_meet_are_bad(results):
    """The file has no such rows any more."""
    results.add_unread_rows("f", "SELECT unnest([40, 41]) AS row")
    assert results.counts("f") == RowCounts(received=5, quarantined=4)
    assert [(bad.row, bad.code) for bad in results.bad_rows("f")] == [
        (2, "bad"), (13, "odd"), (40, "row_gone"), (41, "row_gone"),
    ]  # fmt: skip


def test_rows_of_a_replayed_file_that_is_bad_now_are_bad_for_its_reason(results):
    """Row by row: the other rows of the file are loaded already."""
    results.mark_bad("f", BadFile("truncated_gzip", "why"))
    results.forget_rows("f")
    results.add_unread_rows("f", "SELECT unnest([2, 3]) AS row")
    assert results.counts("f") == RowCounts(received=2, quarantined=2)
    assert list(results.bad_rows("f")) == [
        BadRow(2, "truncated_gzip", "why"), BadRow(3, "truncated_gzip", "why"),
    ]  # fmt: skip
    assert results.bad_files == {}
