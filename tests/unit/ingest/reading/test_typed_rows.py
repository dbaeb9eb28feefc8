"""One raw file, read: every row is there once, under its number, typed or with what is wrong with it."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import BadDefinition, BadFile
from lakehouse.sources.definition import Source, load
from tests.support.files import (
    ORDERS,
)

WEB = load()["web", "events"]


def refused(read, source, content):
    """Return the code under which a whole file is refused."""
    with pytest.raises(BadFile) as error:
        read(source, content)
    return error.value.code


def codes(rows):
    """Return what is wrong with which row."""
    return {row_number: row["_code"] for row_number, row in rows.items() if row["_code"]}


def test_a_bad_row_of_a_parquet_is_shown_as_it_stood_there(read):
    """Also where a column of the table has the name of one in the file, and cannot hold its value."""
    out = io.BytesIO()
    row = {"order_id": "o1", "ordered_at": "soon", "amount": "1.50", "Ordered_AT ": 7}
    pq.write_table(pa.Table.from_pylist([row]), out)
    (bad,) = read(load()["shop", "orders"], out.getvalue()).values()
    assert (bad["_code"], json.loads(bad["_original"])) == ("bad_timestamp", row)


# --- CSV


HEADER = b"Order Id,Note,Quantity,Amount,Ordered At\n"
ROW = b"o1,hello,3,4.50,2024-02-29T12:00:00+08:00\n"
VALUES = {
    "order_id": "o1",
    "note": "hello",
    "quantity": 3,
    "amount": Decimal("4.50"),
    "ordered_at": datetime(2024, 2, 29, 4, tzinfo=UTC),
}


def values(row):
    return {name: row[name] for name in VALUES}


@pytest.mark.parametrize(
    "content",
    [
        HEADER + ROW,
        b"\xef\xbb\xbf" + HEADER + ROW,
        HEADER.upper() + ROW,
        HEADER.replace(b"\n", b"\r\n") + ROW.replace(b"\n", b"\r\n"),
        (HEADER + ROW).replace(b"\n", b"\r"),
        HEADER.replace(b",", b";") + ROW.replace(b",", b";"),
        HEADER.replace(b",", b"\t") + ROW.replace(b",", b"\t"),
        HEADER.replace(b",", b"|") + ROW.replace(b",", b"|"),
        b'"Order Id" , "Note","Quantity", Amount ,Ordered At\n' + ROW,
        b"\n\r\n\n" + HEADER + b"\n\n" + ROW + b"\n\n",
        HEADER.rstrip() + b",\n" + ROW.rstrip() + b",\n",
        (HEADER + ROW).rstrip(b"\n"),
        (HEADER + ROW).decode().encode("utf-16"),
        (HEADER + ROW).decode().encode("utf-16-le"),
        HEADER + b' o1 ,"hello ", 3, 4.50,2024-02-29T12:00:00+08:00\n',
        b"Ordered At,Amount,Quantity,Note,Order Id\n2024-02-29 04:00:00Z,4.5,3,hello,o1\n",
        b'Order Id,Note,Quantity,Amount,Ordered At,"a\nb"\n' + ROW.rstrip() + b",x\n",
    ],
)
def test_the_same_row_in_many_dialects(read, content):
    """Order and case of the header, line ends, delimiters, byte order mark, quotes, blanks: the row is the same."""
    rows = read(ORDERS, content)
    assert {row_number: values(row) for row_number, row in rows.items()} == {1: VALUES}
    assert codes(rows) == {}


def test_columns_that_nobody_mapped_are_kept(read):
    """By the names that the file gives them, whatever these are."""
    header = '"it\'s ""x""",Order Id,日本,_,Select\n'.encode()
    (row,) = read(ORDERS, header + "1,o1,é,,2\n".encode()).values()
    assert json.loads(row["extra"]) == {'it\'s "x"': "1", "日本": "é", "_": None, "Select": "2"}
    assert (row["order_id"], row["note"]) == ("o1", None)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Note,Quantity\nx,1\n", "missing_column"),
        (b"Order Id,Note,note\no1,a,b\n", "duplicate_column"),
        (b"Order Id,Note, Note \no1,a,b\n", "duplicate_column"),
        ("Order Id,Note,Ｎｏｔｅ（*）\no1,a,b\n".encode(), "duplicate_column"),
        (b"\n\n\r\n", "empty_file"),
        (b"Order Id," + b"x" * 70_000 + b"\no1,a\n", "bad_header"),
        (b"Order Id,a\0b\n" + b"o1,a\n" * 100, "bad_header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "not_text"),
        (random.Random(7).randbytes(5_000), "not_text"),
        (b"just some words", "missing_column"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused_whole(read, content, code):
    """One entry says so; its rows would land in wrong columns."""
    assert refused(read, ORDERS, content) == code


def test_a_file_with_a_header_alone_has_no_rows(read):
    """That is a fine file."""
    assert read(ORDERS, HEADER) == read(ORDERS, HEADER.rstrip()) == {}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"o2", "too_few_fields"),
        (b"o2,a,1,2,2024-01-01,x", "too_many_fields"),
        (b'o2,"a"b,1,2,2024-01-01', "bad_quoting"),
        (b"o2,\xff,1,2,2024-01-01", "not_utf8"),
        (b",a,1,2,2024-01-01", "missing_value"),
        (b"  ,a,1,2,2024-01-01", "missing_value"),
        (b"o2,a,1.5,2,2024-01-01", "bad_number"),
        (b"o2,a,one,2,2024-01-01", "bad_number"),
        (b"o2,a,9223372036854775808,2,2024-01-01", "bad_number"),
        (b"o2,a,1,12345678901.00,2024-01-01", "bad_number"),
        (b"o2,a,1,two,2024-01-01", "bad_number"),
        (b"o2,a,1,2,2024-02-30", "bad_timestamp"),
        (b"o2,a,1,2,infinity", "bad_timestamp"),
        (b"o2,a,1,2,5-1-26", "bad_timestamp"),
        (b"o2,a,1,2,12024-01-01", "bad_timestamp"),
        (b"o2,a,1,2,0044-03-15 (BC)", "bad_timestamp"),
        (b"o2," + b"x" * 4_300_000 + b",1,2,2024-01-01", "line_too_long"),
        (b"   ", "not_a_record"),
        (b",,,,", "not_a_record"),
    ],
)
def test_a_bad_row_costs_only_itself(read, row, code):
    """Whatever is wrong with it: the rows before and behind it load, each under its number."""
    good = [b"a,,,,", b"b,,,,", b"c,,,,"]
    rows = read(ORDERS, HEADER + b"\n".join([good[0], row, good[1], row, good[2]]) + b"\n")
    assert codes(rows) == {2: code, 4: code}
    assert [rows[row_number]["order_id"] for row_number in (1, 3, 5)] == ["a", "b", "c"]
    assert all(rows[row_number]["_reason"] and rows[row_number]["_original"] for row_number in (2, 4))


