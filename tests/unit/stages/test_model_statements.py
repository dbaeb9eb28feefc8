"""The statements of models are in the order in which they are run, whole, and say what they leave out."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
import sqlglot

from lakehouse.errors import Terminal
from lakehouse.models import registry
from lakehouse.settings import current
from lakehouse.stages.model_statements import statements


@pytest.fixture(autouse=True)
def day(monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "2026-03-04")
    monkeypatch.setenv("LAKEHOUSE_TIME_ZONE", "Asia/Shanghai")
    current.cache_clear()
    yield
    current.cache_clear()


def test_duckdb_runs_what_is_printed():
    """Day and zone are written out: no variable has to be set."""
    [statement] = statements(current(), ["core.first_orders"])
    ordered = (
        "'ann' AS customer_id, true AS is_order, DATE '2026-01-02' AS ordered_on, NULL::DATE AS taken_back_on"
    )
    with duckdb.connect() as con:
        con.execute(f"CREATE SCHEMA core; CREATE TABLE core.order_values AS SELECT {ordered}")
        assert con.execute(statement.as_text()).fetchall() == [("ann", dt.date(2026, 1, 2))]
    [sessions] = statements(current(), ["marts.sessions"])
    assert "AT TIME ZONE 'Asia/Shanghai'" in sessions.sql
    [retention] = statements(current(), ["marts.cohort_retention"])
    assert "day <= DATE '2026-03-04'" in retention.sql
    assert "getvariable" not in retention.sql + sessions.sql


def test_on_spark_rows_go_to_the_table_by_the_names_of_its_columns():
    """In the order in which models read each other, whatever is asked for first; a view is made."""
    listed = statements(current(), ["marts.rfm", "core.first_orders", "core.dim_product"], "spark")
    by_table = {each.table: each.sql for each in listed}
    assert list(by_table) == [model.table for model in registry.load().in_order if model.table in by_table]
    assert by_table["core.first_orders"].startswith(
        "INSERT OVERWRITE core.first_orders (customer_id, ordered_on)\nSELECT"
    )
    assert by_table["core.dim_product"].startswith("CREATE OR REPLACE VIEW core.dim_product AS\nWITH")
    for sql in by_table.values():
        sqlglot.parse_one(sql, dialect="spark")


def test_what_spark_does_not_compute_is_a_comment_that_says_why():
    """So a script of all has no gap that nobody sees."""
    listed = {each.table: each for each in statements(current(), (), "spark")}
    assert listed.keys() == registry.load().by_table.keys()
    assert listed["marts.sessions"].as_text().startswith("-- marts.sessions is left to DuckDB: ASOF JOIN")
    assert "mappings" in listed["core.orders"].why_not
    for model in registry.load().in_order:
        statement = listed[model.table]
        assert bool(statement.sql) != bool(statement.why_not)
        assert not (model.only_on and statement.sql)


def test_a_name_that_no_model_has_is_told():
    """With those that are near."""
    with pytest.raises(Terminal, match="rfm"):
        statements(current(), ["marts.rmf"], "spark")
