"""Files that list all records: who is missing from the next one was deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.models.entity_sql import model_sql
from lakehouse.sources.definition import parse
from lakehouse.sources.mapping_views import entity_sql
from lakehouse.tables import entities

SOURCE = parse(
    """
source: erp
entity: products
doc: Products
grain: one row a product of an export
format: csv
key: [sku]
full_export: {held_above: 0.5}
columns:
  - {name: sku, from: sku, doc: "SKU"}
  - {name: title, from: title, doc: "Title"}
  - {name: changed, from: changed, type: timestamptz, doc: "Changed"}
core:
  products: {product_id: sku, name: title, updated_at: changed}
""",
    "erp_products.yaml",
)
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


@pytest.fixture
def con():
    with duckdb.connect() as found:
        found.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw; CREATE SCHEMA mapped; CREATE SCHEMA core")
        sql_functions.create(found)
        columns = ", ".join(f'"{c.name}" {c.duck_type}' for c in SOURCE.contract.columns)
        found.execute(f"CREATE TABLE raw.erp_products ({columns})")
        yield found


def export(con, number: float, titles: dict[str, str], changed: datetime | None = None) -> str:
    file = f"f{number}"
    for row, (sku, title) in enumerate(titles.items(), start=1):
        con.execute(
            "INSERT INTO raw.erp_products (_file_id, _row, _loaded_at, sku, title, changed) VALUES (?, ?, ?, ?, ?, ?)",
            [file, row, day(number), sku, title, changed],
        )
    return file


def history(con, incomplete=()):
    con.execute(f"CREATE OR REPLACE VIEW mapped.products AS {entity_sql('products', [SOURCE], incomplete)}")
    found = con.execute(
        f"SELECT product_id, name, valid_from, valid_to FROM ({model_sql(entities.BY_NAME['products'])}) ORDER BY 1, 3"
    ).fetchall()
    return [
        (sku, name, (begin - START).days, (end - START).days if end else None)
        for sku, name, begin, end in found
    ]


def now(con, incomplete=()):
    return {sku: name for sku, name, _, end in history(con, incomplete) if end is None}


def test_a_record_that_the_next_file_lacks_ends_with_that_file(con):
    """And one that every file has, unchanged, is one version."""
    export(con, 1, {"a": "A", "b": "B"})
    export(con, 2, {"a": "A"})
    export(con, 3, {"a": "A"})
    assert history(con) == [("a", "A", 1, None), ("b", "B", 1, 2)]


def test_a_record_that_comes_back_is_there_again(con):
    """Its time away is no part of its history, however often that happens."""
    for number, there in enumerate(["ab", "a", "ab", "ab", "a", "ab"], start=1):
        export(con, number, {sku: sku.upper() for sku in there})
    assert [row[2:] for row in history(con) if row[0] == "b"] == [(1, 2), (3, 5), (6, None)]


def test_a_change_date_does_not_hide_that_a_record_is_gone(con):
    """Its date is of its last change, which may lie behind the time of the export, or before it by years."""
    for changed in (day(-900), day(40), None):
        con.execute("DELETE FROM raw.erp_products")
        export(con, 1, {"a": "A", "b": "B"}, changed)
        export(con, 2, {"a": "A"}, changed)
        assert now(con) == {"a": "A"}
        export(con, 3, {"a": "A", "b": "B"}, changed)
        assert now(con) == {"a": "A", "b": "B"}


def test_a_file_with_bad_rows_deletes_nobody(con):
    """The record that it lacks may stand in the row that could not be read. The next whole file tells."""
    export(con, 1, {"a": "A", "b": "B", "c": "C"})
    doubtful = export(con, 2, {"a": "A2", "d": "D"})
    assert now(con) == {"a": "A2", "d": "D"}
    assert now(con, {doubtful}) == {"a": "A2", "b": "B", "c": "C", "d": "D"}
    export(con, 3, {"a": "A2", "b": "B"})
    assert history(con, {doubtful}) == [
        ("a", "A", 1, 2), ("a", "A2", 2, None), ("b", "B", 1, None), ("c", "C", 1, 3), ("d", "D", 2, 3),
    ]  # fmt: skip


def test_a_record_written_twice_in_a_file_is_one(con):
    """The row further down counts."""
    export(con, 1, {"a": "A"})
    con.execute(
        "INSERT INTO raw.erp_products SELECT * REPLACE (2 AS _row, 'A2' AS title) FROM raw.erp_products"
    )
    assert now(con) == {"a": "A2"}
    export(con, 2, {"b": "B"})
    assert history(con) == [("a", "A2", 1, 2), ("b", "B", 2, None)]


def test_a_file_that_lists_nobody_deletes_all(con):
    """The table has no row of it: that it was there is told beside."""
    export(con, 1, {"a": "A"})
    export(con, 3, {"b": "B"})
    nobody = {SOURCE.table: {"f2": day(2)}}
    con.execute(f"CREATE OR REPLACE VIEW mapped.products AS {entity_sql('products', [SOURCE], (), nobody)}")
    found = con.execute(
        f"SELECT product_id, valid_to FROM ({model_sql(entities.BY_NAME['products'])}) ORDER BY 1"
    ).fetchall()
    assert found == [("a", day(2)), ("b", None)]


def test_a_record_that_came_back_changed_did_so_when_it_says(con):
    """And says the same once a further file lists it: history is not rewritten."""
    export(con, 1, {"a": "A"}, day(0))
    export(con, 2, {"b": "B"}, day(0))
    con.execute("DELETE FROM raw.erp_products WHERE sku = 'b'")
    export(con, 5, {"a": "A"}, day(4))
    message = [("a", "A", 0, 2), ("a", "A", 4, None)]
    nobody = {SOURCE.table: {"f2": day(2)}}
    for number in (5, 6):
        if number == 6:
            export(con, 6, {"a": "A"}, day(4))
        con.execute(
            f"CREATE OR REPLACE VIEW mapped.products AS {entity_sql('products', [SOURCE], (), nobody)}"
        )
        found = con.execute(
            "SELECT product_id, name, valid_from, valid_to FROM "
            f"({model_sql(entities.BY_NAME['products'])}) ORDER BY 1, 3"
        ).fetchall()
        assert [
            (sku, name, (begin - START).days, (end - START).days if end else None)
            for sku, name, begin, end in found
        ] == message


def test_columns_may_be_called_as_one_likes(con):
    """Whatever the SQL around them uses for itself."""
    text = """
