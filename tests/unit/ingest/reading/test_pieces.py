"""Any file at all, read: what Python's own csv and json say is in it, wherever it is cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.piece import PART_ROWS
from lakehouse.sources.definition import load
from tests.support.files import (
    ENDS,
    ORDERS,
    SPACES,
    csv_file,
    events,
    ndjson_file,
    orders,
    read_events,
    read_orders,
)
from tests.support.packed_files import zipped
from tests.support.workbooks import book, rows

WEB = load()["web", "events"]
MOST_PIECES = 3
few = tried(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
shapes = (st.lists(st.sampled_from(ENDS), min_size=1, max_size=3), st.booleans(), st.booleans())


def codes(rows):
    """Return what is wrong with which row."""
    return {row_number: row["_code"] for row_number, row in rows.items() if row["_code"]}


def without_piece(rows):
    """Return rows without the number of their piece and without their number in it."""
    return {
        row_number: {n: v for n, v in row.items() if n not in ("_piece", "_row")}
        for row_number, row in rows.items()
    }


def _few(size, content):
    """Return the bytes of a piece, so many that there are a few: each is a query, and costs as much as a file."""
    return max(size, len(content) // MOST_PIECES)


QUOTED = b'o9,"two\nlines, ""quoted""",1,2.00,2024-01-01,"x\r\ny"'


# --- whatever is in a file


@few
@given(pieces=st.lists(orders, max_size=12), shape=st.tuples(*shapes))
@example(
    pieces=[b'"0",x,"173",6.96,,', b"", b'"a b",q,""', b"x,y,3030,,0392-07-03T07:11:48+00:00,z"],
    shape=([b"\r\n"], False, True),
)
@example(pieces=[b"", b'"""""",x,,,0001-09-02T11:01:01+00:00,"",'], shape=([b"\r\n"], False, False))
@example(pieces=[b"\t\t,,,,,"], shape=([b"\r\n"], False, False))
@example(pieces=[b"0,,0,,,", b"\x1f,,", b"0,,,,,"], shape=([b"\n"], False, False))
@example(pieces=[b"a,,,,,", b"", b"b,,,,,", b"x", b"", b"c,,,,,"], shape=([b"\n"], False, True))
@example(pieces=[b'\\N,\\N,""', b"a,,,,,", b'b,"","2"'], shape=([b"\n"], False, False))
@example(pieces=[b'"a"b,c', b"d,,,,,,", b"e,,1"], shape=([b"\n"], False, False))
@example(pieces=[b"a,,,,,", b"null,NULL,,,,", b"null,,,,,", b"NULL,,"], shape=([b"\n"], False, True))
@example(pieces=[b"a,,,,,", b"x", b"b,,,,,"], shape=([b"\n", b"\r\n", b"\r"], True, False))
def test_a_csv_is_what_python_reads(read, pieces, shape):
    """Good rows are those that Python's csv and types accept, with the same values; all others are bad rows."""
    ends, bom, last_end = shape
    if b"\r" in ends and b"\n" in ends:  # "\r" and a blank line's "\n" would be one end
        pieces = [piece for piece in pieces if piece]
    expected = read_orders(pieces, last_ends=last_end)
    rows = read(ORDERS, csv_file(pieces, ends, bom, last_end))
    assert set(codes(rows)) == expected.bad
    assert len(rows) == expected.received
    for row_number, wanted in expected.good.items():
        found = {name: rows[row_number][name] for name in wanted}
        found["extra"] = (json.loads(found["extra"])["Shelf"] or "").strip(SPACES) or None
        assert found == wanted


@few
@given(pieces=st.lists(events, max_size=12), shape=st.tuples(*shapes))
@example(pieces=[b'{"a": "\\\\x01"}', b"", b"\xff", b"", b"[]"], shape=([b"\n", b"\r\n"], False, True))
def test_ndjson_is_what_python_reads(read, pieces, shape):
    """Line by line; a line's number counts blank ones, as every editor does."""
    ends, bom, last_end = shape
    if b"\r" in ends and b"\n" in ends:
        pieces = [piece for piece in pieces if piece]
    expected = read_events(pieces)
    rows = read(WEB, ndjson_file(pieces, ends, bom, last_end) or b"\n")
    assert set(codes(rows)) == expected.bad
    assert set(rows) == expected.bad | set(expected.good)
    for row_number, wanted in expected.good.items():
        found = {name: rows[row_number][name] for name in wanted}
        for name in ("properties", "context", "extra"):
            found[name] = None if found[name] is None else json.loads(found[name])
        assert found == wanted


