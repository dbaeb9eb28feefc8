"""Bytes on their way: looked at, left out, joined, and none of them lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.formats.byte_stream import joined, peek, without_first
from tests.support.packed_files import EXAMPLES

CHUNKS = st.lists(st.binary(max_size=5), max_size=6)


@EXAMPLES
@given(CHUNKS, st.integers(0, 20))
def test_a_look_ahead_takes_nothing_away(chunks, size):
    """All chunks come again."""
    head, again = peek(iter(chunks), size)
    assert head == b"".join(chunks)[:size]
    assert b"".join(again) == b"".join(chunks)


def test_a_look_ahead_reads_no_more_than_it_needs():
    """The others are still to come."""
    chunks = iter([b"ab", b"cd", b"ef"])
    assert peek(chunks, 3)[0] == b"abc"
    assert list(chunks) == [b"ef"]


@EXAMPLES
@given(CHUNKS, st.integers(0, 20))
def test_the_first_bytes_are_left_out(chunks, count):
    """And empty chunks with them."""
    rest = list(without_first(count, iter(chunks)))
    assert b"".join(rest) == b"".join(chunks)[count:]
    assert all(rest)


@pytest.mark.parametrize(
    ("items", "size", "chunks"),
    [
        ([], 4, []),
        ([b"a"], 4, [b"a\n"]),
        ([b"a", b"b", b"c"], 4, [b"a\nb\n", b"c\n"]),
        ([b"a" * 9, b"b"], 4, [b"a" * 9 + b"\n", b"b\n"]),
    ],
)
def test_items_are_joined_to_chunks_of_a_size(items, size, chunks):
    """None is cut, and each has its end behind it."""
    assert list(joined(items, size, end=b"\n")) == chunks
