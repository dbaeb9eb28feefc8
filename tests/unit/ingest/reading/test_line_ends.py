"""How lines end, in whichever way a text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.reading.line_ends import LineEnds, json_lines
from tests.support.packed_files import EXAMPLES, cut


def common_end(text, sizes=(1 << 20,)):
    ends = LineEnds()
    for chunk in cut(text, sizes):
        ends.add(chunk)
    return ends.common


@pytest.mark.parametrize(
    ("text", "common"),
    [
        (b"", "\n"),
        (b"a", "\n"),
        (b"a\nb", "\n"),
        (b"a\nb\n", "\n"),
        (b"a\r\nb\r\n", "\r\n"),
        (b"a\rb\r", "\r"),
        (b"a\r", "\r"),
        (b"a\nb\r\n", ""),
        (b"a\rb\n", ""),
        (b"a\r\nb\r", ""),
        (b"\na\n", ""),
        (b"a\n\nb\n", ""),
        (b"a\r\n\r\nb", ""),
        (b"a\r\rb", ""),
    ],
)
def test_the_common_end_of_all_lines(text, common):
    """Nothing where lines end in several ways, or one is blank."""
    assert common_end(text) == common


@EXAMPLES
@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n"]), max_size=12).map(b"".join),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
)
def test_where_chunks_are_cut_does_not_matter(text, sizes):
    """A pair of carriage return and newline may be cut in two."""
    assert common_end(text, sizes) == common_end(text)


@EXAMPLES
@given(
    st.lists(st.sampled_from([b'{"a":1}', b"\n", b"\r", b"\r\n"]), max_size=9).map(b"".join),
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
)
def test_lines_of_json_all_end_with_a_newline(text, sizes):
    """As Python's universal newlines have them."""
    expected = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert b"".join(json_lines(cut(text, sizes))) == expected


def test_the_character_that_cuts_no_line_is_in_none():
    """The line that held it is as invalid as before."""
    assert b"".join(json_lines(iter([b"{\x01}\n"]))) == b"{\x02}\n"