@few
@given(
    pieces=st.lists(orders, max_size=12),
    ends=st.sampled_from([[b"\n"], [b"\r\n"], [b"\r"]]),
    chunk=st.integers(1, 40),
    size=st.integers(1, 200),
)
def test_a_csv_reads_the_same_in_pieces(read, pieces, ends, chunk, size):
    """However the store hands the bytes out, and wherever the file is cut."""
    # Where quotes stand that may not, where the file is cut decides which rows around them are bad.
    pieces = [piece if b'"' not in piece else QUOTED for piece in pieces if len(piece) < 500]
    content = csv_file(pieces, ends, bom=False, last_end=True)
    whole, cut = read(ORDERS, content), read(ORDERS, content, chunk=chunk, max_bytes=_few(size, content))
    assert without_piece(cut) == without_piece(whole)


@few
@given(
    pieces=st.lists(events, max_size=12),
    shape=st.tuples(*shapes),
    chunk=st.integers(1, 40),
    size=st.integers(1, 200),
)
def test_ndjson_reads_the_same_in_pieces(read, pieces, shape, chunk, size):
    """However the store hands the bytes out, and wherever the file is cut."""
    content = ndjson_file([piece for piece in pieces if len(piece) < 500], *shape) or b"\n"
    whole, cut = read(WEB, content), read(WEB, content, chunk=chunk, max_bytes=_few(size, content))
    assert without_piece(cut) == without_piece(whole)


@few
@given(content=st.binary(max_size=300), source=st.sampled_from([ORDERS, WEB]))
def test_no_bytes_at_all_can_jam_it(read, content, source):
    """A file is read, or it is a bad file: anything else would come back to the queue for ever."""
    try:
        rows = read(source, content)
    except BadFile:
        return
    assert all(row["_code"] for row in rows.values())  # random bytes hold no order and no message


# --- parts of a file


def table(*ids):
    return b"Order Id,Note\n" + b"".join(b"%s,x\n" % each.encode() for each in ids)


def outcomes(rows):
    """Return by row number the order's id, or what is wrong."""
    return {number: row["_code"] or row["order_id"] for number, row in sorted(rows.items())}


def part(number, row=0):
    return number * PART_ROWS + row


def test_files_of_a_zip_that_fit_load_and_the_others_are_told(read):
    """Each by its name, as one row; the rows of each file that loads are numbered within it."""
    body = zipped(
        {
            "README.txt": b"Orders of January.\nAsk Ada.\n",
            "__MACOSX/._a.csv": b"?",
            "a.csv": table("o1", "o2"),
            "contacts.csv": b"contact_id,name\nC1,Ada\n",
            "inner.zip": zipped({"x.csv": table("o9")}),
            "page.html": b"<!doctype html><html></html>",
            "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
            "empty.csv": b"",
            "manifest.json": b'{"files": 2, "made": "today"}',
            "b.csv": table("o3"),
            "book.xlsx": book(rows(("Order Id", "Note"), ("o4", "x")), rows(("Legend",), ("x is y",))),
        }
    )
    found = read(ORDERS, body)
    told = dict.fromkeys(
        [part(0), part(2), part(3), part(4), part(5), part(6), part(7), part(10)], "unread_part"
    )
    loaded = {part(1, 1): "o1", part(1, 2): "o2", part(8, 1): "o3", part(9, 1): "o4"}
    assert outcomes(found) == dict(sorted((told | loaded).items()))
    assert found[part(2)]["_original"] == "contacts.csv"
    assert found[part(2)]["_reason"].startswith(
        "contacts.csv: the header lacks Order Id; it has contact_id, name"
    )
    assert found[part(10)]["_original"] == "book.xlsx/s2"


def test_a_part_keeps_its_number_whatever_a_mapping_says(read):
    """So that a replay with another mapping finds the rows that the first one left."""
    body = zipped({"a.csv": b"contact_id,name\nC1,Ada\n", "b.csv": table("o1", "")})
    assert outcomes(read(ORDERS, body)) == {0: "unread_part", part(1, 1): "o1", part(1, 2): "missing_value"}
    also = ORDERS.columns[0].model_copy(update={"also": ("contact_id",)})
    both = ORDERS.model_copy(update={"columns": (also, *ORDERS.columns[1:])})
    assert outcomes(read(both, body)) == {1: "C1", part(1, 1): "o1", part(1, 2): "missing_value"}


def test_where_no_part_fits_the_file_is_refused(read):
    """The reason names the part that is most like the table, and the header that came."""
    with pytest.raises(BadFile) as refused:
        read(ORDERS, zipped({"README.txt": b"<html>", "a.csv": b"Id,Remark\n1,x\n"}))
    assert refused.value.code == "missing_column"
    assert "a.csv: the header lacks Order Id; it has Id, Remark" in refused.value.reason
    assert "README.txt" in refused.value.reason
    assert json.loads(refused.value.original) == ["Id", "Remark"]


