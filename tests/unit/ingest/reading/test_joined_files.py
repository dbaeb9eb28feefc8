"""Files that `cat` put behind each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.reading.joined_files import headers_apart, without_marks
from tests.support.packed_files import EXAMPLES, cut
from tests.unit.ingest.reading.test_sound_rows import PEOPLE, cells

MARK = b"\xef\xbb\xbf"
HEADER = b"contact_id,name,title,city"
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@EXAMPLES
@given(sizes=SIZES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\n" + MARK + b"b\r\n" + MARK + MARK + b"c\r" + MARK + b"d", b"a\nb\r\nc\rd"),
        (b'{"a":1}' + MARK + b'{"a":2}\n' + MARK + b"[1]" + MARK + b"[2]", b'{"a":1}\n{"a":2}\n[1]\n[2]'),
        (b"a" + MARK + b"b\n", b"a" + MARK + b"b\n"),  # within a text it is a character
    ],
)
def test_marks_at_line_starts_go(text, expected, sizes):
    """Whatever the chunks are."""
    assert b"".join(without_marks(cut(text, sizes))) == expected


@EXAMPLES
@given(sizes=SIZES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEADER + b"\nx,y\n" + HEADER + b"\n", HEADER + b"\nx,y\n" + HEADER + b"\n"),
        (HEADER + b"\nx,y" + HEADER + b"\r\n", HEADER + b"\nx,y\n" + HEADER + b"\r\n"),
        (HEADER + b"\nx,y" + MARK + HEADER, HEADER + b"\nx,y\n" + HEADER),
        (HEADER + b"\nx," + HEADER + b",z\n", HEADER + b"\nx," + HEADER + b",z\n"),
    ],
)
def test_a_header_that_ends_another_line_gets_its_own(text, expected, sizes):
    """The file above it had no line end at its end."""
    assert b"".join(headers_apart(cut(text, sizes), HEADER)) == expected


def test_a_short_header_is_no_evidence():
    """Any text may end so."""
    assert b"".join(headers_apart(iter([b"id\npaid\n"]), b"id")) == b"id\npaid\n"


@pytest.mark.parametrize("end", [b"\n", b"", b"\r\n"])
@pytest.mark.parametrize("mark", [MARK, b""])
def test_joined_tables_are_one(read, end, mark):
    """The header is set aside, with or without a mark, and each row says what its file said."""
    first, second = (mark + HEADER + b"\n" + row + end for row in (b"C1,Ada,Clerk,Graz", b"C2,Bo,Clerk,Linz"))
    found = read(PEOPLE, first + second)
    assert [row["_code"] for row in found.values()] == [None, "not_a_record", None]
    assert [cells(found[number]) for number in (1, 3)] == [
        ("C1", "Ada", "Clerk", "Graz"),
        ("C2", "Bo", "Clerk", "Linz"),
    ]


def test_a_mark_before_a_row_is_no_part_of_its_id(read):
    """A file without a header behind one with."""
    found = read(PEOPLE, MARK + HEADER + b"\nC1,Ada,,\n" + MARK + b"C2,Bo,,\n")
    assert [row["contact_id"] for row in found.values()] == ["C1", "C2"]
