"""Small inputs made of what people reported of other readers of files; each names its thread."""

from __future__ import annotations

import json

import pytest

from lakehouse.sources.definition import parse
from tests.support import workbooks
from tests.unit.ingest.reading.test_sound_rows import HEADER, PEOPLE, cells

TITLES = parse(
    """
source: crm
entity: titles
doc: People, by names with delimiters and line ends in them.
grain: one row a person
format: csv
columns:
- {name: contact_id, from: "id, of contact", also: ["id\\nof contact"], doc: Id, required: true}
- {name: name, from: name, doc: Name}
""",
    "titles.yaml",
)
EVENTS = parse(
    "source: web\nentity: things\ndoc: x\ngrain: x\nformat: ndjson\ncolumns:\n"
    "- {name: a, from: a, doc: A, required: true}\n- {name: b, from: b, doc: B}\n",
    "things.yaml",
)


def loaded(rows):
    return [cells(rows[number]) for number in sorted(rows) if not rows[number]["_code"]]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", [b'"id, of contact"', b'"id\nof contact"', b'"id\r\nof contact"'])
def test_a_delimiter_or_line_end_in_the_header(read, mark, name):
    """thephpleague/csv#586 (behind a byte order mark), tidyverse/readr#784."""
    rows = read(TITLES, mark + name + b',name\r\nC1,"Quill, Ada"\r\n')
    assert [(row["contact_id"], row["name"], row["_code"]) for row in rows.values()] == [
        ("C1", "Quill, Ada", None)
    ]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("inner", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\x0c"])
def test_line_ends_within_quotes(read, mark, end, inner):
    """pola-rs/polars#19078, juspay/neurolink#1099, apple/turicreate#907; those of Unicode end no row at all."""
    title = f"Head{inner}of Ops"
    rows = read(
        PEOPLE,
        mark + HEADER.replace(b"\n", end) + f'C1,Ada,"{title}",Graz'.encode() + end + b"C2,Bo,,Linz" + end,
    )
    assert loaded(rows) == [("C1", "Ada", title, "Graz"), ("C2", "Bo", None, "Linz")]


@pytest.mark.parametrize("inner", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_what_python_calls_a_line_end_is_none(read, inner):
    """Without quotes, too: `str.splitlines` splits there."""
    rows = read(PEOPLE, HEADER + f"C1,Ada,a{inner}b,Graz\nC2,Bo,,Linz\n".encode())
    assert loaded(rows) == [("C1", "Ada", f"a{inner}b", "Graz"), ("C2", "Bo", None, "Linz")]


def test_a_line_that_begins_with_the_closing_quote(read):
    """iamantony/qtcsv#37."""
    rows = read(PEOPLE, HEADER + b'C1,"Ada","Clerk\n","Graz"\nC2,Bo,Clerk,Linz\n')
    assert loaded(rows) == [("C1", "Ada", "Clerk\n", "Graz"), ("C2", "Bo", "Clerk", "Linz")]


def test_quotes_that_sql_server_does_not_double(read):
    """BurntSushi/xsv#186: the row is set aside, the next one loads."""
    rows = read(PEOPLE, HEADER + b'"C1","A "B"\nA","x","y"\n"C2","Bo","Clerk","Linz"\n')
    assert loaded(rows) == [("C2", "Bo", "Clerk", "Linz")]
    assert {row["_code"] for row in rows.values() if row["_code"]} <= {"bad_quoting", "too_few_fields"}


def test_number_signs(read):
    """duckdb/duckdb#17744, #17226: a cell that begins with one is no comment, also on row 2048 and behind quotes."""
    lines = [b'C%d,#%d,"Clerk, #1",Graz\n' % (number, number) for number in range(5000)]
    rows = read(PEOPLE, HEADER + b"".join(lines))
    assert len(loaded(rows)) == 5000
    assert rows[2048]["name"] == "#2047"


def test_the_row_behind_one_with_too_many_cells(read):
    """duckdb/duckdb#13197: it lost its last cell."""
    rows = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz,x,y,z\nC2,Bo,Clerk,Linz\n" * 700)
    assert set(loaded(rows)) == {("C2", "Bo", "Clerk", "Linz")}
    assert len(loaded(rows)) == 700


def test_rows_with_a_delimiter_at_the_end_amid_others(read):
    """pandas-dev/pandas#38830, #9295: other readers move all cells; here the one that differs is set aside."""
    rows = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz,\n" + b"C2,Bo,Clerk,Linz\n" * 5)
    assert [rows[number]["_code"] for number in sorted(rows)] == ["too_many_fields"] + [None] * 5


def test_rows_that_all_end_in_a_delimiter(read):
    """pandas-dev/pandas#14124, natcap/invest#146, duckdb/duckdb#7196."""
    for header in (HEADER, HEADER.replace(b"\n", b",\n")):
        rows = read(PEOPLE, header + b"C1,Ada,Clerk,Graz,\nC2,Bo,Clerk,,\n")
        assert loaded(rows) == [("C1", "Ada", "Clerk", "Graz"), ("C2", "Bo", "Clerk", None)]


def test_a_row_of_one_quoted_cell(read):
    """Each line quoted as a whole: told, and nobody is called after all cells."""
    rows = read(PEOPLE, HEADER + b'"C1,Ada,Clerk,Graz"\n"C2,""Quill, Bo"",Clerk,Linz"\n')
    assert loaded(rows) == []
    assert len(rows) == 2


def test_several_tables_with_comments(read):
    """BdR76/CSVLint#109: a comment names each of them."""
    stock = b"# Stock\nitem,quantity,taste\nsugar,12,sweet\nparsley,29,herbaceous\n"
    rows = read(PEOPLE, HEADER + b"C1,Ada,Clerk,Graz\nC2,Bo,Clerk,Linz\n\n" + stock)
    assert loaded(rows) == [("C1", "Ada", "Clerk", "Graz"), ("C2", "Bo", "Clerk", "Linz")]
    assert [rows[number]["_code"] for number in range(3, 7)] == ["other_table"] * 4


def test_blank_lines_below_the_header(read):
    """firefly-iii/firefly-iii#691: a bank's export has one there, of delimiters; then the rows, then another table."""
    rows = read(PEOPLE, HEADER + b",,,\nC1,Ada,Clerk,Graz\nC2,Bo,Clerk,Linz\n,,,\nItem,Units,,\nsugar,12,,\n")
    assert loaded(rows) == [("C1", "Ada", "Clerk", "Graz"), ("C2", "Bo", "Clerk", "Linz")]
    assert [rows[number]["_code"] for number in (1, 4, 5, 6)] == ["not_a_record"] * 2 + ["other_table"] * 2


SHARED = (
    "<si><t>contact_id</t></si><si><t>name</t></si><si><t>title</t></si><si><t>city</t></si><si><t/></si>"
    '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>'
    "<si><r><t>This should </t></r><r><rPr><i/></rPr><t>be one</t></r></si>"
    "<si><t>a_x000D_b</t></si>"
)
HEAD = "<row>" + "".join(f'<c t="s"><v>{number}</v></c>' for number in range(4)) + "</row>"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="s"><v>4</v></c>', None),  # openai/codex#38118: an empty shared string, not its number
        ('<c t="s"/>', None),  # catamphetamine/read-excel-file#92: no number of a string
        ('<c t="s"><v>5</v></c>', "東京"),  # doy/spreadsheet-parsexlsx#72: how it is spoken is none of it
        ('<c t="s"><v>6</v></c>', "This should be one"),  # exceljs/exceljs#1431: runs of one string
        (
            '<c t="s" s="1"><v>6</v></c>',
            "This should be one",
        ),  # shuchkin/simplexlsx#36: text in a cell of dates
        ('<c><f t="shared" si="0"/><v>440</v></c>', "440"),  # JuliaData/XLSX.jl#235
        ('<c t="str"><f>A1</f><v>x</v></c>', "x"),
        ('<c t="s"><v>7</v></c>', "a\rb"),  # productdevbook/hucre#3: an escaped carriage return
    ],
)
def test_cells_of_workbooks(read, cell, text):
    """And nothing of the row beside them is moved."""
    sheet = (
        HEAD
        + f'<row><c t="str"><v>C1</v></c>{cell}<c t="str"><v>Clerk</v></c><c t="str"><v>Graz</v></c></row>'
    )
    rows = read(PEOPLE, workbooks.book(sheet, shared=SHARED))
    assert loaded(rows) == [("C1", text, "Clerk", "Graz")]


