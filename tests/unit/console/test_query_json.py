"""Rows as JSON: any JSON parser reads them, and every value is there with all its digits."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.console.query_json import as_json, distinct, json_value


def refuse(word: str):
    raise ValueError(f"{word} is no JSON")


def loads(text: str):
    """Read JSON strictly, decimals with all their digits."""
    return json.loads(text, parse_float=Decimal, parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (12345678901234567890123, "12345678901234567890123"),
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-30"), "0.000000000000000000000000000001"),
        (Decimal("NaN"), "null"),
        (Decimal("Infinity"), "null"),
        (0.1, "0.1"),
        (float("nan"), "null"),
        (float("-inf"), "null"),
        ('张 "伟"\n', '"张 \\"伟\\"\\n"'),
        (date(2026, 1, 5), '"2026-01-05"'),
        (time(8, 30), '"08:30:00"'),
        (datetime(2026, 1, 5, 8, 30, tzinfo=UTC), '"2026-01-05T08:30:00+00:00"'),
        (b"\x00\xff", '"00ff"'),
        ([], "[]"),
        ((1, [Decimal("2.0"), float("nan")]), "[1, [2.0, null]]"),
        ({"a": {1: date(2026, 1, 5)}, 'q"': b"\x01"}, '{"a": {"1": "2026-01-05"}, "q\\"": "01"}'),
    ],
)
def test_a_value_as_json(value, text: str) -> None:
    assert json_value(value) == text


plain = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(st.lists(st.text(), min_size=1, max_size=4), st.data())
def test_rows_are_read_back(columns: list[str], data) -> None:
    """As objects with a member for each column, whatever the names and however many rows."""
    rows = data.draw(st.lists(st.tuples(*[values] * len(columns)), max_size=4))
    read = json.loads("".join(as_json(columns, rows)), parse_constant=refuse)
    assert read == [dict(zip(distinct(columns), row, strict=True)) for row in rows]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_a_decimal_is_a_number_with_all_its_digits(number: Decimal) -> None:
    """No exponent, and no zero less."""
    read = loads(json_value(number))
    assert Decimal(read) == number
    assert json_value(number) == f"{number:f}"


def test_rows_come_piece_by_piece() -> None:
    """Nobody waits for the last row to see the first one."""

    def endless():
        while True:
            yield (1,)

    pieces = as_json(["a"], endless())
    assert [next(pieces) for _ in range(3)] == ["[", '{"a": 1}', ', {"a": 1}']


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a_1", "a_2"]),
        (["a", "a_1", "a"], ["a", "a_1", "a_2"]),
        (["a", "a", "a_1"], ["a", "a_1", "a_1_1"]),
        ([], []),
    ],
)
def test_names_that_come_again_get_a_number(names: list[str], found: list[str]) -> None:
    """One that is free; the first keeps its own."""
    assert distinct(names) == found


@given(st.lists(st.sampled_from(["a", "a_1", "a_1_1", "a_2", "b"]), max_size=8))
def test_no_two_columns_share_a_name(names: list[str]) -> None:
    found = distinct(names)
    assert len(set(found)) == len(names)
    assert all(made.startswith(name) for made, name in zip(found, names, strict=True))
