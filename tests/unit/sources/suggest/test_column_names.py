"""Names of a draft's columns: SQL reads each without quotes, and none stands twice."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.sources.suggest.column_names import RESERVED, column_name


@pytest.mark.parametrize(
    ("header", "core", "taken", "name"),
    [
        ("Order ID", "", (), "order_id"),
        ("firstName", "", (), "first_name"),
        ("Order #", "", (), "order_number"),
        ("Straße (m²)", "", (), "stra_e_m2"),
        ("订单编号", "order_id", (), "order_id"),
        ("手机", "", (), "mobile"),
        ("身份证号", "", (), "id_card"),
        ("客户编号", "identifier_value", (), "customer_ref"),
        ("莫名其妙", "", (), "column_3"),
        ("😀", "", (), "column_3"),
        ("42", "", (), "column_3"),
        ("№", "", (), "no"),
        ("select", "", (), "select_value"),
        ("Name", "", ("name",), "name_2"),
        ("Name", "", ("name", "name_2"), "name_3"),
        ("select", "", ("select_value",), "select_value_2"),
    ],
)
def test_a_header_becomes_a_name(header, core, taken, name):
    """Its own words; where these are not English what core or the vocabulary calls it, else its number."""
    assert column_name(header, 2, core, set(taken)) == name


def test_words_of_sql_are_no_names():
    """What DuckDB cannot read as a column in SQL gets another name."""
    with duckdb.connect() as con:
        words = [
            row[0] for row in con.execute("SELECT DISTINCT keyword_name FROM duckdb_keywords()").fetchall()
        ]
        for word in words:
            con.execute(f'CREATE OR REPLACE TABLE t("{word}" VARCHAR)')
            try:
                con.execute(f"SELECT CAST({word} AS VARCHAR), coalesce({word}, 'x'), {word} > 'a' FROM t")
            except duckdb.Error:
                assert word in RESERVED, word
