"""The rows of a query as files that other programs read without losing anything."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from lakehouse.console import query_files
from lakehouse.console.query_files import csv_cell, format_of, write_query, xlsx_value
from lakehouse.errors import Terminal
from lakehouse.sources.formats.sheets import as_csv

QUERY = """
SELECT * FROM (VALUES
    (1, 12345678901234567890::HUGEINT, 10.50::DECIMAL(18, 2), '张伟, "vip"', DATE '2026-01-05',
     TIMESTAMPTZ '2026-01-05 08:30:00+08', true, ['a', 'b']),
    (2, NULL, 0.10::DECIMAL(18, 2), '=1+1', DATE '1899-12-31', NULL, false, []),
) AS t(number, huge, amount, text, day, moment, flag, list)
"""


@pytest.fixture
def answer():
    """The connection that has run the query."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con.execute(QUERY)


@pytest.mark.parametrize(
    ("path", "named", "expected"),
    [
        (None, None, "table"),
        (None, "csv", "csv"),
        ("a.xlsx", None, "xlsx"),
        ("a.PARQUET", None, "parquet"),
        ("a.txt", "csv", "csv"),
    ],
)
def test_the_format_is_the_named_one_or_the_file_s(path, named, expected) -> None:
    """What a person types first works."""
    assert format_of(Path(path) if path else None, named) == expected


@pytest.mark.parametrize(
    ("path", "named", "reason"),
    [
        (None, "xls", "xls is no format: there are table, csv, json, parquet, xlsx"),
        ("a.txt", None, "txt is no format.*--format"),
        ("rows", None, "rows is no format.*--format"),
        (None, "xlsx", "name a file with -o FILE.xlsx"),
    ],
)
def test_what_is_no_format_is_told(path, named, reason) -> None:
    """With what there is instead."""
    with pytest.raises(Terminal, match=reason):
        format_of(Path(path) if path else None, named)


def test_csv_keeps_every_value(answer, tmp_path) -> None:
    """Excel reads its Chinese, a CSV reader its commas and quotes, and no digit is lost."""
    assert write_query(answer, tmp_path / "a.csv", "csv") == 2
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ["number", "huge", "amount", "text", "day", "moment", "flag", "list"]
    assert first == [
        *("1", "12345678901234567890", "10.50", '张伟, "vip"', "2026-01-05"),
        *("2026-01-05T00:30:00+00:00", "true", '["a", "b"]'),
    ]
    assert second[1:4] == ["", "0.10", "=1+1"]


def test_json_is_a_list_of_objects(answer, tmp_path) -> None:
    """As `--json` prints it."""
    assert write_query(answer, tmp_path / "a.json", "json") == 2
    assert [row["text"] for row in json.loads((tmp_path / "a.json").read_text("utf-8"))] == [
        '张伟, "vip"',
        "=1+1",
    ]


def test_parquet_keeps_types(answer, tmp_path) -> None:
    """Decimals stay decimals, moments know that they are UTC."""
    assert write_query(answer, tmp_path / "a.parquet", "parquet") == 2
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert rows[0]["amount"] == Decimal("10.50")
    assert rows[0]["moment"] == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    assert rows[1]["list"] == []


def test_a_workbook_shows_what_the_table_holds(answer, tmp_path) -> None:
    """Numbers that Excel would round are text, and nothing in it is run as a formula."""
    path = tmp_path / "a.xlsx"
    assert write_query(answer, path, "xlsx") == 2
    text = b"".join(as_csv(path, None, lambda _rows: 0)).decode()
    header, first, second = csv.reader(text.splitlines())
    assert header[:4] == ["number", "huge", "amount", "text"]
    assert first[:5] == ["1", "12345678901234567890", "10.5", '张伟, "vip"', "2026-01-05"]
    assert second[3:5] == ["=1+1", "1899-12-31"]
    assert b"<f>" not in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")


def test_columns_of_one_name_are_told_apart(tmp_path) -> None:
    """A join often gives two; Parquet readers refuse such a file."""
    with duckdb.connect() as con:
        write_query(con.execute("SELECT 1 AS a, 2 AS a"), tmp_path / "a.parquet", "parquet")
    assert pq.read_table(tmp_path / "a.parquet").column_names == ["a", "a_1"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (10**15 - 1, 10**15 - 1),
        (10**15, "1000000000000000"),
        (Decimal("0.10"), 0.1),
        (Decimal("1234567890123.456"), "1234567890123.456"),
        (Decimal("NaN"), "NaN"),
        (float("inf"), "inf"),
        (datetime(2026, 1, 5, 8, tzinfo=UTC), datetime(2026, 1, 5, 8)),  # noqa: DTZ001
        (date(1899, 12, 31), "1899-12-31"),
        (True, True),
        (None, None),
        ({"a": [1]}, '{"a": [1]}'),
        (b"\x01", "01"),
    ],
)
def test_a_cell_never_changes_a_value(value, cell) -> None:
    """Excel keeps 15 digits and knows no day before 1900: what it cannot hold is text."""
    assert xlsx_value(value) == cell
    assert type(xlsx_value(value)) is type(cell)


def test_what_a_sheet_cannot_hold_is_told(tmp_path, monkeypatch) -> None:
    """Rather than cut off; an older file of that name stays."""
    (tmp_path / "a.xlsx").write_bytes(b"older")
    monkeypatch.setattr(query_files, "_XLSX_ROWS", 3)
    with duckdb.connect() as con:
        with pytest.raises(Terminal, match="a sheet holds 2 rows"):
            write_query(con.execute("SELECT * FROM range(3)"), tmp_path / "a.xlsx", "xlsx")
        with pytest.raises(Terminal, match="a cell holds 32,767 characters"):
            write_query(con.execute("SELECT repeat('x', 40000)"), tmp_path / "a.xlsx", "xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]
    assert (tmp_path / "a.xlsx").read_bytes() == b"older"


def test_a_sheet_has_a_name_and_a_workbook_that_cannot_be_written_is_told(answer, tmp_path) -> None:
    """Excel takes 31 characters of a name; xlsxwriter's own error is no OSError."""
    write_query(answer, tmp_path / "a.xlsx", "xlsx", sheet="s" * 40)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert f'name="{"s" * 31}"' in book.read("xl/workbook.xml").decode()
    write_query(answer, tmp_path / "a.xlsx", "xlsx", sheet="history")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert 'name="history_"' in book.read("xl/workbook.xml").decode()
    (tmp_path / ".b.xlsx.part").mkdir()
    with pytest.raises(Terminal, match=r"b\.xlsx cannot be written: Is a directory"):
        write_query(answer, tmp_path / "b.xlsx", "xlsx")


def test_a_folder_that_is_not_there_is_told(tmp_path) -> None:
    """By name, in a line."""
    with duckdb.connect() as con, pytest.raises(Terminal, match="cannot be written"):
        write_query(con.execute("SELECT 1"), tmp_path / "no" / "a.csv", "csv")


@pytest.mark.parametrize(
    ("value", "cell"), [(None, ""), ("", ""), (True, "true"), (1.5, "1.5"), (b"\xff", "ff")]
)
def test_csv_cells(value, cell) -> None:
    """Null and the empty text look alike, as everywhere in CSV."""
    assert csv_cell(value) == cell
