"""A text becomes pieces that are whole rows and together the text, wherever its chunks are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.ingest.reading.piece import Layout
from lakehouse.ingest.reading.policy import PiecePolicy, RowPolicy
from lakehouse.ingest.reading.text_cutter import cut_text
from tests.support.packed_files import cut

CSV = Layout("delimited", ",", ("a", "b"))
JSON_LINES = Layout("json_lines")
fast = tried(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def cut_up(tmp_path):
    """Return a function that cuts a text; it gives each piece with its bytes, None for one without a path."""
    numbers = itertools.count()

    def cut_up(text, layout, max_bytes, sizes=(1 << 20,)):
        found = []
        for piece in cut_text(
            cut(text, sizes), layout, lambda: tmp_path / f"{next(numbers)}.piece", max_bytes
        ):
            content = None if piece.path is None else piece.path.read_bytes()
            assert piece.bytes == len(content or b"")
            found.append((piece, content))
        return found

    return cut_up


def test_a_text_that_fits_is_one_piece(cut_up):
    """With the line of its header."""
    ((piece, content),) = cut_up(b"a,b\n1,2\n", CSV, 1_000)
    assert (content, piece.header_lines, piece.line_end, piece.row_count) == (b"a,b\n1,2\n", 1, "\n", None)


def test_the_header_is_in_the_first_piece_alone(cut_up):
    """Each ends where a row does."""
    found = cut_up(b"a,b\n1,2\n3,4\n", CSV, 1, sizes=(4,))
    assert [content for _, content in found] == [b"a,b\n", b"1,2\n", b"3,4\n"]
    assert [piece.header_lines for piece, _ in found] == [1, 0, 0]


def test_a_line_end_within_quotes_ends_no_piece(cut_up):
    """Until a quote is so far from being closed that it must stand where none may."""
    text = b'a,b\n1,"x\ny"\n2,3\n'
    found = cut_up(text, CSV, 1, sizes=(4,))
    assert [content for _, content in found] == [b"a,b\n", b'1,"x\ny"\n', b"2,3\n"]


def test_any_line_end_will_do_where_a_quote_is_astray(cut_up, monkeypatch):
    """Else the piece would grow with the file."""
    monkeypatch.setattr(PiecePolicy, "unbalanced_quotes_bytes", 8)
    text = b'a,b\n1,"x\n' + b"2,3\n" * 9
    contents = [content for _, content in cut_up(text, CSV, 1, sizes=(4,))]
    assert len(contents) > 3
    assert b"".join(contents) == text


@pytest.mark.parametrize(
    ("text", "lines"), [(b"{}\n{}\n", 2), (b"{}\n{}", 2), (b"\n\n{}\n", 3), (b"{}", 1), (b"\n", 1)]
)
def test_lines_of_json_are_counted(cut_up, text, lines):
    """Blank ones too; the last may lack its newline."""
    ((piece, _),) = cut_up(text, JSON_LINES, 1_000)
    assert piece.row_count == lines


def test_a_line_that_is_too_long_is_a_piece_without_a_path(cut_up, monkeypatch):
    """The lines before and behind it are kept, the beginning of it is not."""
    monkeypatch.setattr(RowPolicy, "max_bytes", 8)
    text = b"{1}\n" + b"x" * 30 + b"\n{2}\n"
    found = cut_up(text, JSON_LINES, 1_000, sizes=(5,))
    assert [content for _, content in found] == [b"{1}\n", None, b"{2}\n"]
    assert [piece.row_count for piece, _ in found] == [1, 1, 1]


def test_a_text_of_one_line_that_is_too_long(cut_up, tmp_path, monkeypatch):
    """Nothing remains of it on disk."""
    monkeypatch.setattr(RowPolicy, "max_bytes", 8)
    ((piece, _),) = cut_up(b"x" * 30, JSON_LINES, 1_000, sizes=(5,))
    assert piece.path is None
    assert list(tmp_path.iterdir()) == []


def test_an_empty_text_has_no_pieces(cut_up):
    """No file is left for it."""
    assert cut_up(b"", JSON_LINES, 10) == []


@fast
@given(
    st.lists(st.sampled_from([b"1", b"22", b'"a\nb"', b",", b"\n", b"\r\n"]), max_size=20).map(b"".join),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(1, 30),
    st.sampled_from([CSV, JSON_LINES]),
)
def test_the_pieces_are_the_text(cut_up, text, sizes, max_bytes, layout):
    """No byte is lost, and each piece but the last ends with a line."""
    contents = [content for _, content in cut_up(text, layout, max_bytes, sizes)]
    assert b"".join(contents) == text
    assert all(content.endswith((b"\n", b"\r")) for content in contents[:-1])
