"""The SQL that moves values out of `extra`, run over rows of its own."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.ingest.refill.refill_sql import Move, counts_sql, keys_sql, refilled_sql
from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.money_columns import MoneyColumn

ROWS = """SELECT * FROM (VALUES
    (1, '{"N":"7","x":1}', NULL), (2, '{"N":"one"}', NULL), (3, '{"N":"8"}', 9), (4, NULL, NULL)
) AS v(id, extra, n)"""
LONG = SourceColumn(name="n", type="long", doc="N", **{"from": "N"})


def a_move(key="N", column=LONG):
    return Move(key, column, "UTC", trimmed=True)


@pytest.fixture
def ask():
    with duckdb.connect() as con:
        sql_functions.create(con)
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


def test_an_amount_in_another_currency_than_its_row_stays(ask):
    """As at ingest, where it would set the row aside; here nobody has asked for the row."""
    rows = """SELECT * FROM (VALUES
        (1, '{"N":"USD 7"}', 'EUR', NULL), (2, '{"N":"USD 7"}', 'usd', NULL), (3, '{"N":"7"}', 'EUR', NULL)
    ) AS v(id, extra, coin, n)"""
    column = SourceColumn(name="n", type="decimal(9,2)", formats=("amount",), doc="N", **{"from": "N"})
    move = Move("N", column, "UTC", trimmed=True, money=(MoneyColumn("n", "coin", "coin", None),))
    moved = ask(f"SELECT id, extra, n::INT FROM ({refilled_sql(rows, [move])}) ORDER BY 1")
    assert moved == [(1, '{"N":"USD 7"}', None), (2, None, 7), (3, None, 7)]
