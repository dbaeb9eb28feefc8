"""Parameters stand where SQL names them and nowhere else, and hold what their type allows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from pydantic import ValidationError

from lakehouse.segments.parameters import Parameter, bind, given, names_in, read

VALUES = {
    "days": 90,
    "city": "O'slo $days",
    "since": date(2026, 3, 1),
    "share": 0.5,
    "yes": True,
    "l": ("a", "b"),
}


@pytest.mark.parametrize(
    ("sql", "bound"),
    [
        ("recency_days > $days", "recency_days > (90)"),
        ("city = $city", "city = 'O''slo $days'"),
        ("last > $since AND share < $Share", "last > (DATE '2026-03-01') AND share < (0.5)"),
        ("a = '$days' AND b = $$ $days $$ -- $days\n AND c = $yes",
         "a = '$days' AND b = $$ $days $$ -- $days\n AND c = true"),
        ("list_contains($l, city)", "list_contains(['a', 'b'], city)"),
        ("orders > $1", "orders > $1"),
        ("orders > $days*-1", "orders > (90)*-1"),
        ("true", "true"),
    ],
)  # fmt: skip
def test_a_parameter_stands_where_it_is_named(sql, bound):
    """Not within texts and comments; a value ends no text that it stands in."""
    assert bind(sql, VALUES) == bound


def test_a_value_is_one_whatever_it_says():
    """Nothing of it is read as SQL."""
    hostile = "x'); DROP TABLE t; --"
    with duckdb.connect() as con:
        assert con.execute(f"SELECT {bind('$v', {'v': hostile})}").fetchone() == (hostile,)


def test_a_parameter_that_there_is_not_is_told():
    """With the nearest."""
    with pytest.raises(ValueError, match=r"no parameter \$dayz; did you mean days"):
        bind("a > $dayz", VALUES)
    with pytest.raises(ValueError, match="no parameter dayz; did you mean days"):
        given({"days": Parameter(type="integer", default=1)}, {"dayz": "2"})
    assert names_in("$a + $b + $a") == ("a", "b")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", " 60 ", 60), ("number", "1.50", Decimal("1.50")), ("text", " a b", " a b"), ("yes_no", "No", False),
        ("date", "2026-03-01", date(2026, 3, 1)), ("list", "Oslo, Bergen", ("Oslo", "Bergen")),
    ],
)  # fmt: skip
def test_what_is_set_is_read_by_its_type(kind, text, value):
    """As the command line gives it."""
    assert read(text, kind) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("integer", "1.5"), ("integer", "x"), ("number", "nan"), ("number", "inf"), ("yes_no", "perhaps"),
     ("date", "1 March"), ("list", " , ")],
)  # fmt: skip
def test_what_a_type_does_not_allow_is_told(kind, text):
    """Set, or as a default."""
    with pytest.raises(ValueError, match=f"is no {kind}"):
        read(text, kind)
    with pytest.raises(ValidationError, match=f"is no {kind}"):
        Parameter(type=kind, default=[text] if kind == "integer" else None)
