"""The SQL that moves values out of `extra`, run over rows of its own."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.ingest.refill.refill_sql import Move, counts_sql, keys_sql, refilled_sql
from lakehouse.sources.definition import SourceColumn

ROWS = """SELECT * FROM (VALUES
    (1, '{"N":"7","x":1}', NULL), (2, '{"N":"one"}', NULL), (3, '{"N":"8"}', 9), (4, NULL, NULL)
) AS v(id, extra, n)"""
LONG = SourceColumn(name="n", type="long", doc="N", **{"from": "N"})


def a_move(key="N", column=LONG):
    return Move(key, column, "UTC", trimmed=True)


@pytest.fixture
def ask():
    with duckdb.connect() as con:
        yield lambda query: con.execute(query).fetchall()


@pytest.mark.parametrize(("names", "keys"), [(None, ["N", "x"]), (["x", "it's"], ["x"]), ([], [])])
def test_keys_that_rows_have(ask, names, keys):
    """All of them, or those that are looked for."""
    assert sorted(key for (key,) in ask(keys_sql(ROWS, names))) == keys


def test_what_moves_and_what_stays_is_counted(ask):
    """Rows that change, and for each move the values that move and those that stay."""
    assert ask(counts_sql(ROWS, [a_move()])) == [(1, 1, 2)]
    assert ask(counts_sql(ROWS, [a_move(), a_move("x")])) == [(1, 1, 2, 1, 0)]


def test_values_move_where_they_fit(ask):
    """Not where the text is none of the type, nor where the column has a value; other keys stay."""
    assert sorted(ask(refilled_sql(ROWS, [a_move()]))) == [
        (1, '{"x":1}', 7), (2, '{"N":"one"}', None), (3, '{"N":"8"}', 9), (4, None, None),
    ]  # fmt: skip


def test_of_two_keys_of_a_column_the_first_that_fits_counts(ask):
    """Each row takes one value."""
    rows = 'SELECT 1 AS id, \'{"A":"x","B":"5"}\' AS extra, CAST(NULL AS BIGINT) AS n'
    assert ask(refilled_sql(rows, [a_move("A"), a_move("B")])) == [(1, '{"A":"x"}', 5)]
