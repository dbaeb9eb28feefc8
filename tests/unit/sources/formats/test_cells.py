"""What a person sees in a cell, by its number format."""

from __future__ import annotations

import pytest

from lakehouse.sources.formats.cells import boolean, format_of, plain_number, string


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (0, None, "45000.25"),
        (14, None, "2023-03-15T06:00:00"),
        (21, None, "1080006:00:00"),
        (164, "yyyy-mm-dd", "2023-03-15T06:00:00"),
        (164, "hh:mm", "1080006:00:00"),
        (164, "[h]:mm", "1080006:00:00"),
        (164, "mmm", "2023-03-15T06:00:00"),
        (164, "mm:ss", "1080006:00:00"),
        (164, "General", "45000.25"),
        (164, '0.00 "days"', "45000.25"),
        (164, r"\d0", "45000.25"),
        (164, "[Red]0.00", "45000.25"),
        (164, '0;"d"', "45000.25"),
    ],
)
def test_a_format_says_whether_a_number_is_a_moment(number, code, text):
    """Letters that are quoted, escaped, a colour or of negative numbers say nothing."""
    assert format_of(number, code)("45000.25") == text


@pytest.mark.parametrize(
    ("serial", "from_1904", "text"),
    [
        ("0", True, "1904-01-01"),
        ("0", False, "00:00:00"),
        ("1", False, "1900-01-01"),
        ("59", False, "1900-02-28"),
        ("60", False, "1900-02-29"),  # there was none: not the 28th, which is another day's
        ("60.25", False, "1900-02-29"),
        ("60", True, "1904-03-01"),
        ("61", False, "1900-03-01"),
        ("2958465", False, "9999-12-31"),
        ("2958465", True, "2958465"),
        ("-1", False, "-1"),
        ("soon", False, "soon"),
    ],
)
def test_days_count_from_one_of_two_epochs(serial, from_1904, text):
    """1900 is a leap year to a workbook; what is no day stays a number or a text."""
    assert format_of(14, None, from_1904=from_1904)(serial) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("007", "007"),
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.3"),
        ("1E+3", "1000"),
        ("x", "x"),
        ("1e300", "1e+300"),
    ],
)
def test_a_number_has_the_digits_that_a_workbook_keeps(text, shown):
    """Fifteen."""
    assert plain_number(text) == shown


def test_what_xml_cannot_hold_is_unescaped():
    """And what a truth is called."""
    assert string("a_x000D_b_x") == "a\rb_x"
    assert [boolean(text) for text in "01?"] == ["false", "true", "?"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.30000000000000004", "0.3"),
        ("10.499999999999998", "10.5"),
        ("1234567.8900000001", "1234567.89"),
        ("0.33333333333333331", "0.3333333333333333"),
        ("0.1234567890123456", "0.1234567890123456"),
        ("123456789012.3456", "123456789012.3456"),
        ("1234567890123456.5", "1234567890123456.5"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e-07", "1e-07"),
    ],
)
def test_a_number_of_many_digits_keeps_them(text, shown):
    """What binary fractions add to a short one goes; nothing else does."""
    assert plain_number(text) == shown


@pytest.mark.parametrize(
    ("code", "text", "shown"),
    [
        ("00000", "1067", "01067"),
        ("00000;@", "1067.0", "01067"),
        ("000000", "1234567", "1234567"),
        ("000", "1.5", "1.5"),
        ("000", "-5", "-5"),
        ("000", "x", "x"),
        ("0", "7", "7"),
        ("00.00", "7", "7"),
    ],
)
def test_zeros_that_a_format_shows_are_part_of_an_id(code, text, shown):
    """A code of post is 01067 to whoever sees it, and in what another system exports."""
    assert format_of(164, code)(text) == shown