source: odd
entity: things
doc: Things
grain: one row a thing
format: csv
key: [place]
full_export: {}
columns:
  - {name: place, from: place, doc: "Key"}
  - {name: moment, from: moment, doc: "Text"}
  - {name: whole, from: whole, doc: "Text"}
  - {name: counts, from: counts, doc: "Text"}
core:
  products: {product_id: place, name: "concat_ws(' ', moment, whole, counts)"}
"""
    source = parse(text, "odd.yaml")
    columns = ", ".join(f'"{c.name}" {c.duck_type}' for c in source.contract.columns)
    con.execute(f"CREATE TABLE raw.odd_things ({columns})")
    con.execute("INSERT INTO raw.odd_things VALUES ('f', 1, '2026-01-01', NULL, 'p', 'a', 'b', 'c')")
    found = con.execute(
        f"SELECT product_id, name, deleted FROM ({entity_sql('products', [source])})"
    ).fetchall()
    assert found == [("p", "a b c", False)]


def test_a_full_export_needs_a_key():
    """Without one nobody can say who is missing."""
    text = "source: a\nentity: b\ndoc: d\ngrain: g\nformat: csv\nfull_export: {}\ncolumns: [{name: x, from: x, doc: d}]"
    with pytest.raises(Exception, match="full_export: needs a `key`"):
        parse(text, "a.yaml")
