"""Which files in quarantine are selected, from records alone; their rows are tried in tests/integration."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from lakehouse.errors import Terminal
from lakehouse.ingest.quarantine.open_rows import (
    QuarantinedFile,
    QuarantineFilter,
    filter_files,
    groups_sql,
    is_of_source,
    resolve_file_id,
    rows_condition,
    unknown_source,
)
from lakehouse.tables.commit import FileRecord

AT = datetime(2026, 1, 1, tzinfo=UTC)


def a_record(file_id, key, quarantined):
    return FileRecord(file_id, "landing", key, "v", 10, 9, 9 - quarantined, 0, quarantined, AT.isoformat())


LAST = {
    record.file_id: ("raw.x", record)
    for record in (
        a_record("aaaaaaaa01", "shop/orders/2.csv", 1),
        a_record("aaaaaaaa02", "shop/orders/1.csv", 2),
        a_record("bbbbbbbb01", "shop/contacts/1.csv", 3),
        a_record("cccccccc01", "erp/orders/1.csv", 4),
        a_record("dddddddd01", "erp/orders/2.csv", 0),
    )
}


@pytest.mark.parametrize(
    ("criteria", "keys"),
    [
        (
            QuarantineFilter(),
            ["erp/orders/1.csv", "shop/contacts/1.csv", "shop/orders/1.csv", "shop/orders/2.csv"],
        ),
        (QuarantineFilter("shop"), ["shop/contacts/1.csv", "shop/orders/1.csv", "shop/orders/2.csv"]),
        (QuarantineFilter("shop/orders"), ["shop/orders/1.csv", "shop/orders/2.csv"]),
        (QuarantineFilter("web"), []),
        (QuarantineFilter(file_ids=("bbbbbbbb", "aaaaaaaa01")), ["shop/contacts/1.csv", "shop/orders/2.csv"]),
        (QuarantineFilter("erp", file_ids=("bbbbbbbb",)), []),
        (QuarantineFilter(file_ids=("dddddddd",)), []),  # nothing of it is in quarantine
    ],
)
def test_files_are_selected_by_id_and_source(criteria, keys):
    """In the order of their source keys and keys, each with at least a row in quarantine."""
    assert [file.record.key for file in filter_files(LAST, criteria)] == keys


def test_an_id_that_no_file_has_is_refused():
    """Rather than that nothing is selected."""
    with pytest.raises(Terminal, match="no file that was ingested has this id"):
        filter_files(LAST, QuarantineFilter(file_ids=("eeeeeeee",)))


def test_an_id_may_be_shortened_as_long_as_it_is_one():
    """Too short is not taken for anything."""
    ids = ["aaaaaaaa01", "aaaaaaaa02", "bbbbbbbb01"]
    assert resolve_file_id(ids, "bbbbbbbb") == "bbbbbbbb01"
    for prefix, reason in (("aaaaaaaa", "several"), ("bbbb", "no file"), ("cccccccc", "no file")):
        with pytest.raises(Terminal, match=reason):
            resolve_file_id(ids, prefix)


@pytest.mark.parametrize(
    ("name", "matches"),
    [("shop", True), ("shop/orders", True), ("shop/", True), ("shop/x", False), ("sho", False), (None, True)],
)
def test_a_source_is_named_with_or_without_its_entity(name, matches):
    """As the key's first two folders."""
    assert is_of_source(("shop", "orders"), name) is matches


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("shp", "no source shp; did you mean shop? `lakehouse sources list` shows all"),
        ("shop/order", "no source shop/order; did you mean shop/orders? `lakehouse sources list` shows all"),
        ("erp", "no source erp; `lakehouse sources list` shows all"),
    ],
)
def test_a_source_that_is_none_is_answered_with_the_nearest(name, answer):
    """With entities where one was named."""
    assert unknown_source(name, [("shop", "orders"), ("web", "events")]) == answer


def test_a_files_source_key_stands_in_its_key():
    """Whether a definition fits it or not."""
    assert QuarantinedFile("", a_record("a", "shop/orders/1.csv", 1)).source_key == ("shop", "orders")
    assert QuarantinedFile("", a_record("a", "odd.csv", 1)).source_key == ("", "")


@pytest.mark.parametrize(
    ("criteria", "asks"),
    [
        (QuarantineFilter("shop", file_ids=("aaaaaaaa",)), False),
        (QuarantineFilter(code=""), False),
        (QuarantineFilter(code="bad"), True),
        (QuarantineFilter(since=AT), True),
    ],
)
def test_rows_are_read_only_where_they_decide(criteria, asks):
    """By their code or time."""
    assert criteria.asks_of_rows is asks


@pytest.fixture
def con():
    """Rows of two codes, one of them hostile, a minute apart."""
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE open_rows AS SELECT 'f' || n AS file_id, 'shop' AS source, 'orders' AS entity, "
            "CASE WHEN n < 3 THEN 'bad' ELSE 'it''s' END AS code, 'reason ' || n AS reason, n AS \"row\", "
            "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_minutes(n) AS quarantined_at, n = 4 AS dismissed "
            "FROM range(5) AS r(n)"
        )
        yield con


@pytest.mark.parametrize(
    ("criteria", "rows"),
    [
        (QuarantineFilter(), [0, 1, 2, 3]),
        (QuarantineFilter(code="it's"), [3]),
        (QuarantineFilter(since=datetime(2026, 1, 1, 0, 2, tzinfo=UTC)), [2, 3]),
        (QuarantineFilter(code="bad", since=datetime(2026, 1, 1, 0, 2, tzinfo=UTC)), [2]),
    ],
)
def test_rows_are_selected_by_code_and_time(con, criteria, rows):
    """The moment itself included; what was dealt with is left out, and here it is the fifth row."""
    query = f'SELECT "row" FROM open_rows WHERE {rows_condition(criteria)} ORDER BY 1'
    assert [row for (row,) in con.execute(query).fetchall()] == rows


def test_the_largest_group_comes_first(con):
    """Each with the row that came last for an example."""
    groups = con.execute(groups_sql(QuarantineFilter())).fetchall()
    assert [(code, files, rows) for _, _, code, files, rows, *_ in groups] == [("bad", 3, 3), ("it's", 1, 1)]
    assert groups[0][-1] == {"file_id": "f2", "row": 2, "reason": "reason 2"}


def test_what_is_dealt_with_is_left_out_unless_asked_for(con):
    """By --all, or where its file is named."""
    con.execute('UPDATE open_rows SET dismissed = true WHERE "row" < 3')

    def rows(criteria):
        return len(con.execute(f"FROM open_rows WHERE {rows_condition(criteria)}").fetchall())

    assert rows(QuarantineFilter()) == 1
    assert rows(QuarantineFilter(dismissed=True)) == rows(QuarantineFilter(file_ids=("f0",))) == 5
