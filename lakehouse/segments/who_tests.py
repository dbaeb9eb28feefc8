"""The SQL of tests of one column: true or false, never null. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from lakehouse.engine.escape import literal
from lakehouse.engine.ids import BLANKS
from lakehouse.segments import relative_dates
from lakehouse.segments.who import DATE, NUMBER, TEXT, WINDOW, FieldTest, Who
from lakehouse.segments.who_columns import Column, WhoError

if TYPE_CHECKING:
    from lakehouse.segments.known import Known

# Full-width letters, digits and signs, as they are typed beside Chinese and Japanese.
_WIDE: Final = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW: Final = "".join(map(chr, range(0x21, 0x7F)))
COMPARES: Final = {"more_than": ">", "at_least": ">=", "less_than": "<", "at_most": "<="}
_DAYS: Final = {"before": "<", "after": ">", "on": "=", "on_or_before": "<=", "on_or_after": ">="}
OPPOSITES: Final = {"is_not": "is", "not_in": "in"}


def joined_sql(who: Who, where: str, leaf: Callable[[Who, str], str]) -> str:
    """Return the SQL of a condition; `leaf` gives that of one which is made of no others, by its path in the file."""
    if who.form in {"field", "count"}:
        return leaf(who, where)
    parts = [joined_sql(each, path, leaf) for path, each in parts_below(who, where)]
    if who.form == "not":
        return f"(NOT {parts[0]})"
    return f"({(' AND ' if who.form == 'all' else ' OR ').join(parts)})"


def parts_below(who: Who, where: str) -> list[tuple[str, Who]]:
    """Return the conditions that all, any or not is made of, each with its path."""
    if who.form == "not":
        return [(f"{where}.not", who.below[0])]
    return [(f"{where}.{who.form}.{number}", each) for number, each in enumerate(who.below)]


def tests_sql(tests: tuple[FieldTest, ...], column: Column, known: Known, where: str) -> str:
    """Return the SQL of tests that must all hold; WhoError names the one that a column does not take."""
    parts = []
    for test in tests:
        try:
            parts.append(_one_test_sql(test, column, known))
        except ValueError as error:
            raise WhoError(str(error), f"{where}.{test.operator}") from None
    return f"({' AND '.join(parts)})" if len(parts) > 1 else parts[0]


def _one_test_sql(test: FieldTest, column: Column, known: Known) -> str:
    operator, value = test
    if operator in OPPOSITES:
        return f"(NOT {_one_test_sql(FieldTest(OPPOSITES[operator], value), column, known)})"
    if operator == "known":
        return f"({_missing(column)} IS {'NOT ' if value else ''}NULL)"
    return f"coalesce({_positive_sql(operator, value, column, known)}, false)"


def _positive_sql(operator: str, value: Any, column: Column, known: Known) -> str:
    """Return the SQL of a test that is no opposite; null where the value is missing."""
    if operator in TEXT:
        sql = _text_test(operator, value, column)
    elif operator in WINDOW:
        sql = relative_dates.window_sql(operator, value, day_of_sql(column, operator, known), known.as_of)
    elif operator in DATE:
        day = relative_dates.day_sql(value, known.as_of)
        sql = f"({day_of_sql(column, operator, known)} {_DAYS[operator]} {day})"
    elif operator in NUMBER:
        sql = f"({_number(column, operator)} {COMPARES[operator]} {number_sql(value, operator)})"
    elif operator == "between":
        sql = _between(value, column, known)
    else:
        values = value if operator == "in" else (value,)
        equal = [_equal(each, column, known) for each in values]
        sql = f"({' OR '.join(equal)})" if len(equal) > 1 else equal[0]
    return sql


def _text_test(operator: str, value: Any, column: Column) -> str:
    if column.kind != "text":
        raise WhoError(f"`{operator}` asks a text, and this is {_a(column.kind)}")
    return f"{operator}({folded_sql(column.sql)}, {folded_sql(_text(value))})"


def _between(value: Any, column: Column, known: Known) -> str:
    if column.kind in {"day", "moment"}:
        ends = [relative_dates.day_sql(each, known.as_of) for each in value]
        return f"({day_of_sql(column, 'between', known)} BETWEEN {ends[0]} AND {ends[1]})"
    ends = [number_sql(each, "between") for each in value]
    return f"({_number(column, 'between')} BETWEEN {ends[0]} AND {ends[1]})"


def _equal(value: Any, column: Column, known: Known) -> str:
    match column.kind:
        case "text":
            return f"({folded_sql(column.sql)} = {folded_sql(_text(value))})"
        case "list":
            folded = f"list_transform({column.sql}, lambda each: {folded_sql('each')})"
            return f"list_contains({folded}, {folded_sql(_text(value))})"
        case "number" | "float":
            return f"({_number(column, 'is')} = {number_sql(value, 'is')})"
        case "day" | "moment":
            return f"({day_of_sql(column, 'is', known)} = {relative_dates.day_sql(value, known.as_of)})"
        case "yes or no":
            if not isinstance(value, bool):
                raise WhoError(f"this is yes or no, and {value!r} is neither: say true or false")
            return f"({column.sql} = {str(value).lower()})"
    raise WhoError(f"this is {_a(column.kind)}, which only SQL can ask: use `where` or `select`")


def _missing(column: Column) -> str:
    """Return SQL that is null where a value is missing: null, a blank text, or a number that is none."""
    if column.kind == "text":
        return f"nullif({folded_sql(column.sql)}, '')"
    if column.kind == "float":
        return f"nullif({column.sql}, 'NaN'::DOUBLE)"
    if column.kind == "list":
        return f"nullif(len({column.sql}), 0)"
    return column.sql


def folded_sql(text: str) -> str:
    """Return the SQL of a text as it is compared: without case, full-width signs, and blanks around it."""
    narrow = f"translate({text}, {literal(_WIDE + chr(0x3000))}, {literal(_NARROW + ' ')})"
    return f"lower(trim(nfc_normalize({narrow}), {literal(BLANKS.replace(chr(0), ''))}))"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        raise WhoError(
            f"YAML reads it as {str(value).lower()}, and this is a text: put the word between quotes, as 'no'"
        )
    if isinstance(value, date):
        raise WhoError(f"this is a text, and {value} a day: put it between quotes")
    if not isinstance(value, str):
        raise WhoError(f"this is a text, and {value} a number: put it between quotes, with all its zeros")
    if not value.strip(BLANKS):
        raise WhoError("a blank text: who has no value is `known: false`")
    return literal(value)


def _number(column: Column, operator: str) -> str:
    if column.kind == "text" and column.sql.startswith("json_extract_string("):
        return f"TRY_CAST({column.sql} AS DECIMAL(38, 6))"
    if column.kind not in {"number", "float"}:
        hint = ": say before, after or in_last" if column.kind in {"day", "moment"} else ""
        raise WhoError(f"`{operator}` asks a number, and this is {_a(column.kind)}{hint}")
    return f"nullif({column.sql}, 'NaN'::DOUBLE)" if column.kind == "float" else column.sql


def number_sql(value: Any, operator: str) -> str:
    """Return the SQL of a number; WhoError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise WhoError(f"`{operator}` takes a number here, and {value!r} is none")
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise WhoError(f"`{operator}` takes a number here, and {value!r} is none")
    return f"({Decimal(str(value)):f})"


def day_of_sql(column: Column, operator: str, known: Known) -> str:
    """Return the SQL of a column's day, of a moment that of the business; WhoError for a column of another kind."""
    if column.kind == "day":
        return column.sql
    if column.kind == "moment":
        return f"CAST(timezone({literal(known.zone)}, {column.sql}) AS DATE)"
    raise WhoError(f"`{operator}` asks a day, and this is {_a(column.kind)}")


def _a(kind: str) -> str:
    named = {"text": "a text", "number": "a number", "float": "a number", "day": "a day", "moment": "a time"}
    return named.get(kind, "a list" if kind == "list" else kind)
