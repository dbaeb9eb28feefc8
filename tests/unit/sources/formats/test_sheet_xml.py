"""Rows of a sheet's XML, and the strings that cells share."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats.merged_cells import Merged
from lakehouse.sources.formats.sheet_xml import Rows, Strings, column_index


def shared(*texts):
    strings = Strings()
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    strings.read(iter([f"<sst>{items}</sst>".encode()]))
    return strings


def rows_of(sheet_data, strings=None):
    xml = f"<worksheet><sheetData>{sheet_data}</sheetData></worksheet>".encode()
    chunks = (xml[start : start + 7] for start in range(0, len(xml), 7))
    return list(Rows(chunks, strings or Strings(), [], Merged()))


@pytest.mark.parametrize(
    ("letters", "index"), [("A", 0), ("Z", 25), ("AA", 26), ("AB", 27), ("ab", 27), ("XFD", 16_383)]
)
def test_letters_name_a_column(letters, index):
    """As Excel counts."""
    assert column_index(letters) == index


@pytest.mark.parametrize("letters", ["", "XFE", "AAAA", "1", "é"])
def test_letters_that_name_no_column(letters):
    """The file is refused."""
    with pytest.raises(BadFile, match="stands nowhere"):
        column_index(letters)


def test_cells_are_found_by_their_reference_or_follow_each_other():
    """Rows without a value are left out."""
    xml = '<row/><row><c r="B1"><v>1</v></c><c><v>2</v></c><c r="A1"><v>0</v></c></row><row><c/></row>'
    assert rows_of(xml) == [{1: b"1", 2: b"2", 0: b"0"}]


def test_shared_strings_are_written_as_a_csv_has_them():
    """By their index, without how they are pronounced."""
    strings = shared("plain", "a, b", 'say "x"', "東<rPh><t>トウ</t></rPh>京"[:1])
    assert [strings[index] for index in range(4)] == [b"plain", b'"a, b"', b'"say ""x"""', "東".encode()]
    assert rows_of('<row><c t="s"><v>1</v></c></row>', strings) == [{0: b'"a, b"'}]
    with pytest.raises(BadFile, match="shared string"):
        strings[4]
