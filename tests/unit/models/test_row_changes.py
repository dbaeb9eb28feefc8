"""Rows that differ between two heads are found once, each as often as it comes, or said to be too many."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest

from lakehouse.models import row_changes
from lakehouse.models.row_changes import RowChanges

HEADS = ("1", "2")


def rows(*values: str) -> str:
    listed = ", ".join(f"({value!r}, 1)" for value in values)
    return f"SELECT * FROM (VALUES {listed}) AS v(a, b)" if values else "SELECT '' AS a, 1 AS b LIMIT 0"


def found(con: duckdb.DuckDBPyConnection, table: str | None) -> dict[str, int]:
    assert table is not None
    counted: Counter[str] = Counter()
    for name, _, sign in con.execute(f"FROM {table}").fetchall():
        counted[name] += sign
    return {name: count for name, count in counted.items() if count}


@pytest.mark.parametrize(
    ("before", "now", "differ"),
    [
        (("x", "y"), ("y", "x"), {}),
        (("x", "y"), ("y", "z"), {"x": -1, "z": 1}),
        (("x", "x", "y"), ("x", "y"), {"x": -1}),
        ((), ("x",), {"x": 1}),
        (("x",), (), {"x": -1}),
    ],
)
def test_rows_that_came_and_went(before, now, differ):
    """In any order; a row that comes twice and came once is another one."""
    with duckdb.connect() as con:
        table = RowChanges(con).find("core.notes", HEADS, ["a", "b"], before=rows(*before), now=rows(*now))
        assert found(con, table) == differ


def test_they_are_looked_for_once():
    """Of the same two heads; other heads are another question."""
    with duckdb.connect() as con:
        changes = RowChanges(con)
        assert not changes.are_known("core.notes", HEADS)
        first = changes.find("core.notes", HEADS, ["a", "b"], before=rows("x"), now=rows("y"))
        assert changes.are_known("core.notes", HEADS)
        assert changes.find("core.notes", HEADS, ["a"], before="no SQL", now="no SQL") == first
        other = changes.find("core.notes", ("1", "3"), ["a", "b"], before=rows("x"), now=rows("x"))
        assert found(con, first) == {"x": -1, "y": 1}
        assert found(con, other) == {}


def test_what_a_commit_added_and_removed_is_known():
    with duckdb.connect() as con:
        changes = RowChanges(con)
        changes.note("core.notes", HEADS, added=rows("x"), removed=rows("y", "z"))
        table = changes.find("core.notes", HEADS, ["a", "b"], before="no SQL", now="no SQL")
        assert found(con, table) == {"x": 1, "y": -1, "z": -1}


def test_what_shares_a_bucket_and_stays_is_not_listed(monkeypatch):
    """However many buckets there are: here one."""
    monkeypatch.setattr(row_changes, "_BUCKETS", 1)
    with duckdb.connect() as con:
        table = RowChanges(con).find(
            "core.notes", HEADS, ["a", "b"], before=rows("x", "y"), now=rows("y", "z")
        )
        assert sorted(name for name, _, _ in con.execute(f"FROM {table}").fetchall()) == ["x", "z"]


def test_too_many_are_not_listed(monkeypatch):
    """And that is known, too."""
    monkeypatch.setattr(row_changes, "_MOST_BUCKETS", 1)
    with duckdb.connect() as con:
        changes = RowChanges(con)
        assert changes.find("core.notes", HEADS, ["a", "b"], before=rows("x"), now=rows("y", "z")) is None
        assert changes.are_known("core.notes", HEADS)
