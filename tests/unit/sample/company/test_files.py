"""Files of a shard hold the rows of the company's customers, in the form of their export."""

from __future__ import annotations

import gzip
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.sample.company.files import PackedLines, ShardFiles, Workbook
from lakehouse.sample.company.truth import Tally
from lakehouse.sample.company.writers.export import CSV, LINES, QUOTED, Export


def test_packed_lines_are_those_of_arrow_s_buffer(tmp_path: Path) -> None:
    """Slices and empty tables too; the header has no time."""
    table = pa.table({LINES: ["a\n", "b\n", "中\n"]})
    packed = PackedLines(tmp_path / "lines.gz")
    for part in (table, table.slice(1, 1), table.slice(0, 0)):
        packed.write_table(part)
    packed.close()
    content = (tmp_path / "lines.gz").read_bytes()
    assert gzip.decompress(content).decode() == "a\nb\n中\nb\n"
    assert content[4:8] == bytes(4)


def test_a_workbook_has_text_below_a_header(tmp_path: Path) -> None:
    """What looks like a number stays text; null and empty texts are no cells."""
    workbook = Workbook(tmp_path / "book.xlsx", ["id", "remark"])
    workbook.write_table(pa.table({"id": ["001", "2"], "remark": [None, "x"]}))
    workbook.write_table(pa.table({"id": ["3"], "remark": [""]}))
    workbook.close()
    assert _cells(tmp_path / "book.xlsx") == {
        "A1": "id",
        "B1": "remark",
        "A2": "001",
        "A3": "2",
        "B3": "x",
        "A4": "3",
    }


def _cells(path: Path) -> dict[str, str]:
    """Return the cells of the first sheet that are texts, by their names."""
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    return dict(re.findall(r'<c r="(\w+)" t="inlineStr"><is><t>([^<]*)</t></is></c>', sheet))


@pytest.mark.parametrize(
    ("form", "content"), [(CSV, b'"a","b"\n"1",\n"2",""\n'), (QUOTED, b'"a","b"\n"1",\n"2",""\n')]
)
def test_a_smaller_company_leaves_rows_out(tmp_path: Path, form: str, content: bytes) -> None:
    """Rows of people beyond the size are neither written nor counted, nor are their faults."""
    tally = Tally()
    files = ShardFiles(tmp_path, 3, customers=2, tally=tally)
    rows = pa.table({"a": ["1", "2", "3"], "b": [None, "", "x"]})
    faults = {"a.trailing_space": np.array([False, True, True])}
    files.add(Export("crm/contacts", rows, np.array([0, 1, 2]), faults, form))
    files.close()
    assert (tmp_path / "crm/contacts/contacts-00003.csv").read_bytes() == content
    assert tally.rows == {"crm/contacts": 2}
    assert tally.dirt == {"crm/contacts.a.trailing_space": 1}
