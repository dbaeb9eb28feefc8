"""How numbers, amounts of money, yes and no are written; what only looks like them."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.numbers import boolean, number


@pytest.mark.parametrize(
    ("text", "format_", "kind", "integer_digits", "scale"),
    [
        ("0", "1234", "int", 1, 0),
        ("-2147483648", "1234", "long", 10, 0),
        ("99999999999", "1234", "long", 11, 0),
        ("9" * 20, "1234", "decimal", 20, 0),
        ("9" * 39, "1234", "double", 39, 0),
        ("-0.50", "1234.56", "decimal", 1, 2),
        ("1.38E+10", "1.2E+3", "double", 0, 0),
        ("1,234", "1,234", "decimal", 4, 0),
        ("¥1,299.00", "¥1,234.56", "decimal", 4, 2),
        ("￥１，２９９．００", "¥1,234.56", "decimal", 4, 2),
        ("1.299,00 €", "1.234,56 €", "decimal", 4, 2),
        ("1299元", "1234元", "decimal", 4, 0),
        ("1.5万", "1234.56万", "decimal", 1, 1),
        ("(120.00)", "(1234.56)", "decimal", 3, 2),
        ("-¥5", "-¥1234", "decimal", 1, 0),
        ("¥-5", "-¥1234", "decimal", 1, 0),
        ("−5", "-1234", "decimal", 1, 0),
        ("12%", "1234%", "decimal", 2, 0),
        ("RMB 12", "RMB 1234", "decimal", 2, 0),
        ("12 EUR", "1234 EUR", "decimal", 2, 0),
        ("1 234,56", "1 234,56", "decimal", 4, 2),
        ("1'234.5", "1 234.56", "decimal", 4, 1),
        ("1.234.567", "1.234.567", "decimal", 7, 0),
        ("1,23,456.78", "1,23,456.78", "decimal", 6, 2),
        ("1,23,456", "1,23,456.78", "decimal", 6, 0),
        ("12,5", "1234,56", "decimal", 2, 1),
    ],
)
def test_numbers_and_money(text, format_, kind, integer_digits, scale):
    """The format is an example that says nothing of the number."""
    assert number(text) == (format_, kind, integer_digits, scale)


@pytest.mark.parametrize(
    "text", ["007", "¥007", "ABC 123", "u123", "1.2.3", "(5", "5)", "-", "1299.00-", "十二", ""]
)
def test_what_is_no_number(text):
    """Leading zeros would be lost, so they make no number; three letters that are no currency neither."""
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "pair"),
    [("TRUE", "true/false"), ("n", "y/n"), ("是", "是/否"), ("否", "是/否"), ("×", "√/×"), ("未", "已/未")],
)
def test_yes_and_no(text, pair):
    """In several languages; by the pair that the word belongs to."""
    assert boolean(text) == pair


def test_no_yes_or_no():
    """One and zero are numbers first."""
    assert [boolean(text) for text in ("1", "0", "maybe", "")] == [None] * 4
