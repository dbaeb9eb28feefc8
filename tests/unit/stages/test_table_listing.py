"""`show all tables` says what there is, how much of it, and what it means."""

from __future__ import annotations

import uuid

import duckdb
import pytest

from lakehouse.stages.table_listing import ListedTable, is_listing, list_tables, listing_sql
from lakehouse.tables import appending, catalog
from lakehouse.tables.people import CONSENTS, CUSTOMERS


@pytest.mark.parametrize(
    ("query", "listing"),
    [
        ("show all tables", True),
        ("SHOW TABLES;\n", True),
        ("  show  all\ttables ; ", True),
        ("show all tables where 1", False),
        ("select 'show all tables'", False),
        ("show tables from raw", False),
    ],
)
def test_only_the_plain_question_is_answered_so(query, listing) -> None:
    """DuckDB answers all others itself."""
    assert is_listing(query) is listing


def test_filled_tables_come_first_in_each_schema() -> None:
    """A meaning is its first sentence; quotes in it are text."""
    tables = [
        ListedTable("core.a", 0, "Nothing yet. More."),
        ListedTable("core.b", 5, "What's in it: details"),
        ListedTable("raw.z", 1, ""),
    ]
    with duckdb.connect() as con:
        answer = con.execute(listing_sql(tables))
        assert [column[0] for column in answer.description] == ["schema", "table", "rows", "meaning"]
        assert answer.fetchall() == [
            ("core", "b", 5, "What's in it"),
            ("core", "a", 0, "Nothing yet"),
            ("raw", "z", 1, ""),
        ]


def test_rows_are_those_of_the_current_snapshot(lake) -> None:
    """Tables that nobody has made are listed without rows; raw ones of sources that sent nothing are not."""
    table = catalog.ensure(catalog.open_catalog(lake), CONSENTS)
    with duckdb.connect() as con:
        empty = ", ".join(f"CAST(NULL AS {column.duck_type}) AS {column.name}" for column in CONSENTS.columns)
        appending.append_query(con, table, f"SELECT {empty} FROM range(3)", f"t-{uuid.uuid4()}")
    listed = {one.name: one for one in list_tables(lake)}
    assert listed[CONSENTS.name].rows == 3
    assert listed[CONSENTS.name].meaning == CONSENTS.doc
    assert listed[CUSTOMERS.name].rows == 0
    assert "core.events" in listed
    assert not [name for name in listed if name.startswith("raw.")]
