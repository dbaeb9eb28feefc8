"""Rows that are not read become bad rows, and those behind them keep their numbers."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.sound_rows import UnreadRow


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE unit (v VARCHAR, _piece INTEGER, _row BIGINT, _code VARCHAR, _reason VARCHAR, "
            "_original VARCHAR)"
        )
        yield con


UNREAD = [
    UnreadRow(2, "too_few_fields", "bad"),
    UnreadRow(4, "too_many_fields", "a,b,c"),
    UnreadRow(5, "not_a_record", "Total"),
]


def fill(con, *values):
    con.execute(
        "INSERT INTO unit BY NAME SELECT unnest($1) AS v, 5 AS _piece, generate_subscripts($1, 1) AS _row",
        [values],
    )


def test_every_row_has_its_number_in_the_file(con):
    """The rows that were read say by their value where they stood."""
    fill(con, "1", "3", "6")
    csv_rejects.add_to_unit(con, 5, UNREAD)
    rows = con.execute("SELECT _row, v, _code, _original FROM unit ORDER BY _row").fetchall()
    assert rows == [
        (1, "1", None, None),
        (2, None, "too_few_fields", "bad"),
        (3, "3", None, None),
        (4, None, "too_many_fields", "a,b,c"),
        (5, None, "not_a_record", "Total"),
        (6, "6", None, None),
    ]


def test_withheld_rows_show_no_text(con):
    """The reason says so."""
    fill(con, "1")
    csv_rejects.add_to_unit(con, 5, UNREAD, withhold=True)
    rows = con.execute("SELECT _original, _reason FROM unit WHERE _code IS NOT NULL").fetchall()
    assert len(rows) == 3
    assert all(original is None and reason.endswith(csv_rejects.WITHHELD) for original, reason in rows)


def test_rows_are_counted_by_code():
    """As a profile shows them."""
    more = [*UNREAD, UnreadRow(7, "too_few_fields", "x")]
    assert csv_rejects.count_by_code(more) == {"too_few_fields": 2, "too_many_fields": 1, "not_a_record": 1}


def test_without_unread_rows_nothing_changes(con):
    """Numbers stay."""
    fill(con, "1", "2")
    csv_rejects.add_to_unit(con, 5, [])
    assert con.execute("SELECT _row, v FROM unit ORDER BY _row").fetchall() == [(1, "1"), (2, "2")]


@pytest.mark.parametrize(
    ("text", "left_out"), [("1,x\n2,y\n", False), ("1,x\n2\n", True), ('1,"x"y\n', True)]
)
def test_a_reader_that_left_rows_out_says_so(con, tmp_path, text, left_out):
    """Of the last scan alone."""
    path = tmp_path / "rows.csv"
    path.write_text(text)
    csv_rejects.clear(con)
    assert not csv_rejects.are_any(con)
    con.execute(
        f"SELECT * FROM read_csv({literal(str(path))}, auto_detect=false, header=false, delim=',', quote='\"', "
        f"escape='\"', columns={{'a': 'VARCHAR', 'b': 'VARCHAR'}}, {csv_rejects.reader_options()})"
    ).fetchall()
    assert csv_rejects.are_any(con) is left_out
    csv_rejects.clear(con)
    assert not csv_rejects.are_any(con)
