"""A condition taken apart says what the whole says."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.segments.condition_parts import Part, columns_of, outline, required


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("orders > 3", ["orders > 3"]),
        ("m = 5 AND (orders > 3 OR NOT (a = 1 AND b = 2)) -- the best", [
            "all of", " m = 5", " any of", "  orders > 3", "  not", "   all of", "    a = 1", "    b = 2",
        ]),
        ("(a AND (b AND c)) AND d", ["all of", " a", " b", " c", " d"]),
        ("(((orders > 3)))", ["orders > 3"]),
        ("NOT orders IS NULL", ["NOT orders IS NULL"]),
        ("NOT (NOT orders > 3)", ["not", " NOT orders > 3"]),
        ("orders BETWEEN 1 AND 3 AND m = 5", ["all of", " orders BETWEEN 1 AND 3", " m = 5"]),
        ("CASE WHEN m = 5 AND r = 5 THEN true END", ["CASE WHEN m = 5 AND r = 5 THEN true END"]),
        ("date_trunc('month', first_order_on) = as_of", ["date_trunc('month', first_order_on) = as_of"]),
        ("a BETWEEN 1 AND 3 AND b BETWEEN (1) AND 2 OR c", [
            "any of", " all of", "  a BETWEEN 1 AND 3", "  b BETWEEN (1) AND 2", " c",
        ]),
        ("a OR (b OR c) OR (d AND e)", ["any of", " a", " b", " c", " all of", "  d", "  e"]),
        ("(a) AND (b)", ["all of", " a", " b"]),
        ("(SELECT max(x) FROM t) > 3 AND NOT (a OR b)", [
            "all of", " (SELECT max(x) FROM t) > 3", " not", "  any of", "   a", "   b",
        ]),
        ("a -- one, AND\n AND b /* OR c */", ["all of", " a", " b"]),
        ("list_filter(l, x -> x > 1 AND x < 3)[1] = 2", ["list_filter(l, x -> x > 1 AND x < 3)[1] = 2"]),
    ],
)  # fmt: skip
def test_parts_stand_as_they_are_joined(where, shown):
    """What AND and OR join, one below the other; what else holds ANDs is one test."""
    assert [" " * part.depth + part.label for part in outline(where)] == shown


@pytest.mark.parametrize(
    ("where", "columns"),
    [
        ("ORDERS > 3 AND orders < m", ("orders", "m")),
        ("place.city = 'Oslo'", ("place",)),
        ("list_contains(list_transform([1], x -> x + r), f)", ("r", "f")),
        ("revenue > (SELECT avg(monetary) FROM marts.rfm)", ("revenue",)),
        ("true", ()),
    ],
)
def test_columns_are_those_of_the_customers_row(where, columns):
    """Not what a query within it reads, nor names that a lambda makes."""
    assert columns_of(where) == columns


def test_an_error_in_one_part_hides_no_other():
    """A value that cannot be cast leaves its part unknown; within a query of its own DuckDB takes no such guard."""
    parts = outline("CAST(c AS INT) = 1 AND a = 1 AND a IN (SELECT 1)")
    with duckdb.connect() as con:
        asked = ", ".join(part.value_sql for part in parts[1:])
        assert con.execute(f"SELECT {asked} FROM (VALUES (1, 'x')) AS v(a, c)").fetchall() == [
            (None, True, True)
        ]


@pytest.mark.parametrize(
    "where",
    ["c ~ 'a.c'", "c !~ 'b'", "c GLOB 'a*'", "c ^@ 'a'", "c SIMILAR TO '.b.'", "a // 2 = 0", "a / 2 > 0", "a ** 2 = 1",
     "a = ANY([1, 2])", "a IS DISTINCT FROM NULL", "c COLLATE NOCASE = 'ABC'", "a << 1 = 2", "NOT c LIKE 'a%'"],
)  # fmt: skip
def test_a_part_means_what_is_written(where):
    """Words of DuckDB's that other engines lack are not put in other words."""
    [part] = outline(where)
    with duckdb.connect() as con:
        rows = con.execute(
            f"SELECT ({where}), {part.value_sql} FROM (VALUES (1, 'abc'), (2, 'xabcx'), (NULL, NULL)) AS v(a, c)"
        ).fetchall()
    assert [alone for _, alone in rows] == [written for written, _ in rows]


TESTS = st.sampled_from([
    "a = 1", "b", "NOT a > 1", "a IS NULL", "a IN (1, NULL)", "a BETWEEN 0 AND 1", "c ~ '1'",
    "CASE WHEN a = 1 AND b THEN true END", "CAST(c AS INT) = 1",
])  # fmt: skip
CONDITIONS = st.recursive(
    TESTS,
    lambda below: st.one_of(
        st.tuples(below, st.sampled_from(["AND", "OR"]), below).map(
            lambda parts: f"({parts[0]}) {parts[1]} {parts[2]}"
        ),
        st.tuples(below, st.sampled_from(["AND", "OR"]), below).map(" ".join),
        below.map(lambda each: f"NOT ({each})"),
    ),
    max_leaves=6,
)
ROWS = "(VALUES (0, true, '1'), (1, false, '0'), (2, NULL, NULL), (NULL, true, '1')) AS v(a, b, c)"


@settings(max_examples=60, deadline=None)
@given(CONDITIONS)
def test_parts_together_say_what_the_whole_says(where):
    """Of each row, unknown values, too; and all that is required holds where the whole does."""
    parts, needed = outline(where), required(where)
    asked = ", ".join(part.value_sql for part in (*parts, *needed))
    with duckdb.connect() as con:
        for whole, *values in con.execute(f"SELECT ({where}), {asked} FROM {ROWS}").fetchall():
            assert values[0] is whole
            assert joined(list(zip(parts, values, strict=False))) is whole
            assert (whole is True) == all(value is True for value in values[len(parts) :])


def joined(below: list[tuple[Part, bool | None]]) -> bool | None:
    """The oracle: the value of the first part by those below it, in SQL's three values."""
    (part, value), rest = below[0], below[1:]
    children = []
    for number, (each, _) in enumerate(rest):
        if each.depth <= part.depth:
            break
        if each.depth == part.depth + 1:
            children.append(joined(rest[number:]))
    if part.kind == "condition":
        return value
    if part.kind == "not":
        return None if children[0] is None else not children[0]
    decides = part.kind == "any"
    if decides in children:
        return decides
    return None if None in children else not decides
