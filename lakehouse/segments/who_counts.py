"""The SQL of counts of what customers did. Who did nothing counts 0. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.engine.escape import literal
from lakehouse.segments.countable import WORDS, Countable
from lakehouse.segments.who import FieldTest, Who
from lakehouse.segments.who_columns import WhoError, row_column, rows_sql
from lakehouse.segments.who_tests import COMPARES, day_of_sql, joined_sql, number_sql, tests_sql
from lakehouse.segments.who_words import is_of_window

if TYPE_CHECKING:
    from lakehouse.segments.known import Known


def count_sql(who: Who, known: Known, where: str) -> str:
    """Return the SQL of a count's tests.

    Who has no row counts 0, and is in no group: where 0 will do, those are left out who fail.
    """
    how_many = [test for test in who.tests if not is_of_window(test)]
    number = "0" if _is_unfilled(who, known) else _count_of(who, known, where)
    condition = " AND ".join(_compared(test, number, where) for test in how_many)
    if _is_unfilled(who, known):
        return f"({condition})"
    group = f"{_counting(who, known, where)} GROUP BY t.customer_id"
    if all(_holds_of_nothing(test) for test in how_many):
        return f"(NOT (customer_id IN (SELECT t.customer_id {group} HAVING NOT ({condition}))))"
    return f"(customer_id IN (SELECT t.customer_id {group} HAVING {condition}))"


def counted_sql(who: Who, known: Known, where: str) -> str:
    """Return the SQL of the number itself, for one customer's row that goes by `customers`."""
    if _is_unfilled(who, known):
        return "0"
    counted = _count_of(who, known, where)
    return f"(SELECT {counted} {_counting(who, known, where)} AND t.customer_id = customers.customer_id)"


def _is_unfilled(who: Who, known: Known) -> bool:
    """Return whether nothing has filled yet what a word counts: then everybody's count is 0."""
    word = WORDS.get((who.count or "").lower())
    return word is not None and word.table not in known.tables


def _counting(who: Who, known: Known, where: str) -> str:
    """Return FROM and WHERE of the rows that count."""
    countable = _countable(who, known, where)
    conditions = ["t.customer_id IS NOT NULL", _today_in(countable.only, known)]
    windows = tuple(test for test in who.tests if is_of_window(test))
    if windows:
        if not countable.by:
            raise WhoError(f"say by which column of {countable.table} the days go: `by`", where)
        column = row_column(countable.table, countable.by, known, f"{where}.by")
        conditions.append(tests_sql(windows, column, known, where))
    else:
        conditions.append(_not_to_come(countable, known, where))
    if who.that is not None:
        conditions.append(joined_sql(
            who.that, f"{where}.that", lambda each, path: _row_test(each, countable.table, known, path)
        ))  # fmt: skip
    return f"FROM {rows_sql(countable.table)} WHERE {' AND '.join(conditions)}"


def _not_to_come(countable: Countable, known: Known, where: str) -> str:
    """Return the condition that a row is not of a day to come; one without a day counts."""
    if not countable.by or known.as_of is None:
        return "true"
    column = row_column(countable.table, countable.by, known, f"{where}.by")
    day = day_of_sql(column, "by", known)
    return f"coalesce({day} <= DATE {literal(known.as_of.isoformat())}, true)"


def _row_test(who: Who, table: str, known: Known, where: str) -> str:
    if who.form == "count":
        raise WhoError("a count is no row's: `that` tests columns of what is counted", where)
    return tests_sql(who.tests, row_column(table, who.field or "", known, f"{where}.field"), known, where)


def _countable(who: Who, known: Known, where: str) -> Countable:
    name = who.count or ""
    found = WORDS.get(name.lower())
    if found is None and "." not in name:
        hint = nearest(name, list(WORDS)).removesuffix("?")
        raise WhoError(
            f"nobody counts {name}{hint}, or is it a table, such as core.tickets?", f"{where}.count"
        )
    try:
        table = known.table(found.table if found else name)
    except ValueError as error:
        raise WhoError(str(error), f"{where}.count") from None
    columns = known.tables[table]
    if "customer_id" not in columns:
        raise WhoError(f"{table} has no customer_id: its rows are no customer's", f"{where}.count")
    if found is None:
        current = "t.valid_to IS NULL" if "valid_to" in columns else "true"  # of versions the one that holds
        found = Countable(table, "", current)
    return Countable(table, who.by or found.by, found.only, found.one)


def _count_of(who: Who, known: Known, where: str) -> str:
    countable = _countable(who, known, where)
    one = countable.one
    if who.distinct:
        one = row_column(countable.table, who.distinct, known, f"{where}.distinct").sql
    return f"count(DISTINCT {one})" if one else "count(*)"


def _compared(test: FieldTest, number: str, where: str) -> str:
    operator, value = test
    try:
        if operator == "between":
            ends = [number_sql(each, operator) for each in value]
            return f"({number} BETWEEN {ends[0]} AND {ends[1]})"
        sign = {"is": "=", "is_not": "<>", **COMPARES}[operator]
        return f"({number} {sign} {number_sql(value, operator)})"
    except ValueError as error:
        raise WhoError(str(error), f"{where}.{operator}") from None


def _holds_of_nothing(test: FieldTest) -> bool:
    operator, value = test
    if operator == "between":
        return bool(value[0] <= 0 <= value[1])
    holds: Mapping[str, bool] = {
        "is": value == 0, "is_not": value != 0, "more_than": value < 0, "at_least": value <= 0,
        "less_than": value > 0, "at_most": value >= 0,
    }  # fmt: skip
    return holds[operator]


def _today_in(sql: str, known: Known) -> str:
    today = f"DATE {literal(known.as_of.isoformat())}" if known.as_of else "CAST(NULL AS DATE)"
    return sql.replace("$today", today)