def test_originals_are_what_was_received(read):
    """As text where the row could not be split, as JSON of its cells where it could."""
    rows = read(ORDERS, HEADER + b"\r\n\r\no2,a,,,,b\r\no3,a,x,,\r\n")
    assert rows[1]["_original"] == "o2,a,,,,b"
    assert json.loads(rows[2]["_original"])["Quantity"] == "x"
    assert rows[2]["_reason"] == "Quantity is no long"


def test_whole_numbers_may_be_written_with_a_point(read):
    """Exports of spreadsheets do that."""
    rows = read(ORDERS, HEADER + b"a,,3.0,,\nb,,-0,,\nc,,+7,,\nd,,9007199254740993,,\n")
    assert [row["quantity"] for row in rows.values()] == [3, 0, 7, 9007199254740993]


def test_a_quote_that_is_never_closed_takes_no_rows_behind_it(read):
    """Lines with as many fields as the header are rows; text that lies over lines stays with its row."""
    rows = read(ORDERS, HEADER + b'a,,,,\nb,"oops,,,\nc,,,,\nd,,,,\n')
    assert codes(rows) == {2: "bad_quoting"}
    assert [row["order_id"] for row in rows.values() if not row["_code"]] == ["a", "c", "d"]
    assert rows[2]["_original"] == 'b,"oops,,,'
    rows = read(ORDERS, HEADER + b'a,,,,\nb,"oops,\nand\nmore" x,,,\nc,,,,\n')
    assert codes(rows) == {2: "bad_quoting"}
    assert rows[2]["_original"] == 'b,"oops,\nand\nmore" x,,,'
    assert rows[3]["order_id"] == "c"


def test_a_few_nul_bytes_are_text(read):
    """One odd row does not make a file binary."""
    rows = read(ORDERS, HEADER + b"a,x\0y,,,\n" + b"b,,,,\n" * 100)
    assert rows[1]["note"] == "x\0y"
    assert len(rows) == 101


def test_row_numbers_hold_in_files_of_many_buffers(read):
    """Read by several threads at once, with rows left out all over."""
    bad = set(range(777, 250_000, 9_973))
    pad = b"y" * 80
    content = HEADER + b"".join(
        b"%d\n" % n if n in bad else b"%d,%s,%d,,\n" % (n, pad, n) for n in range(1, 250_001)
    )
    rows = read(ORDERS, content)
    assert set(codes(rows)) == bad
    assert all(row["quantity"] == row_number for row_number, row in rows.items() if row_number not in bad)
    assert all(int(rows[row_number]["_original"]) == row_number for row_number in bad)


def test_a_file_of_bad_rows_is_read_in_reasonable_time(read):
    """Each of thirty thousand has its code."""
    rows = read(ORDERS, HEADER + b"x\n" * 30_000)
    assert set(codes(rows)) == set(range(1, 30_001))


