"""A comma that nobody quoted moves no cells, and a file whose rows end in delimiters loads."""

from __future__ import annotations

import pytest

from lakehouse.ingest.reading.delimited_header import read_header
from lakehouse.ingest.reading.row_width import most_cells
from tests.unit.ingest.reading.test_sound_rows import HEADER, PEOPLE, cells

TORN = b"C7,Smith, John,Clerk,"  # Clerk would be the city, and John the title


def widest(content):
    return most_cells(content, read_header(content))


@pytest.mark.parametrize(
    ("content", "cells_allowed"),
    [
        (b"a,b,c\n1,2,3\n4,5,6\n", 3),
        (b"a,b,c\n1,2,3,\n4,5,6,\n", 4),
        (b"a,b,c\n1,2,3,,\n4,5,6,,\n7,8,9,\n", 5),
        (b"a,b,c\n1,2,3,\n4,5,6\n", 3),
        (b"a,b,c\n1,2,3,\n", 3),  # one row says too little
        (b"a,b,c\n" + b"1,2,3,\n" * 9 + b"1,2,3\n", 4),
        (b"a,b,c\n" + b"1,2, x,\n" * 9, 3),  # each with the rest of a text: Smith, John
        (b"a,b,c\n" + b'1,2," x",\n' * 9, 4),
        (b"a,b,c\n" + b"1, 2, 3, \n" * 9, 4),  # blanks behind all delimiters (pandas-dev/pandas#9295)
        (b'UNITID,XTUIT1,TUITION1\n100636,"R",0,\n', 4),  # who quotes texts does so (pandas-dev/pandas#15203)
        (b"a,b,c\n1,2,3,4\n5,6,7,8\n", 3),
        (b"a,b,c,\n1,2,3\n4,5,6\n", 4),
        (b"a,b,c,\n" + b"1,2,3\n" * 12, 3),
        (b"a,b,c,\n" + b"1,2,3,\n" * 12, 4),
        (b"a,b,c,\n1,2,3,,\n4,5,6,,\n", 5),
        (b'"a";"b";\r\n1;"2";\r\n', 3),
        (b"a,b,c\n", 3),
    ],
)
def test_what_a_file_shows(content, cells_allowed):
    """By its header, or by nearly all of its first rows."""
    assert widest(content) == cells_allowed


OTHERS = [
    b"C1,Ada,Clerk,Graz\n",
    b'C2,"Reed, Bo",Clerk,Linz\n',
    b'C3,Cy,"",\n',
    b"C4,Di\n",
    b"C5,Ed,Clerk,Wels\n\n",
]


@pytest.mark.parametrize("others", [OTHERS[:1], OTHERS[:2], OTHERS[:3], OTHERS], ids=str)
@pytest.mark.parametrize(
    "torn", [TORN, b'C7,Smith,John,Clerk,""', b"C7,Smith,John,Clerk,,", b'C7,Smith, John,Clerk,"" ']
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_row_with_a_comma_too_many(read, others, torn, end):
    """Is set aside with its own text, read by DuckDB or by us; those beside it load as they do without it."""
    for content in ([torn + b"\n", *others], [*others, torn]):
        rows = read(PEOPLE, (HEADER + b"".join(content)).replace(b"\n", end))
        bad = [(row["_code"], row["_original"]) for row in rows.values() if row["_code"]]
        assert bad == [("too_many_fields", torn.decode())]
        without = read(PEOPLE, HEADER + b"".join(others) + b"\n").values()
        loaded = [cells(rows[number]) for number in sorted(rows) if not rows[number]["_code"]]
        assert loaded == [cells(row) for row in without]


@pytest.mark.parametrize(
    ("header", "rows", "torn"),
    [
        (b"contact_id,name,title,city,\n", b"C%d,Ada,Clerk,Graz,\n", TORN + b","),
        (b"contact_id,name,title,city\n", b"C%d,Ada,Clerk,Graz,\n", TORN + b","),
        (b"contact_id,name,title,city\n", b'C%d,"Quill, Ada",Clerk,Graz,\n', TORN + b","),
        (b"contact_id,name,title,city\n", b"C%d,Ada,Clerk,Graz,\n", b"C7,Smith, John,Clerk,Graz"),
        (b"contact_id,name,title,city,\n", b"C%d,Ada,Clerk,Graz\n", TORN),
        (b"contact_id,name,title,city,\n", b"C%d,Ada,Clerk,Graz\n", b"C7,Smith, John,Clerk,Graz"),
    ],
)
@pytest.mark.parametrize("size", [None, 300])
def test_where_rows_end_in_delimiters_a_torn_one_has_one_more(read, header, rows, torn, size):
    """And where the header alone ends so, it has as many as the header."""
    content = header + b"".join(rows % number for number in range(100, 140)) + torn + b"\n"
    found = read(PEOPLE, content, max_bytes=size)
    assert [(number, row["_original"]) for number, row in found.items() if row["_code"]] == [
        (41, torn.decode())
    ]
    assert {cells(row)[2:] for row in found.values() if not row["_code"]} == {("Clerk", "Graz")}


def test_a_torn_row_alone_in_its_piece(read):
    """It is as long as the header, so that DuckDB takes it; what a row may have says the file."""
    rows = b"".join(b"C%d,Ada,Clerk,Graz\n" % number for number in range(10, 22))
    content = b"contact_id,name,title,city,\n" + rows + TORN + b"\n"
    found = read(PEOPLE, content, chunk=len(TORN) + 1, max_bytes=1)
    assert [(number, row["_original"]) for number, row in found.items() if row["_code"]] == [
        (13, TORN.decode())
    ]
