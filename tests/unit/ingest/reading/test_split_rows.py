"""Rows of delimited text, each with its own text, also where quotes are astray."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.reading.split_rows import RowSplitter
from tests.support.packed_files import EXAMPLES


def rows(text, delimiter=",", width=4):
    return [(row.text, row.fields) for row in RowSplitter(delimiter, width).rows(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a,b\r\n\r\nc,d\re,f", [(b"a,b", 2), (b"c,d", 2), (b"e,f", 2)]),
        (b'"a\r\nb",c\r\n', [(b'"a\r\nb",c', 2)]),
        (b'"a ""b""\n\n",c\n\n d ,"e\n"\n', [(b'"a ""b""\n\n",c', 2), (b' d ,"e\n"', 2)]),
        (b"\n\n", []),
        (b'1,19" rack,x\n', [(b'1,19" rack,x', 3)]),
        (b'1, "spaced" ,x\n', [(b'1, "spaced" ,x', 3)]),
        (b'1,"x"y,2\n3,b,c\n', [(b'1,"x"y,2', 0), (b"3,b,c", 3)]),
        (b'1,"says \\"hi\\"",2\n3,b,c\n', [(b'1,"says \\"hi\\"",2', 0), (b"3,b,c", 3)]),
        (b'1,"open\n2,b\n3,"ok"\n4,d\n', [(b'1,"open', 0), (b"2,b", 2), (b'3,"ok"', 2), (b"4,d", 2)]),
        (b'1,"open\n2,"open\n3,d\n', [(b'1,"open\n2,"open', 0), (b"3,d", 2)]),
        (b'1,"text over\nlines" x\n3,d\n', [(b'1,"text over\nlines" x', 0), (b"3,d", 2)]),
        (b'1,"open\n2,"two\nlines"\n3,d\n', [(b'1,"open', 0), (b'2,"two\nlines"', 2), (b"3,d", 2)]),
        (b'1,"open\n2,b\n3,c\n4,d', [(b'1,"open', 0), (b"2,b", 2), (b"3,c", 2), (b"4,d", 2)]),
    ],
)
def test_rows_and_their_fields(text, expected):
    """A quote that is never closed takes no rows; a text over lines stays whole. No fields where quotes are astray."""
    assert rows(text, width=2) == expected


def test_rows_of_one_field_behind_a_blank_line():
    """They say so, as footers do; the next whole row ends that."""
    found = RowSplitter(",", 2).rows(b"1,a\n\n\nfoot\nnote\n2,b\nx\n")
    assert [(row.text, row.after_blank) for row in found] == [
        (b"1,a", False), (b"foot", True), (b"note", True), (b"2,b", False), (b"x", False),
    ]  # fmt: skip


def test_the_last_row_says_whether_its_line_ends():
    """A file that was cut off ends within one."""
    assert [row.ends for row in RowSplitter(",", 2).rows(b"1,a\n2,b\n")] == [True, True]
    assert [row.ends for row in RowSplitter(",", 2).rows(b"1,a\n2,b")] == [True, False]


CELLS = st.text(st.sampled_from("ab\",;\n\r \\'é"), max_size=6)


@EXAMPLES
@given(
    table=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8),
    delimiter=st.sampled_from(",;|\t"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_a_csv_writer_wrote_is_split_as_it_was(table, delimiter, line_end):
    """Python's own writer is the oracle, whatever is in the cells."""
    texts = []
    for cells in table:
        row = io.StringIO()
        csv.writer(row, delimiter=delimiter, lineterminator="", quoting=csv.QUOTE_ALL).writerow(cells)
        texts.append(row.getvalue().encode())
    content = b"".join(text + line_end.encode() for text in texts)
    assert rows(content, delimiter, 3) == [(text, 3) for text in texts]


@EXAMPLES
@given(text=st.text(st.sampled_from('ab",\n\r '), max_size=40).map(str.encode))
def test_no_byte_is_lost(text):
    """Whatever a text is: its rows and line ends are all of it, in order."""
    at = 0
    for row, _ in rows(text, width=2):
        found = text.index(row, at)
        assert not text[at:found].strip(b"\r\n")
        at = found + len(row)
    assert not text[at:].strip(b"\r\n")


def test_a_quote_that_another_row_closes():
    """What is between them has fewer fields than the header, and lines of it are rows."""
    assert rows(b'1,"open\n2,b,c\n3,x,"\n4,d,e\n', width=3) == [
        (b'1,"open', 0), (b"2,b,c", 3), (b'3,x,"', 0), (b"4,d,e", 3),
    ]  # fmt: skip
    assert rows(b'1,"text\nover lines"\n2,b,c\n', width=3) == [(b'1,"text\nover lines"', 2), (b"2,b,c", 3)]
