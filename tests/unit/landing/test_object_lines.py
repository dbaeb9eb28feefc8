"""A text that comes in chunks is cut into lines, wherever its chunks end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.landing.object_lines import split_lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], [b""]),
        ([b"a"], [b"a"]),
        ([b"a\nb"], [b"a", b"b"]),
        ([b"a", b"b\n", b"\nc", b"\n"], [b"ab", b"", b"c", b""]),
        ([b"a\r", b"\n b "], [b"a\r", b"b"]),
    ],
)
def test_lines_end_at_newlines_alone(chunks, lines):
    """The last needs none."""
    assert list(split_lines(chunks)) == lines


@given(st.lists(st.binary(max_size=9)))
def test_the_cut_of_the_chunks_changes_nothing(chunks):
    """The same lines come out as of the whole text."""
    *others, last = b"".join(chunks).split(b"\n")
    assert list(split_lines(chunks)) == [*others, last.strip()]
