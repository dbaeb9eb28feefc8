"""The SQL of a condition that was said without it, with the words in which people read each part. Pure.

Each test becomes SQL that is true or false, never null. Of a table with several rows of one customer a test holds where
one of them fulfils it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lakehouse.segments.condition_parts import Kind, Part
from lakehouse.segments.who import FieldTest, Who
from lakehouse.segments.who_columns import find_column, rows_sql
from lakehouse.segments.who_counts import count_sql, counted_sql
from lakehouse.segments.who_tests import OPPOSITES, joined_sql, parts_below, tests_sql
from lakehouse.segments.who_words import counted_words, words

if TYPE_CHECKING:
    from lakehouse.segments.known import Known


def outline(who: Who, known: Known) -> list[Part]:
    """Return the parts of a condition from the outermost to the tests; WhoError says what is wrong, and the nearest."""
    return list(_outline(who, known, 0, "who"))


def required(who: Who, known: Known) -> list[Part]:
    """Return the parts that all must hold, as `condition_parts.required` does."""
    if who.form != "all":
        return [_one_part(who, known, "who")]
    return [
        part
        for number, each in enumerate(who.all or ())
        for part in (
            required(each, known) if each.form == "all" else [_one_part(each, known, f"who.all.{number}")]
        )
    ]


def condition_sql(who: Who, known: Known, where: str = "who") -> str:
    """Return the SQL of a condition over a customer's row; raises as `outline` does."""
    return joined_sql(who, where, lambda each, path: _test_sql(each, known, path))


def _outline(who: Who, known: Known, depth: int, where: str) -> Iterator[Part]:
    if who.form in {"field", "count"}:
        yield _leaf(who, known, depth, where)
        return
    kind: Kind = "all" if who.form == "all" else "any" if who.form == "any" else "not"
    yield Part(depth, kind, words(who), (), condition_sql(who, known, where))
    for path, below in parts_below(who, where):
        yield from _outline(below, known, depth + 1, path)


def _one_part(who: Who, known: Known, where: str) -> Part:
    if who.form in {"field", "count"}:
        return _leaf(who, known, 0, where)
    return Part(0, "condition", words(who), (), condition_sql(who, known, where))


def _leaf(who: Who, known: Known, depth: int, where: str) -> Part:
    sql = _test_sql(who, known, where)
    if who.form == "count":
        asked = (counted_words(who), counted_sql(who, known, where))
        return Part(depth, "condition", words(who), (), sql, (asked,))
    name = who.field or ""
    table, column = find_column(name, known, where)
    if table is None:
        return Part(depth, "condition", words(who), (name.lower().rpartition(".")[2],), sql)
    of_customer = f"FROM {rows_sql(table)} WHERE t.customer_id = customers.customer_id"
    values = f"(SELECT list(DISTINCT {column.shown_sql}) {of_customer})"
    return Part(depth, "condition", words(who), (), sql, ((name, values),))


def _test_sql(who: Who, known: Known, where: str) -> str:
    """Return the SQL of one condition that is made of no others, over a customer's row."""
    if who.form == "count":
        return count_sql(who, known, where)
    table, column = find_column(who.field or "", known, where)
    if table is None:
        return tests_sql(who.tests, column, known, where)
    # of one row all that is said to hold must hold; what must not hold is said of no row at all
    held = tuple(test for test in who.tests if test.operator not in OPPOSITES and not _asks_missing(test))
    parts = [_some_row(table, tests_sql(held, column, known, where))] if held else []
    for test in who.tests:
        if test not in held:
            opposite = FieldTest(
                OPPOSITES.get(test.operator, "known"), test.value if not _asks_missing(test) else True
            )
            parts.append(f"NOT {_some_row(table, tests_sql((opposite,), column, known, where))}")
    return f"({' AND '.join(parts)})"


def _asks_missing(test: FieldTest) -> bool:
    return test.operator == "known" and test.value is False


def _some_row(table: str, condition: str) -> str:
    rows = f"SELECT t.customer_id FROM {rows_sql(table)} WHERE t.customer_id IS NOT NULL AND {condition}"
    return f"(customer_id IN ({rows}))"
