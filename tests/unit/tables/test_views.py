"""Tables as DuckDB views: those that exist, pinned to the snapshot they had."""

from __future__ import annotations

import pytest

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.contract import columns
from lakehouse.tables.people import IDENTITIES
from lakehouse.tables.views import attach, nothing_sql, open_tables, scan_sql
from tests.support.lakes import a_contract, duck_of, each_once, load_files


def test_views_of_tables_that_are_not_there_are_left_out(lake):
    """A lake begins empty."""
    with duck_of(lake, iceberg=True) as con:
        assert attach(con, open_catalog(lake)) == {}
        assert attach(con, open_catalog(lake), ["raw.events"]) == {}


def test_a_view_shows_the_snapshot_that_it_was_attached_at(lake):
    """What is committed later is seen by those who attach later."""
    table = ensure(open_catalog(lake), a_contract("raw.t"))
    load_files(lake, table, "a")
    query = "SELECT file, n FROM raw.t ORDER BY ALL"
    with duck_of(lake, iceberg=True) as con:
        assert list(open_tables(con, lake)) == ["raw.t"]
        load_files(lake, table, "b")
        assert con.execute(query).fetchall() == each_once(["a"])
        attach(con, open_catalog(lake), ["raw.t", "raw.none"])
        assert con.execute(query).fetchall() == each_once(["a", "b"])


def test_events_are_tied_to_customers_once_both_tables_are_attached(lake):
    """By the user, or else by the device."""
    catalog = open_catalog(lake)
    ids = columns(("user_id", "string", "U"), ("anonymous_id", "string", "A"))
    ensure(catalog, a_contract("raw.events", columns=ids))
    with duck_of(lake, iceberg=True) as con:
        attach(con, catalog)
        found = "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'core' AND view_name = 'events'"
        assert con.execute(found).fetchone() == (0,)
        ensure(catalog, IDENTITIES)
        attach(con, catalog)
        assert con.execute(found).fetchone() == (1,)


@pytest.mark.parametrize("kind", ["empty table", "no table"])
def test_a_table_without_rows_has_its_columns(lake, kind):
    """Whether it was made and never filled, or not made at all."""
    contract = a_contract("raw.t")
    query = nothing_sql(contract) if kind == "no table" else scan_sql(ensure(open_catalog(lake), contract))
    with duck_of(lake) as con:
        answer = con.execute(query)
        assert [(column[0], str(column[1])) for column in answer.description] == [
            ("file", "VARCHAR"), ("n", "BIGINT"),
        ]  # fmt: skip
        assert answer.fetchall() == []