def test_every_visible_sheet_with_the_header_is_read(read):
    """Also below a title; others, hidden ones among them, are told. An empty one is none."""
    orders_of = [rows(("Order Id", "Note"), (f"o{n}", "x")) for n in range(3)]
    titled = rows(("Orders of June",), (), ("Note", "Order Id"), ("x", "o9"))
    body = book(
        "", orders_of[0], orders_of[1], rows(("Legend",), ("x is y",)), orders_of[2], titled,
        states=("visible", "visible", "hidden", "visible", "veryHidden", "visible"),
    )  # fmt: skip
    found = read(ORDERS, body)
    assert outcomes(found) == {
        part(1, 1): "o0", part(2): "unread_part", part(3): "unread_part", part(4): "unread_part", part(5, 1): "o9",
    }  # fmt: skip
    assert found[part(2)]["_reason"] == "s3: the sheet is hidden"
    assert found[part(3)]["_original"] == "s4"


def test_the_sheet_that_a_source_names_is_the_one_that_is_read(read):
    """A person chose it: the others are no bad rows."""
    orders_of = [rows(("Order Id", "Note"), (f"o{n}", "x")) for n in range(3)]
    body = book(*orders_of, states=("visible", "hidden", "visible"))
    assert outcomes(read(ORDERS.model_copy(update={"sheet": "s2"}), body)) == {part(1, 1): "o1"}


def test_a_workbook_of_empty_sheets_is_an_empty_file(read):
    """There is nothing to tell of its parts."""
    with pytest.raises(BadFile) as refused:
        read(ORDERS, book("", ""))
    assert refused.value.code == "empty_file"


def test_files_of_json_lines_beside_other_text(read):
    """The text costs itself, and not each of its lines."""
    line = b'{"messageId": "m1", "type": "page", "userId": "u", "timestamp": "2024-01-01T00:00:00Z"}\n'
    found = read(WEB, zipped({"LIESMICH.txt": b"eins\nzwei\n", "a.ndjson": line, "b.ndjson": line * 2}))
    assert {number: row["_code"] for number, row in found.items()} == {
        0: "unread_part", part(1, 1): None, part(2, 1): None, part(2, 2): None,
    }  # fmt: skip


def test_footers_of_a_sheet(read):
    """Rows of one cell behind empty rows, and totals."""
    header = ("Order Id", "Note", "Shelf")
    body = book(rows(header, ("o1", "x", 1), ("合计", None, 7), (), ("All orders",), ("Example Co",)))
    assert outcomes(read(ORDERS, body)) == {1: "o1", 2: "not_a_record", 3: "not_a_record", 4: "not_a_record"}


LATIN = b"o%d,2026-01-05,1.00,EUR,J\xfcrgen M\xfcller\n"
LATE_LATIN = b"".join(
    [
        b"order_id,ordered_at,amount,currency,note\n",
        *(b"o%d,2026-01-05,1.00,EUR,\n" % n for n in range(4_000)),
    ]
    + [LATIN % n for n in range(300)]
)


@pytest.mark.parametrize(
    ("source", "content", "code"),
    [
        (WEB, b'[{"messageId": "m1"}, {"messageId": ', "broken_array"),
        (WEB, b'[{"messageId": "m1"},]', "broken_array"),
        (load()["shop", "orders"], LATE_LATIN, "unsure_encoding"),
    ],
)
def test_a_file_that_breaks_off_behind_its_header_is_bad_as_a_whole(read, source, content, code):
    """By its own code, which a replay is asked for, and not as a part without a name."""
    with pytest.raises(BadFile) as error:
        read(source, content, chunk=1 << 14)
    assert error.value.code == code


def test_in_a_zip_such_a_file_costs_only_itself(read):
    """It comes first, and the ones behind it load."""
    broken, sound = b'[{"messageId": "m1"}, {', b'{"messageId": "m2", "type": "page", "userId": "u"}\n'
    rows = read(WEB, zipped({"broken.json": broken, "sound.json": sound}))
    assert {number: row["_code"] for number, row in rows.items() if row["_row"] == 0} == {0: "unread_part"}
    assert rows[PART_ROWS + 1]["message_id"] == "m2"
    with pytest.raises(BadFile, match=r"broken\.json: .*readme\.md") as error:
        read(WEB, zipped({"broken.json": broken, "readme.md": b"# about\n"}))
    assert error.value.code == "broken_array"
