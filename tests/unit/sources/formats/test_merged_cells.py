"""What is merged over several rows of a sheet is said of each of them, and of nothing else."""

from __future__ import annotations

import csv
import io

import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats.merged_cells import Merged
from lakehouse.sources.formats.policy import WorkbookPolicy
from lakehouse.sources.formats.sheet_xml import column_index
from lakehouse.sources.formats.sheets import as_csv
from tests.support.workbooks import book, rows


def read(tmp_path, body):
    path = tmp_path / "book.xlsx"
    path.write_bytes(body)
    text = b"".join(as_csv(path)).decode()
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline="")) if row]


def test_rows_below_get_the_value_of_the_first(tmp_path):
    """With commas and quotes; a cell that has a value of its own keeps it."""
    sheet = rows(("a", "b", "c"), ('x, "y"', 1, 10), (None, 2, 20), ("own", 3, 30), (None, 4, 40))
    assert read(tmp_path, book(sheet, merged=["A2:A4"])) == [
        ("a", "b", "c"), ('x, "y"', "1", "10"), ('x, "y"', "2", "20"), ("own", "3", "30"), ("", "4", "40"),
    ]  # fmt: skip


def test_cells_beside_get_nothing(tmp_path):
    """A title over three columns is no three titles, and of a block only the first column goes on."""
    sheet = rows(("a", "b", "c"), ("x", None, 1), (None, None, 2), ("y", None, 3))
    assert read(tmp_path, book(sheet, merged=["A2:B3", "A4:B4"])) == [
        ("a", "b", "c"), ("x", "", "1"), ("x", "", "2"), ("y", "", "3"),
    ]  # fmt: skip


def test_a_row_with_nothing_else_stays_none(tmp_path):
    """What is merged over more rows than there are makes no rows; nor does a merged cell that is empty."""
    sheet = (
        rows(("a", "b"), ("x", 1), (), (None, None), (None, 2), ("z", 3))
        + '<row r="90"><c r="B90"><v>4</v></c></row>'
    )
    assert read(tmp_path, book(sheet, merged=["A2:A5", "A7:A99", "B2:B3"])) == [
        ("a", "b"), ("x", "1"), ("x", "2"), ("z", "3"), ("", "4"),
    ]  # fmt: skip


def test_rows_are_those_of_their_numbers(tmp_path):
    """Where a sheet leaves rows out, what is merged still ends where it says."""
    xml = (
        '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1" t="str"><v>b</v></c></row>'
        '<row r="10"><c r="A10" t="str"><v>x</v></c><c r="B10"><v>1</v></c></row>'
        '<row r="12"><c r="B12"><v>2</v></c></row><row r="13"><c r="B13"><v>3</v></c></row>'
    )
    assert read(tmp_path, book(xml, merged=["A10:A12"]))[1:] == [("x", "1"), ("x", "2"), ("", "3")]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("prefix", ["", "x:"])
def test_merged_cells_are_found_wherever_the_text_is_cut(size, prefix):
    """Each once, with the prefix of its namespace or none, in either kind of quotes."""
    cells = "".join(f"<{prefix}mergeCell count='1' ref='A{n}:A{n + 1}'/>" for n in range(1, 200, 2))
    text = f'<sheetData>{"<row/>" * 50}</sheetData>{cells}<{prefix}mergeCell ref="AB3:AC9" />'.encode()
    found = Merged.read((text[at : at + size] for at in range(0, len(text), size)), column_index)
    by_first_row = found._ranges_by_first_row
    assert sum(map(len, by_first_row.values())) == 101
    assert [(merged.column_index, merged.last_row) for merged in by_first_row[3]] == [(0, 4), (27, 9)]


def test_more_than_anybody_merges_is_refused(monkeypatch):
    """Cells that stand for millions of values make no file of gigabytes."""
    monkeypatch.setattr(WorkbookPolicy, "max_merged_cells", 10)
    many = "".join(f'<mergeCell ref="A{n}:A{n}"/>' for n in range(11)).encode()
    with pytest.raises(BadFile, match="save it as CSV") as refused:
        Merged.read(iter([many]), column_index)
    assert refused.value.code == "too_large"
    monkeypatch.setattr(WorkbookPolicy, "max_merged_values", 3)
    merged = Merged.read(iter([b'<mergeCell ref="A1:A9"/>']), column_index)
    merged.fill(1, {0: b"x"})
    for number in range(2, 5):
        merged.fill(number, {1: b"y"})
    with pytest.raises(BadFile, match="stand for"):
        merged.fill(5, {1: b"y"})
