"""Files whose header stands somewhere else, is spelled otherwise, or lacks something: read right, or refused."""

from __future__ import annotations

import json

import pytest

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.delimited_header import DelimitedHeader, read_header
from lakehouse.sources.definition import Source
from tests.support.workbooks import book, rows

PEOPLE = Source.model_validate(
    {
        "source": "list", "entity": "people", "doc": "People", "grain": "one row a line", "format": "csv",
        "columns": [
            {"name": "name", "from": "姓名", "also": ["联系人"], "required": True, "doc": "Name"},
            {"name": "phone", "from": "手机", "also": ["电话"], "present": True, "formats": ["phone"], "doc": "Phone"},
            {"name": "number", "from": "编号（ID）", "formats": ["id"], "doc": "Number"},
            {"name": "joined", "from": "加入日期", "type": "date", "formats": ["ymd"], "doc": "Day"},
        ],
    }
)  # fmt: skip
VALUES = {"name": "样甲", "phone": "19999000001", "number": "7", "joined": "2026-01-05"}


def outcomes(found):
    """Return the mapped values of each row, or what is wrong with it."""
    return [
        row["_code"] or {name: None if row[name] is None else str(row[name]) for name in VALUES}
        for _, row in sorted(found.items())
    ]


@pytest.mark.parametrize(
    "content",
    [
        "姓名,手机,编号（ID）,加入日期\n样甲,19999000001,7,2026/1/5\n",
        "\ufeff加入日期,编号(ＩＤ), 手　机 ,姓 名\n2026.1.5,7,19999000001,样甲\n",
        "*姓名,手机（*）,编号(id),加入日期\n样甲,19999000001,7,20260105\n",
        "客户名单\n姓名,手机,编号（ID）,加入日期\n样甲,19999000001,7,2026/1/5\n",
        "客户名单,,,\n制表：样员工,,2026年,\n\n姓名,手机,编号（ID）,加入日期\n样甲,19999000001,7,2026/1/5\n",
        "客户名单，逗号，很多,,,,,,,\n姓名\t手机\t编号（ID）\t加入日期\n样甲\t19999000001\t7\t2026/1/5\n",
        '"名单\n""生成""的"\r\n\r\n姓名;手机;编号（ID）;加入日期\r\n样甲;19999000001;7;2026/1/5\r\n',
        "sep=;\n姓名;手机;编号（ID）;加入日期\n样甲;19999000001;7;2026/1/5\n",
        '联系人,电话,"编号\n（ID）",加入日期\n样甲,19999000001,7,2026/1/5\n',
        "姓名,手机,编号（ID）,加入日期,,\n样甲,19999000001,7,2026/1/5,,\n",
    ],
)
def test_the_same_row_under_many_headers(read, content):
    """In another order, under titles, with full-width signs and spaces, with stars, with columns without a name."""
    assert outcomes(read(PEOPLE, content.encode())) == [VALUES]
    assert outcomes(read(PEOPLE, content.encode("gb18030"))) == [VALUES]
    assert outcomes(read(PEOPLE, content.encode(), chunk=3)) == [VALUES]


