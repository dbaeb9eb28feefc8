"""Rows that the reader leaves out become bad rows, and those behind them keep their numbers."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading import csv_rejects


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE unit (v VARCHAR, _piece INTEGER, _row BIGINT, _code VARCHAR, _reason VARCHAR, "
            "_original VARCHAR)"
        )
        yield con


@pytest.fixture
def scan(con, tmp_path):
    """Return a function that reads lines of two columns into `unit`, as rows numbered from 1."""

    def scan(*lines):
        path = tmp_path / "rows.csv"
        path.write_text("\n".join(("a,b", *lines)) + "\n")
        con.execute(
            "INSERT INTO unit BY NAME SELECT a AS v, 5 AS _piece, row_number() OVER () AS _row FROM "
            f"read_csv({literal(str(path))}, auto_detect=false, header=false, skip=1, delim=',', quote='\"', "
            f"escape='\"', columns={{'a': 'VARCHAR', 'b': 'VARCHAR'}}, {csv_rejects.reader_options()})"
        )

    return scan


LINES = ("1,x", "bad", "3,x", "a,b,c", "also bad", "6,x")


def test_every_row_has_its_number_in_the_file(con, scan):
    """The rows that were read say by their value where they stood."""
    scan(*LINES)
    csv_rejects.add_to_unit(con, 5, header_lines=1)
    rows = con.execute("SELECT _row, v, _code, _original FROM unit ORDER BY _row").fetchall()
    assert rows == [
        (1, "1", None, None),
        (2, None, "too_few_fields", "bad"),
        (3, "3", None, None),
        (4, None, "too_many_fields", "a,b,c"),
        (5, None, "too_few_fields", "also bad"),
        (6, "6", None, None),
    ]


def test_withheld_rows_show_no_text(con, scan):
    """The reason says so."""
    scan(*LINES)
    csv_rejects.add_to_unit(con, 5, header_lines=1, withhold=True)
    rows = con.execute("SELECT _original, _reason FROM unit WHERE _code IS NOT NULL").fetchall()
    assert len(rows) == 3
    assert all(original is None and reason.endswith(csv_rejects.WITHHELD) for original, reason in rows)


def test_rows_are_counted_by_code(con, scan):
    """None are, where the last scan made no list."""
    assert csv_rejects.count_by_code(con) == {}
    scan(*LINES)
    assert csv_rejects.count_by_code(con) == {"too_few_fields": 2, "too_many_fields": 1}
    csv_rejects.clear(con)
    assert csv_rejects.count_by_code(con) == {}


def test_a_scan_that_leaves_nothing_out_changes_nothing(con, scan):
    """Numbers stay."""
    scan("1,x", "2,x")
    csv_rejects.add_to_unit(con, 5, header_lines=1)
    assert con.execute("SELECT _row, v FROM unit ORDER BY _row").fetchall() == [(1, "1"), (2, "2")]
