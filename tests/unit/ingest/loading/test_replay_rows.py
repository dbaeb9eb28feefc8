"""Of files that are replayed in part only the rows to load stay in the unit, and those that were read are known."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.ingest.loading.replay_rows import ReplayRows, partial_replays
from lakehouse.ingest.quarantine.replay_plan import Replay
from tests.support.units import a_source, fill_unit, set_offsets


@pytest.fixture
def con():
    with duckdb.connect() as con:
        fill_unit(
            con, a_source(), (1, 1, "a", None), (1, 2, "b", None), (2, 1, "c", "bad"), (3, 2, "d", None)
        )
        set_offsets(con, (1, "f", 0), (2, "f", 10), (3, "g", 0))
        yield con


def rows_in_unit(con):
    return con.execute("SELECT _piece, _row FROM unit ORDER BY ALL").fetchall()


def unread(con, rows, file_id):
    return sorted(row for (row,) in con.execute(rows.unread_sql(file_id)).fetchall())


def test_which_files_are_replayed_in_part():
    """Not those whose whole file was bad, nor those that load for the first time, nor files of other batches."""
    replays = {"f": Replay(1, frozenset({2})), "g": Replay(1, None), "i": Replay(1, frozenset({1}))}
    assert partial_replays(["f", "g", "h"], replays) == {"f": frozenset({2})}


def test_only_rows_to_load_stay(con):
    """By their numbers in the file, good or bad; other files keep all rows."""
    rows = ReplayRows(con)
    rows.request({"f": frozenset({2, 11, 40})})
    rows.filter_unit()
    assert rows_in_unit(con) == [(1, 2), (2, 1), (3, 2)]
    assert unread(con, rows, "f") == [40]
    assert unread(con, rows, "g") == []


def test_without_partial_replays_all_rows_stay(con):
    """And nothing is asked."""
    rows = ReplayRows(con)
    rows.request({})
    rows.filter_unit()
    assert rows_in_unit(con) == [(1, 1), (1, 2), (2, 1), (3, 2)]


def test_what_was_read_can_be_taken_back(con):
    """The file turned out bad: none of its rows was."""
    rows = ReplayRows(con)
    rows.request({"f": frozenset({2}), "g": frozenset({2})})
    rows.filter_unit()
    rows.forget_read("f")
    assert (unread(con, rows, "f"), unread(con, rows, "g")) == ([2], [])
