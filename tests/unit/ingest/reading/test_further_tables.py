"""Rows of a table below the first one are set aside as what they are, wherever the file is cut."""

from __future__ import annotations

import pytest

from tests.support import workbooks
from tests.unit.ingest.reading.test_sound_rows import HEADER, PEOPLE, PEOPLE_HEADER

OTHER = "other_table"
ROWS = b"C1,Ada,Clerk,Graz\nC2,Bo,Clerk,Linz\n"
REGIONS = b"Region,Revenue\nNorth,12.50\nSouth,7\n"


def codes(rows):
    return [rows[number]["_code"] for number in sorted(rows)]


@pytest.mark.parametrize("between", [b"\n", b",,,\n", b"\n\n", b'"","","",""\n', b" \n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [None, 30])
def test_a_table_below(read, between, end, size):
    """Its header and rows are told with their text; a line of delimiters is as blank as an empty one."""
    content = (HEADER + ROWS + between + REGIONS).replace(b"\n", end)
    found = read(PEOPLE, content, max_bytes=size)
    kept = [code for code in codes(found) if code != "not_a_record"]
    assert kept == [None, None, OTHER, OTHER, OTHER]
    texts = [found[number]["_original"] for number in sorted(found) if found[number]["_code"] == OTHER]
    assert texts == REGIONS.decode().split()
    assert sorted(row["contact_id"] for row in found.values() if not row["_code"]) == ["C1", "C2"]


@pytest.mark.parametrize("chunk", [7, 1 << 20])
@pytest.mark.parametrize("size", [40, None])
def test_the_first_table_goes_on(read, chunk, size):
    """Where its header comes again behind a blank line; the rows keep their numbers in the file."""
    content = HEADER + ROWS + b"\n" + REGIONS + b"\n" + HEADER + b"C3,Cy,Clerk,Wien\n"
    found = read(PEOPLE, content, chunk=chunk, max_bytes=size)
    assert codes(found) == [None, None, OTHER, OTHER, OTHER, "not_a_record", None]
    assert found[7]["contact_id"] == "C3"


def test_blank_lines_within_a_text(read):
    """What stands below them in the same cell is no table."""
    note = b'"first\n\nRegion,Revenue\nNorth,12.50\n"'
    found = read(PEOPLE, HEADER + ROWS + b"C3,Cy," + note + b",Graz\n\nC4,Di,Clerk,Wien\n")
    assert codes(found) == [None] * 4
    assert found[3]["title"] == note.decode().strip('"')


def test_groups_of_records(read):
    """Blank lines between them, also very many, part no tables."""
    rows = [f"C{number},Ada,Clerk,Graz\n\n".encode() for number in range(500)]
    assert codes(read(PEOPLE, HEADER + b"".join(rows), chunk=1000)) == [None] * 500


def test_a_table_below_that_is_longer_than_what_is_looked_at(read):
    """All of it is told."""
    regions = b"Region,Revenue\n" + b"".join(b"North %d,12.50\n" % number for number in range(2000))
    found = read(PEOPLE, HEADER + ROWS + b"\n" + regions, chunk=1 << 12, max_bytes=9000)
    assert codes(found) == [None, None] + [OTHER] * 2001


def test_a_table_below_in_a_sheet(read):
    """An empty row parts them."""
    book = workbooks.book(
        workbooks.rows(
            PEOPLE_HEADER,
            ("C1", "Ada", "Clerk", "Graz"),
            ("C2", "Bo", "Clerk", "Linz"),
            (),
            ("Stock",),
            ("Code", "Product", "Kind", "Place"),
            ("P1", "Widget", "Tool", "Linz"),
        )
    )
    found = read(PEOPLE, book)
    assert codes(found) == [None, None, OTHER, OTHER, OTHER]