@pytest.mark.parametrize(
    ("head", "delimiter", "names", "above"),
    [
        ("a,b\n1,2\n", ",", ("a", "b"), ""),
        ("\n\na;b,c;d\n", ";", ("a", "b,c", "d"), ""),
        ("a\n", ",", ("a",), ""),
        ('c\t"a\nb"', "\t", ("c", "a\nb"), ""),
        (" a , ,b\n", ",", ("a", "_", "b"), ""),
        ("姓名|手机\n", "|", ("姓名", "手机"), ""),
        ("名单, 2026\n\n姓名|手机\n", "|", ("姓名", "手机"), "名单, 2026\n"),
        ('"a\r\nb"\r\n姓名;手机\r\n', ";", ("姓名", "手机"), '"a\r\nb"\r\n'),
    ],
)
def test_delimiter_names_and_what_stands_above(head, delimiter, names, above):
    """The first line that is not blank says it, or the row that the mapping recognises."""
    columns = PEOPLE.columns if "姓名" in names else ()
    header = read_header(head.encode(), columns)
    line = head.removeprefix(above).strip("\r\n").encode()
    if delimiter == "," and names == ("a", "b"):
        line = b"a,b"
    assert header == DelimitedHeader(delimiter, names, len(above.encode()), line)


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"", "empty_file"),
        (b"\r\n\n", "empty_file"),
        (b"x" * (64 << 10), "bad_header"),
        (b"a,b\0\n", "bad_header"),
        (b",".join(b"c%d" % number for number in range(5_001)), "too_many_columns"),
        (b"a,A\n", "duplicate_column"),
    ],
)
def test_a_head_without_a_header_is_refused(head, code):
    """With a code that says what is wrong."""
    with pytest.raises(BadFile) as refused:
        read_header(head)
    assert refused.value.code == code


def test_rows_are_counted_from_below_the_header(read):
    """A bad row's number counts the rows, however many titles stand above."""
    found = read(PEOPLE, "名单\n\n姓名,手机\n样甲,1\n样乙,2,x\n样丙,3\n".encode())
    assert {row_number: row["_code"] or row["name"] for row_number, row in found.items()} == {
        1: "样甲",
        2: "too_many_fields",
        3: "样丙",
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("姓名,微信\n样甲,x\n", "missing_column"),  # its values may all be empty, the column may not be gone
        ("手机,微信\n1,x\n", "missing_column"),
        ("名单\n姓名,微信\n样甲,x\n", "missing_column"),
        ("姓名,电话,手机,电话\n样甲,1,2,3\n", "duplicate_column"),
        ("姓名,手机,手 机\n样甲,1,2\n", "duplicate_column"),
        ("\n" * 3 + "名单\n" * 20 + "姓名,手机\n样甲,1\n", "missing_column"),  # below what is looked at
    ],
)
def test_a_file_that_lacks_a_column_or_has_it_twice_is_refused(read, content, code):
    """As a whole, and nothing of it is null instead."""
    with pytest.raises(BadFile) as bad:
        read(PEOPLE, content.encode())
    assert bad.value.code == code


def test_columns_that_nobody_mapped_may_share_a_name(read):
    """Both are kept; and so is the second of two columns that one could have come from."""
    (row,) = read(PEOPLE, "姓名,手机,电话,标签,标签,,\n样甲,1,2,a,b,c,d\n".encode()).values()
    assert row["phone"] == "1"
    assert json.loads(row["extra"]) == {"电话": "2", "标签": "a", "标签 (2)": "b", "_": "c", "_ (2)": "d"}


def test_a_column_that_may_be_missing_is_logged_once(read, caplog):
    """Its rows are null there, and the log says so."""
    content = "姓名,手机\n" + "样甲,1\n" * 50
    assert len(read(PEOPLE, content.encode(), chunk=32, max_bytes=64)) == 50
    (record,) = [record for record in caplog.records if record.message == "columns missing"]
    assert (record.table, record.reason) == ("raw.list_people", "the header lacks 编号（ID）, 加入日期")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("138-1234-5678", "138-1234-5678"),
        ("+86 13812345678", "+86 13812345678"),
        ("13812345678.0", "13812345678"),
        ("'13812345678", "13812345678"),
        ("\t13812345678\t", "13812345678"),
        ('"=""13812345678"""', "13812345678"),
        ("无", "无"),
        ("", None),
        ("1.38E+10", "bad_phone"),
        ("1.3812345678e10", "bad_phone"),
        ('"1,38E+10"', "bad_phone"),
        ("'1.38E+10", "bad_phone"),
    ],
)
def test_phones_that_a_spreadsheet_has_rounded_are_bad(read, typed, kept):
    """Its digits are lost; what only protects a phone from being rounded is taken away."""
    (row,) = read(PEOPLE, f"姓名,手机\n样甲,{typed}\n".encode()).values()
    assert (row["_code"] or row["phone"]) == kept
    if row["_code"]:
        assert row["_reason"] == "手机 was rounded by a spreadsheet"
        assert row["phone"] is None


