"""No text is run by a spreadsheet, whatever it takes to part cells, and each comes back as it was."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.console.spreadsheet_cells import guarded, restored

RUN = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
TEXTS = st.text(st.sampled_from("=+-@\uff1d'\"ab 1,;|\t\n\r\u00a0"), max_size=12)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+47 123", "'+47 123"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("'=1", "''=1"),
        ("  =1", "  '=1"),
        ("a;=1", "a;'=1"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ('a"=1', "a\"'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("Ann-Mari", "Ann-Mari"),
        ("ann@example.org", "ann@example.org"),
        ("O'Neil", "O'Neil"),
        ("", ""),
    ],
)
def test_what_begins_a_formula_is_made_harmless(text, harmless):
    """And nothing else changes."""
    assert guarded(text) == harmless
    assert restored(harmless) == text


@given(TEXTS)
def test_each_text_comes_back(text):
    """Also one that looks as if it had been made harmless already."""
    assert restored(guarded(text)) == text


@given(TEXTS)
def test_no_cell_begins_a_formula(text):
    """In a CSV line that is read with any separator, or none."""
    out = io.StringIO()
    csv.writer(out).writerow(["x", guarded(text), "y"])
    cells = re.split(r'[,;|\t\r\n"]', out.getvalue())
    assert [cell for cell in cells if cell.strip().startswith(RUN)] == []
