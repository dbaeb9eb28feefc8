"""A workbook becomes CSV: what a person sees in it, row by row, whatever somebody put into its XML."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.sources.formats import sheet_xml
from lakehouse.sources.formats.policy import WorkbookPolicy
from lakehouse.sources.formats.sheets import as_csv
from tests.support.packed_files import EXAMPLES, zipped
from tests.support.workbooks import book, rows

XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\r"), max_size=9
)
HEADER = ("Id", "Name", "Amount")


@pytest.fixture
def read(tmp_path):
    def read(body, sheet=None):
        path = tmp_path / "book.xlsx"
        path.write_bytes(body)
        text = b"".join(as_csv(path, sheet)).decode()
        return [tuple(row) for row in csv.reader(io.StringIO(text, newline="")) if row]

    return read


def test_empty_rows_between_others_are_one_blank_line(tmp_path):
    """What stands behind them may be a footer."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(book(rows(("title",), (), ("a", "b"), (1, 2), (), (), (3, 4), ())))
    assert b"".join(as_csv(path)) == b"a,b\n1,2\n\n3,4\n"


def refused(read, body, sheet=None):
    with pytest.raises(BadFile) as bad:
        read(body, sheet)
    return bad.value.code


def one(read, xml, **more):
    """Return what the CSV says of one cell."""
    return read(book(rows(("h", "x")) + f"<row>{xml}<c><v>9</v></c></row>", **more))[1][0]


@EXAMPLES
@given(values=st.lists(st.tuples(XML_TEXT, XML_TEXT, st.integers(-(10**17), 10**17)), max_size=5))
def test_texts_and_integers_come_as_they_are(tmp_path_factory, values):
    """With commas, quotes and in any script, long numbers too."""
    path = tmp_path_factory.mktemp("book") / "b.xlsx"
    path.write_bytes(book(rows(HEADER, *values)))
    text = b"".join(as_csv(path)).decode()
    expected = [HEADER, *((a, b, str(n)) for a, b, n in values)]
    assert [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))] == [
        tuple(row) for row in csv.reader(io.StringIO(_written(expected), newline=""))
    ]


def _written(expected):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(expected)
    return out.getvalue()


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<c><v>0.30000000000000004</v></c>", "0.3"), ("<c><v>1234.0999999999999</v></c>", "1234.1"),
        ("<c><v>7.0</v></c>", "7"), ("<c><v>1E+3</v></c>", "1000"), ("<c><v>1.0E-7</v></c>", "1e-07"),
        ("<c><v>123456789012345678</v></c>", "123456789012345678"), ("<c><v>-0.5</v></c>", "-0.5"),
        ('<c t="b"><v>1</v></c>', "true"), ('<c t="b"><v>0</v></c>', "false"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"), ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="str"><f>A1&amp;"x,"</f><v>ax,</v></c>', "ax,"),
        ('<c t="d"><v>2026-01-02T03:04:05Z</v></c>', "2026-01-02T03:04:05Z"),
        ('<c t="s"><v>1</v></c>', 'shared, "two"'), ('<c t="s"><v>2</v></c>', "東京"),
        ('<c t="s"><v>3</v></c>', "a\rb"),
        ('<c t="inlineStr"><is><r><t>rich</t></r><r><t xml:space="preserve"> text</t></r></is></c>', "rich text"),
        ('<c s="1"><v>45000</v></c>', "2023-03-15"), ('<c s="1"><v>45000.5</v></c>', "2023-03-15T12:00:00"),
        ('<c s="2"><v>45000.5</v></c>', "2023-03-15T12:00:00"), ('<c s="2"><v>45000</v></c>', "2023-03-15T00:00:00"),
        ('<c s="2"><v>46024.12784349537</v></c>', "2026-01-02T03:04:05.678"),
        ('<c s="3"><v>1.25</v></c>', "30:00:00"), ('<c s="2"><v>0.5625</v></c>', "13:30:00"),
        ('<c s="4"><v>3.5</v></c>', "3.5"), ('<c s="5"><v>45000</v></c>', "2023-03-15"),
        ('<c s="6"><v>45000.25</v></c>', "2023-03-15T06:00:00"), ('<c s="7"><v>45000</v></c>', "45000"),
        ('<c s="1"><v>1</v></c>', "1900-01-01"), ('<c s="1"><v>59</v></c>', "1900-02-28"),
        ('<c s="1"><v>61</v></c>', "1900-03-01"),
        ('<c s="1"><v>-5</v></c>', "-5"), ('<c s="1"><v>2958466</v></c>', "2958466"), ('<c s="1"><v>x,</v></c>', "x,"),
        ("<c/>", ""), ("<c><v></v></c>", ""), ('<c s="99"><v>5</v></c>', "5"), ('<c s="1"><v>nan</v></c>', "nan"),
    ],
)  # fmt: skip
def test_what_a_cell_says(read, xml, text):
    """Numbers with 15 digits, dates as ISO 8601 by their format, errors and rich text as text."""
    shared = (
        '<si><t>zero</t></si><si><t>shared, "two"</t></si>'
        "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si><si><t>a_x000D_b</t></si>"
    )
    assert one(read, xml, shared=shared) == text