# --- NDJSON


def message(**more):
    return {"messageId": "m", "type": "page", "userId": "u", "timestamp": "2024-01-01T00:00:00Z", **more}


def lines(*found):
    return b"".join(
        (each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in found
    )


def test_invalid_json_on_line_17(read):
    """The issue's own example."""
    found = [message(messageId=str(n)) for n in range(1, 31)]
    rows = read(WEB, lines(*found[:16], b'{"messageId": "17", "type": ', *found[17:]))
    assert codes(rows) == {17: "invalid_json"}
    assert rows[17]["_original"] == '{"messageId": "17", "type": '
    assert [row["message_id"] for row in rows.values() if not row["_code"]] == [
        str(n) for n in range(1, 31) if n != 17
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"<html>", "invalid_json"),
        (b"{'messageId': 'm'}", "invalid_json"),
        (b'{"messageId": "m"} {"messageId": "n"}', "invalid_json"),
        (b'{"messageId": "\\ud8"}', "invalid_json"),
        (b'{"messageId": "tab\there"}', "invalid_json"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"17", "not_an_object"),
        (b"\xff", "not_utf8"),
        ({"type": "page"}, "missing_value"),
        (message(messageId=None), "missing_value"),
        (message(messageId=""), "missing_value"),
        (message(type="click"), "not_allowed"),
        (message(timestamp="soon"), "bad_timestamp"),
        (message(timestamp=1704067200), "bad_timestamp"),
        (message(userId=None), "no_user_anon_id"),
        (message(type="track"), "event_not_defined"),
        (message(type="track", event=5), "event_not_string"),
        (message(properties=[1]), "properties_not_object"),
        (message(properties="{}"), "properties_not_object"),
    ],
)
def test_a_bad_line_costs_only_itself(read, line, code):
    """Whatever is wrong with it."""
    rows = read(WEB, lines(message(), line, message(), b"", line, message()))
    assert codes(rows) == {2: code, 5: code}
    assert set(rows) == {1, 2, 3, 5, 6}


def test_values_are_kept_as_they_were_sent(read):
    """Objects whole, numbers with all their digits, what the mapping does not name in `extra`."""
    properties = {
        "n": 12345678901234567890123,
        "x": "\\x01 \u2028 \x7f",
        "deep": {"a": [1, {"b": None}]},
        "nul": "\0",
    }
    sent = message(userId=2**70, event="Bought \\x01", properties=properties, colour={"r": 1}, traits=None)
    (row,) = read(WEB, lines(sent)).values()
    assert (row["user_id"], row["event"], row["traits"]) == (str(2**70), "Bought \\x01", None)
    assert json.loads(row["properties"]) == properties
    assert json.loads(row["extra"]) == {"colour": {"r": 1}}
    assert codes({1: row}) == {}


def test_control_characters_cut_no_line(read):
    """Also where a line holds most of them."""
    junk = bytes(range(1, 9)) + bytes(range(14, 31))
    rows = read(WEB, lines(message(), b"{" + junk + b"}", message()))
    assert codes(rows) == {2: "invalid_json"}
    assert rows[2]["_original"].encode() == b"{" + junk.replace(b"\x01", b"\x02") + b"}"


def test_a_line_that_is_too_long_is_a_bad_row(read):
    """And the next one is read."""
    rows = read(WEB, lines(message(), message(properties={"x": "y" * 4_300_000}), message()))
    assert codes(rows) == {2: "line_too_long"}
    assert len(rows) == 3


def test_deep_json_is_read_or_a_bad_row(read):
    """It must not bring the process down."""
    deep = b'{"messageId": "m", "properties": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    assert len(read(WEB, lines(message(), deep, message()))) == 3


def test_blank_files_have_no_rows(read):
    """Blank lines, a byte order mark: nothing to load and nothing to complain of."""
    for content in (b"\n", b"\n \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"):
        assert read(WEB, content) == {}


# --- what people write into definitions


def with_check(when):
    check = {"code": "odd", "when": when, "reason": "odd"}
    return Source.model_validate(ORDERS.model_dump(by_alias=True) | {"checks": [check]})


def test_a_check_that_is_no_sql_is_a_wrong_definition(read):
    """Nothing is set aside: the files are fine."""
    for when in ("nothing = 1", "note LIKE", "nofunction(note)"):
        with pytest.raises(BadDefinition, match="erp/orders"):
            read(with_check(when), HEADER + ROW)


def test_a_check_that_fails_on_a_row_spoils_the_file_and_not_the_queue(read):
    """It was written for other rows."""
    assert refused(read, with_check("CAST(note AS INTEGER) > 5"), HEADER + ROW) == "unreadable_file"
    assert codes(read(with_check("quantity > 2"), HEADER + ROW)) == {1: "odd"}
