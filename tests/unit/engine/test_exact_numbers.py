"""A number that was cast from a text says what the text says, or it is null: nothing is rounded without a word."""

from __future__ import annotations

import math
import struct
from contextlib import closing
from decimal import Decimal

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.engine import exact_numbers


@pytest.fixture(scope="module")
def con():
    with closing(duckdb.connect(config={"threads": "1"})) as connection:
        yield connection


def decimal(con, text: str, precision: int = 38, scale: int = 2) -> Decimal | None:
    value = exact_numbers.decimal_cast_sql("text", precision, scale)
    return _asked(con, exact_numbers.exact_decimal_sql(value, "text", scale), text)


def integer(con, text: str) -> int | None:
    return _asked(con, exact_numbers.exact_integer_sql("TRY_CAST(text AS BIGINT)", "text"), text)


def fraction(con, text: str, duck_type: str = "DOUBLE") -> float | None:
    value = f"TRY_CAST(text AS {duck_type})"
    return _asked(con, exact_numbers.exact_float_sql(value, "text", duck_type), text)


def _asked(con, sql: str, text: str):
    ((found,),) = con.execute(f"SELECT {sql} FROM (SELECT ? AS text)", [text]).fetchall()
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.34", "12.34"),
        ("-12.3", "-12.3"),
        ("+5", "5"),
        (".5", "0.5"),
        ("12.", "12"),
        ("12.340000", "12.34"),
        (" 12.34 ", "12.34"),
        ("1.234e1", "12.34"),
        ("1234e-2", "12.34"),
        ("0.000", "0"),
        ("0e-9", "0"),
        ("999999999999999999999999999999999999.99", "999999999999999999999999999999999999.99"),
        ("12.345", None),
        (".001", None),
        ("12345e-3", None),
        ("9999999999999999999999999999999999999", None),
        ("- ", None),
        (".", None),
        ("", None),
        ("1_000", None),
        ("0x1F", None),
        ("nan", None),
        ("twelve", None),
    ],
)
@pytest.mark.parametrize("precision", [38, 20])
def test_a_decimal_has_all_digits_of_its_text(con, text: str, value: str | None, precision: int) -> None:
    """In a decimal of two digits behind the point, of 128 bits or cut from one of 64."""
    fits = value is not None and sum(map(str.isdigit, value)) <= precision
    assert decimal(con, text, precision) == (Decimal(value) if value is not None and fits else None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("12.0", 12), (".0", 0), ("12.5", None), ("- ", None), (".", None), (" ", None)],
)
def test_a_decimal_without_digits_behind_the_point(con, text: str, value: int | None) -> None:
    """A digit there must be: DuckDB reads "- " as 0."""
    assert decimal(con, text, 10, 0) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-12", -12),
        ("007", 7),
        (" 12 ", 12),
        ("12.0", 12),
        ("1.2e1", 12),
        ("1200e-2", 12),
        ("12.5", None),
        ("1.25e1", None),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", None),
        ("1_000", None),
        ("true", None),
        ("", None),
    ],
)
def test_an_integer_is_whole_in_its_text(con, text: str, value: int | None) -> None:
    assert integer(con, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        ("0.10000000000000001", 0.1),
        ("-2.50", -2.5),
        ("1e300", 1e300),
        ("9007199254740992", 9007199254740992.0),
        ("9007199254740993", None),  # the first whole number that no DOUBLE holds
        ("0.123456789012345678", None),
        (
            "5.960464477539063e-08",
            2.0**-24,
        ),  # as Python writes it; its digits behind are half of the last one's
        ("1e999", None),
        ("nan", None),
        ("inf", None),
        ("1_0", None),
        ("", None),
    ],
)
def test_a_double_has_the_digits_of_its_text(con, text: str, value: float | None) -> None:
    assert fraction(con, text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("0.1", 0.1), ("16777216", 16777216.0), ("16777217", None), ("0.123456789", None)]
)
def test_a_float_has_the_digits_of_its_text(con, text: str, value: float | None) -> None:
    """As single precision holds them."""
    expected = None if value is None else struct.unpack("f", struct.pack("f", value))[0]
    assert fraction(con, text, "FLOAT") == expected


@pytest.mark.parametrize(
    ("text", "point", "value"),
    [
        ("$1,234.50", ".", Decimal("1234.50")),
        ("1.234,50 €", ",", Decimal("1234.50")),
        ("$1,234", ".", Decimal("1234.00")),
        ("$1,234.500", ".", Decimal("1234.50")),
        ("$1,234.505", ".", None),
        ("1.234,5000001 €", ",", None),
    ],
)
def test_an_amount_keeps_its_digits_too(con, text: str, point: str, value: Decimal | None) -> None:
    """Whichever sign is the point; a group's sign says nothing of digits behind it."""
    plain = "".join(each for each in text if each.isdigit() or each == point).replace(point, ".")
    cast = f"CAST('{plain}' AS DECIMAL(18,2))"
    assert _asked(con, exact_numbers.exact_amount_sql(cast, "text", 2, point), text) == value


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**12), max_value=10**12)
spellings = st.sampled_from(["{:f}", "{:e}", "{:.9f}", "+{:f}", " {:f}"])


@tried(max_examples=150, deadline=None, database=None)
@given(decimals, spellings, st.integers(0, 6))
def test_any_decimal_is_equal_to_its_text_or_null(con, number: Decimal, spelling: str, scale: int) -> None:
    """Null exactly where the scale is too small for it."""
    text = spelling.format(number).replace("+-", "-")
    expected = number if number == round(number, scale) else None
    assert decimal(con, text, 38, scale) == expected


def digits(text: str) -> str:
    return text.partition("e")[0].replace(".", "").replace("-", "").strip("0")


@tried(max_examples=150, deadline=None, database=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False), length=st.integers(1, 20))
@example(number=2.0**-24, length=1)  # the digits behind its shortest text are half of the last one
@example(number=5e-324, length=1)
def test_a_double_is_read_back_from_texts_of_any_length(con, number: float, length: int) -> None:
    """Null where the number, written out with as many digits as the text has, or as few as tell it, has others."""
    for text in (repr(number), f"{number:.{length}e}", f"{number:.{length}g}"):
        value, said = float(text), digits(text)
        same = not said or said in (digits(f"{value:.{len(said) - 1}e}"), digits(repr(value)))
        is_said = math.isfinite(value) and same
        found = fraction(con, text)
        assert found == (value if is_said else None)
        assert found is None or math.copysign(1, found) == math.copysign(1, number)


@tried(max_examples=150, deadline=None, database=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_of_64_bits_is_read_back(con, number: int) -> None:
    assert integer(con, str(number)) == number