@pytest.mark.parametrize(
    "text",
    [
        b'[\n{"a": "1"},\n{"a": "2"}\n]\n',  # phaag/nfdump#553
        b'\xef\xbb\xbf{"a": "1"}\n{"a": "2"}',
        b'{"a": "1"}\r\n\r\n{"a": "2"}\r\n',
        b'{"a": "1"}\n{"a": "2"}\n\x00\x00',
    ],
)
def test_lines_of_json_that_are_nearly_some(read, text):
    """Both records load; what is no record is told."""
    rows = read(EVENTS, text)
    assert [row["a"] for row in rows.values() if not row["_code"]] == ["1", "2"]


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": "1"}{"a": "2"}\n',  # records without a line end between them
        b'{\n  "a": "1",\n  "b": "x"\n}\n{\n  "a": "2",\n  "b": "y"\n}\n',  # airbytehq/airbyte#29331
    ],
)
def test_records_of_json_that_are_no_lines(read, text):
    """No part of one loads as another: they load, or their lines are told."""
    rows = read(EVENTS, text)
    assert rows
    assert {row["a"] for row in rows.values() if not row["_code"]} <= {"1", "2"}
    assert all(row["_code"] or row["a"] for row in rows.values())


def test_a_time_with_a_colon_too_many(read):
    """segmentio/analytics-swift#75: `2021-10-16T16:00:27.029:Z` is no time of another hour."""
    web = parse(
        "source: web\nentity: times\ndoc: x\ngrain: x\nformat: ndjson\ncolumns:\n"
        "- {name: at, from: at, type: timestamptz, required: true, doc: When}\n",
        "times.yaml",
    )
    texts = ["2021-10-16T16:00:27.029:Z", "2021-10-16T16:00:28.078Z"]
    rows = read(web, "".join(json.dumps({"at": text}) + "\n" for text in texts).encode())
    assert [rows[number]["_code"] for number in (1, 2)] == ["bad_timestamp", None]
