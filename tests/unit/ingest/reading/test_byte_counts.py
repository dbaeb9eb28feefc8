"""Counting of bytes, as `bytes` itself counts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.reading.byte_counts import count_byte, has_twice_in_row

few_kinds = st.lists(st.sampled_from([b"\n", b"\r", b'"', b"a"])).map(b"".join)


@given(few_kinds)
def test_bytes_are_counted_as_bytes_counts_them(data):
    """Also in no data at all."""
    for byte in (b"\n", b'"'):
        assert count_byte(data, byte) == data.count(byte)
        assert has_twice_in_row(data, byte) == (byte * 2 in data)