def test_ids_that_a_spreadsheet_has_rounded_are_bad(read):
    """19 digits are more than a spreadsheet keeps."""
    header = "姓名,手机,编号(ID)\n"
    found = read(PEOPLE, f"{header}a,1,7.12346E+18\nb,2,7123456789012345678\nc,3,007\n".encode())
    assert [row["_code"] or row["number"] for row in found.values()] == [
        "bad_id",
        "7123456789012345678",
        "007",
    ]


def test_what_is_not_kept_goes_by_no_name(read):
    """However its column is spelled, and under each of its names: neither in the table nor beside it."""
    column = {"name": "phone", "from": "手机", "also": ["电话"], "collect": "drop", "doc": "Phone"}
    asked = PEOPLE.model_dump(by_alias=True, include={"source", "entity", "doc", "grain", "format"})
    name = {"name": "name", "from": "姓名", "required": True, "doc": "Name"}
    source = Source.model_validate(asked | {"columns": [name, column]})
    content = "姓名,手　机（*）, 电 话 ,备注\n样甲,19999000001,19999000002,x\n,19999000003,19999000004,y\n"
    rows_read = read(source, content.encode())
    assert [row["_code"] for row in rows_read.values()] == [None, "missing_value"]
    assert json.loads(rows_read[1]["extra"]) == {"备注": "x"}
    assert "19999" not in json.dumps([list(map(str, row.values())) for row in rows_read.values()])


# --- workbooks


HEADER = ("姓名", "手机", "编号（ID）", "加入日期")
ROW = ("样甲", "19999000001", 7, "2026-01-05")


@pytest.mark.parametrize(
    "above",
    [
        (),
        (("客户名单",),),
        (
            ("客户名单", "制表", "样员工", "2026年", "共1人"),
            ("说明", "a", "b", "c", "d"),
        ),  # as wide as the table
        ((), ("名单",), (None, None, "x")),
    ],
)
def test_titles_of_a_workbook_are_passed_over(read, above):
    """However many cells they have."""
    assert outcomes(read(PEOPLE, book(rows(*above, HEADER, ROW)))) == [VALUES]


def test_a_value_merged_over_rows_is_that_of_each(read):
    """And so are the names in a header of two rows."""
    top = ("姓名", "手机", "产品", None, "编号（ID）", "加入日期")
    below = (None, None, "名称", "数量", None, None)
    values = ("样甲", "19999000001", "A", 1, 7, "2026-01-05")
    sheet = rows(top, below, values, (None, None, "B", 2, None, None))
    merged = ["C1:D1", *(f"{c}1:{c}2" for c in "ABEF"), *(f"{c}3:{c}4" for c in "ABEF")]
    found = read(PEOPLE, book(sheet, merged=merged))
    assert outcomes(found) == [VALUES, VALUES]
    assert [json.loads(row["extra"]) for _, row in sorted(found.items())] == [
        {"名称": "A", "数量": "1"},
        {"名称": "B", "数量": "2"},
    ]


@pytest.mark.parametrize("line", [b"sep=;\r\n", b"SEP=;\n", b'"sep=;"\n', b"sep=;;;;\n"])
def test_the_line_that_tells_spreadsheets_the_delimiter_is_no_header(line):
    """Also without a mapping, and though another delimiter is more frequent."""
    header = read_header(line + b"Record ID;Name, first, last;E-Mail\n1;a, b, c;x\n")
    assert (header.delimiter, header.names) == (";", ("Record ID", "Name, first, last", "E-Mail"))
    assert header.bytes_above == len(line)
    assert read_header(b"sep=id;x\n1;2\n").names == ("sep=id", "x")