def test_dates_may_count_from_1904(read):
    """As a Mac once did."""
    assert one(read, '<c s="1"><v>0</v></c>', from_1904=True) == "1904-01-01"
    assert one(read, '<c s="1"><v>43538</v></c>', from_1904=True) == "2023-03-15"


def test_cells_stand_where_their_references_say(read):
    """Cells and rows may be left out; merged cells have their value at the top left."""
    follow = "".join(f'<c t="str"><v>{n}</v></c>' for n in "xyz")
    xml = (
        '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1" t="str"><v>b</v></c><c r="AB1" t="str"><v>z</v></c>'
        f'{follow}</row><row r="900"/><row r="1000"><c r="B1000"><v>1</v></c></row>'
        '<row r="1001"><c r="AC1001"><v>2</v></c></row>'
    )
    out = read(book(xml))
    assert len(out) == 3
    assert out[0][:3] == ("a", "b", "_C")
    assert out[0][27:] == ("z", "x", "y", "z")
    assert (out[1][1], out[2][28]) == ("1", "2")
    assert {len(row) for row in out} == {31}


def test_titles_above_the_header_are_left_out(read):
    """The header is the first row with more than half of the widest row's cells; what follows the table stays."""
    table = (HEADER, (1, "a", 2.5), (2, None, None))
    assert read(book(rows(("Contacts, as of today",), (), ("by", None), *table, ("Total: 2",)))) == [
        HEADER, ("1", "a", "2.5"), ("2", "", ""), ("Total: 2", "", ""),
    ]  # fmt: skip
    assert read(book(rows(("one",), (1,)))) == [("one",), ("1",)]
    assert read(book(rows())) == []
    assert read(book(rows((None,), ()))) == []


def test_values_beyond_the_header_are_not_lost(read):
    """They make their row longer than the header, which makes it a bad row later on; empty columns are dropped."""
    assert read(book(rows(("a", "b", None), (1, 2, None), (1, 2, None, 4)))) == [
        ("a", "b"), ("1", "2"), ("1", "2", "", "4"),
    ]  # fmt: skip


def test_the_first_visible_sheet_or_the_named_one(read):
    """A hidden one only by its name."""
    body = book(
        rows(("x",), (1,)), rows(("y",), (2,)), rows(("z",), (3,)), states=("hidden", "visible", "visible")
    )
    assert read(body)[0] == ("y",)
    assert read(body, "s3")[0] == ("z",)
    assert read(body, "s1")[0] == ("x",)
    assert refused(read, body, "s4") == "bad_xlsx"
    assert refused(read, book(rows(("x",)), states=("hidden",))) == "bad_xlsx"


def test_other_prefixes_are_the_same(read):
    """Some writers name the namespace."""
    body = zipfile.ZipFile(io.BytesIO(book(rows(("a",)))))
    path_xml = (
        '<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData><x:row>'
        '<x:c t="str"><x:v>a</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    files = {name: body.read(name) for name in body.namelist()}
    assert read(zipped(files | {"xl/worksheets/sheet1.xml": path_xml.encode()})) == [("a",), ("1",)]


@pytest.mark.parametrize(
    "sheet",
    [
        "<row><c>", "<row><c><v>1</v></row>", '<row><c t="s"><v>5</v></c></row>', '<row><c r="A"/><c r="ABCD1"/></row>',
        '<row><c r="1"/></row>', '<row><c r="XFE1"/></row>', "<row>" + "<c/>" * 16_385 + "</row>",
        "<row>&nothing;</row>",
    ],
)  # fmt: skip
def test_damaged_sheets_are_refused(read, sheet):
    """XML that ends early, references to nothing."""
    assert refused(read, book(sheet)) == "bad_xlsx"


def test_damaged_packages_are_refused(read):
    """A part is missing, or the zip is no workbook at all; a file that breaks off anywhere."""
    assert refused(read, zipped({"[Content_Types].xml": b"", "xl/x": b""})) == "bad_xlsx"
    whole = book(rows(HEADER, (1, 2, 3)))
    for end in range(4, len(whole), 7):
        assert refused(read, whole[:end]) in {"truncated_zip", "bad_zip"}


@pytest.mark.parametrize(
    ("sheet", "head"),
    [
        ("", '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'),
        ("<a>" * 99, ""), ("<row><c><c>", ""), ("<row><row>", ""), ("<row><c><v><v>", ""),
    ],
)  # fmt: skip
def test_xml_that_no_workbook_holds_is_a_bomb(read, sheet, head):
    """A document type with entities, nesting."""
    assert refused(read, book(sheet, head=head)) == "bomb"


def test_more_rows_or_strings_than_a_sheet_may_have(read, monkeypatch):
    """Excel ends at 1,048,576 rows; strings are held in memory, so all of them together have a limit."""
    monkeypatch.setattr(sheet_xml, "MAX_ROWS", 3)
    assert len(read(book(rows(("a",), (1,), (2,))))) == 3
    assert refused(read, book(rows(("a",), (1,), (2,), (3,)))) == "bad_xlsx"
    monkeypatch.setattr(WorkbookPolicy, "max_string_bytes", 99)
    assert refused(read, book(rows(("a",)), shared="<si><t>long enough</t></si>" * 9)) == "too_large"
