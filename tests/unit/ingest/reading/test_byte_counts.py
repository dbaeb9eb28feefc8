"""Counting of bytes, as `bytes` itself counts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.reading.byte_counts import are_behind, count_byte, has_twice_in_row, line_starts

few_kinds = st.lists(st.sampled_from([b"\n", b"\r", b'"', b"a"])).map(b"".join)


@given(few_kinds)
def test_bytes_are_counted_as_bytes_counts_them(data):
    """Also in no data at all."""
    for byte in (b"\n", b'"'):
        assert count_byte(data, byte) == data.count(byte)
        assert has_twice_in_row(data, byte) == (byte * 2 in data)


@given(few_kinds)
def test_what_stands_first_in_lines(data):
    """By newlines, where there are any; else by carriage returns."""
    mark = b"\n" if b"\n" in data else b"\r"
    behind = {data[place + 1] for place in range(len(data) - 1) if data[place : place + 1] == mark}
    assert set(line_starts(data)) == set(data[:1]) | behind


@given(few_kinds, st.sampled_from([b'""', b"\r\n", b"a\n"]))
def test_pairs_behind_a_byte(data, pair):
    """As `in` finds them."""
    assert are_behind(data, b'"', [pair]) == (b'"' + pair in data)
