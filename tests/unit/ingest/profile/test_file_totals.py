"""What is counted of pieces adds up to what is known of a file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.ingest.profile.file_totals import FileTotals, widest
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.profile_sql import ColumnCounts, PieceCounts
from lakehouse.ingest.profile.sketch import HIGHEST_HASH
from lakehouse.ingest.reading.piece import Layout, Piece


def counts(name, *hashes, lengths=(1, 2)):
    values = pa.array([str(value) for value in hashes], pa.string())
    return ColumnCounts(name, len(hashes), lengths, np.array(hashes, np.uint64), values)


def piece(rows, *columns, left_out=0, **unreadable):
    return PieceCounts(rows, unreadable, list(columns), np.arange(1, rows + 1, dtype=np.uint64), left_out)


@pytest.fixture
def totals(tmp_path):
    totals = FileTotals(tmp_path, 100)
    totals.note_layout(Piece(None, Layout("delimited", ";", ("Id",)), 0))
    return totals


@pytest.mark.parametrize(
    ("lengths", "others", "both"),
    [(None, None, None), ((1, 2), None, (1, 2)), (None, (0, 3), (0, 3)), ((2, 5), (1, 4), (1, 5))],
)
def test_the_widest_of_two_ranges_of_lengths(lengths, others, both):
    """Of nothing and something it is something."""
    assert widest(lengths, others) == both


def test_pieces_add_up(totals):
    """A table's column is the same in whatever case; the first file says how it is written."""
    totals.note_layout(Piece(None, Layout("json_lines"), 0))
    totals.add(piece(2, counts("Id", 1, 2), counts("x", 5, lengths=(3, 3)), bad_quoting=1))
    totals.add(piece(1, counts("id", 3, lengths=(4, 9)), bad_quoting=1, left_out=2))
    assert (totals.kind, totals.delimiter, totals.rows, totals.left_out) == ("delimited", ";", 3, 2)
    assert totals.unreadable == {"bad_quoting": 2}
    by_header = {column.header: column for column in totals.columns}
    assert {name: column.filled for name, column in by_header.items()} == {"Id": 3, "x": 1}
    assert by_header["Id"].lengths == (1, 9)
    assert [column.unique.is_unique() for column in totals.columns] == [True, False]
    assert totals.sample.value_counts("id") == {"1": 1, "2": 1, "3": 1}


def test_a_column_that_comes_later_is_not_unique(totals):
    """Rows before it lack it."""
    totals.add(piece(1, counts("Id", 1)))
    totals.add(piece(1, counts("Id", 2), counts("new", 1)))
    assert [column.unique.is_possible for column in totals.columns] == [True, False]


def test_keys_of_json_differ_by_case(tmp_path):
    """They are columns of their own."""
    totals = FileTotals(tmp_path, 100)
    totals.note_layout(Piece(None, Layout("json_lines"), 0))
    totals.add(piece(1, counts("a", 1), counts("A", 1)))
    assert [column.header for column in totals.columns] == ["a", "A"]


def test_columns_beyond_the_limit_are_counted(totals, monkeypatch):
    """They are not kept."""
    monkeypatch.setattr(ProfilePolicy, "max_columns", 1)
    totals.add(piece(1, counts("a", 1), counts("b", 1)))
    assert ([column.header for column in totals.columns], totals.left_out) == (["a"], 1)


def test_hashes_above_the_highest_are_not_wanted_of_what_is_no_key(totals, monkeypatch):
    """All are, while the column may still be one."""
    totals.add(piece(2, counts("Key", 1, 2), counts("many", 1, 1)))
    assert totals.highest_wanted() == dict.fromkeys(("Key", "key", "many"), HIGHEST_HASH)
    monkeypatch.setattr(totals.columns[1].distinct, "_capacity", 1)
    assert totals.highest_wanted() == {"Key": HIGHEST_HASH, "key": HIGHEST_HASH, "many": 1}
