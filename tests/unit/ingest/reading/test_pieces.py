"""Any file at all, read: what Python's own csv and json say is in it, wherever it is cut."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.errors import BadFile
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

WEB = load()["web", "events"]
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


QUOTED = b'o9,"two\nlines, ""quoted""",1,2.00,2024-01-01,"x\r\ny"'


# --- whatever is in a file


@few
@given(pieces=st.lists(orders, max_size=12), shape=st.tuples(*shapes))
@example(pieces=[b"a,,,,,", b"", b"b,,,,,", b"x", b"", b"c,,,,,"], shape=([b"\n"], False, True))
@example(pieces=[b"a,,,,,", b"x", b"b,,,,,"], shape=([b"\n", b"\r\n", b"\r"], True, False))
def test_a_csv_is_what_python_reads(read, pieces, shape):
    """Good rows are those that Python's csv and types accept, with the same values; all others are bad rows."""
    ends, bom, last_end = shape
    if b"\r" in ends and b"\n" in ends:  # "\r" and a blank line's "\n" would be one end
        pieces = [piece for piece in pieces if piece]
    expected = read_orders(pieces)
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
    whole, cut = read(ORDERS, content), read(ORDERS, content, chunk=chunk, max_bytes=size)
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
    whole, cut = read(WEB, content), read(WEB, content, chunk=chunk, max_bytes=size)
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
