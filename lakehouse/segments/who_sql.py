"""The SQL of a condition that was said without it, with the words in which people read each part. Pure.

Each test becomes SQL that is true or false, never null. Of a table with several rows of one customer a test holds where
one of them fulfils it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from lakehouse.definitions import nearest
from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.engine.ids import BLANKS
from lakehouse.segments import relative_dates
from lakehouse.segments.condition_parts import Kind, Part
from lakehouse.segments.countable import EVENTS, WORDS, Countable
from lakehouse.segments.who import DATE, NUMBER, TEXT, WINDOW, FieldTest, Who
from lakehouse.tables import contracts

if TYPE_CHECKING:
    from lakehouse.segments.known import Known

# Full-width letters, digits and signs, as they are typed beside Chinese and Japanese.
_WIDE: Final = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW: Final = "".join(map(chr, range(0x21, 0x7F)))
_COMPARES: Final = {"more_than": ">", "at_least": ">=", "less_than": "<", "at_most": "<="}
_DAYS: Final = {"before": "<", "after": ">", "on": "=", "on_or_before": "<=", "on_or_after": ">="}
_OPPOSITES: Final = {"is_not": "is", "not_in": "in"}
_IN_JSON: Final = re.compile(r"properties\.(.+)", re.DOTALL)
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER"})
_FLOATS: Final = frozenset({"FLOAT", "DOUBLE"})
_OWN_ROW: Final = ("customer_360", "rfm", "marts.customer_360", "marts.rfm")


class WhoError(ValueError):
    """What is wrong with a condition; `where` says in which, as `who.all.0`, for the line to be found."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


@dataclass(frozen=True)
class _Column:
    """A column as SQL, what kind its values are of, and how it is shown to people."""

    sql: str
    kind: str  # text, number, day, moment, yes or no, or DuckDB's name of another
    shown_sql: str


def outline(who: Who, known: Known) -> list[Part]:
    """Return the parts of a condition from the outermost to the tests; WhoError names what is wrong, and the nearest."""
    return list(_outline(who, known, 0, "who"))


def required(who: Who, known: Known) -> list[Part]:
    """Return the parts that all must hold, as `condition_parts.required` does."""
    if who.form != "all":
        return [_whole(who, known, "who")]
    return [
        part
        for number, each in enumerate(who.all or ())
        for part in (
            required(each, known) if each.form == "all" else [_whole(each, known, f"who.all.{number}")]
        )
    ]


def condition_sql(who: Who, known: Known, where: str = "who") -> str:
    """Return the SQL of a condition over a customer's row; raises as `outline` does."""
    return _condition(who, where, lambda each, path: _test_sql(each, known, path))


def words(who: Who) -> str:
    """Return a condition as people read it, in one line."""
    match who.form:
        case "all" | "any":
            joined = f" {'and' if who.form == 'all' else 'or'} ".join(map(words, who.below))
            return f"({joined})" if len(who.below) > 1 else joined
        case "not":
            return f"not {words(who.below[0])}"
        case "count":
            return _count_words(who)
    return " and ".join(f"{who.field} {_test_words(test)}" for test in who.tests)


def _outline(who: Who, known: Known, depth: int, where: str) -> Iterator[Part]:
    if who.form in {"field", "count"}:
        yield _leaf(who, known, depth, where)
        return
    kind: Kind = "all" if who.form == "all" else "any" if who.form == "any" else "not"
    yield Part(depth, kind, words(who), (), condition_sql(who, known, where))
    for path, below in _below(who, where):
        yield from _outline(below, known, depth + 1, path)


def _whole(who: Who, known: Known, where: str) -> Part:
    if who.form in {"field", "count"}:
        return _leaf(who, known, 0, where)
    return Part(0, "condition", words(who), (), condition_sql(who, known, where))


def _leaf(who: Who, known: Known, depth: int, where: str) -> Part:
    sql = _test_sql(who, known, where)
    if who.form == "count":
        asked = (_counted_words(who), _counted_sql(who, known, where))
        return Part(depth, "condition", words(who), (), sql, (asked,))
    name = who.field or ""
    table, column = _column(name, known, where)
    if table is None:
        return Part(depth, "condition", words(who), (name.lower().rpartition(".")[2],), sql)
    values = f"(SELECT list(DISTINCT {column.shown_sql}) FROM {_rows(table)} WHERE t.customer_id = customers.customer_id)"
    return Part(depth, "condition", words(who), (), sql, ((name, values),))


def _below(who: Who, where: str) -> list[tuple[str, Who]]:
    if who.form == "not":
        return [(f"{where}.not", who.below[0])]
    return [(f"{where}.{who.form}.{number}", each) for number, each in enumerate(who.below)]


def _condition(who: Who, where: str, leaf: Callable[[Who, str], str]) -> str:
    if who.form in {"field", "count"}:
        return leaf(who, where)
    parts = [_condition(each, path, leaf) for path, each in _below(who, where)]
    if who.form == "not":
        return f"(NOT {parts[0]})"
    return f"({(' AND ' if who.form == 'all' else ' OR ').join(parts)})"


def _test_sql(who: Who, known: Known, where: str) -> str:
    """Return the SQL of one condition that is made of no others, over a customer's row."""
    if who.form == "count":
        return _count_sql(who, known, where)
    table, column = _column(who.field or "", known, where)
    if table is None:
        return _tests_sql(who.tests, column, known, where)
    # of one row all that is said to hold must hold; what must not hold is said of no row at all
    held = tuple(test for test in who.tests if test.operator not in _OPPOSITES and not _asks_missing(test))
    parts = [_some_row(table, _tests_sql(held, column, known, where))] if held else []
    for test in who.tests:
        if test not in held:
            opposite = FieldTest(
                _OPPOSITES.get(test.operator, "known"), test.value if not _asks_missing(test) else True
            )
            parts.append(f"NOT {_some_row(table, _tests_sql((opposite,), column, known, where))}")
    return f"({' AND '.join(parts)})"


def _asks_missing(test: FieldTest) -> bool:
    return test.operator == "known" and test.value is False


def _some_row(table: str, condition: str) -> str:
    rows = f"SELECT t.customer_id FROM {_rows(table)} WHERE t.customer_id IS NOT NULL AND {condition}"
    return f"(customer_id IN ({rows}))"


def _rows(table: str) -> str:
    return f"{qualified(table)} AS t"


def _column(name: str, known: Known, where: str) -> tuple[str | None, _Column]:
    """Return the table of a field, None for the customer's own row, and its column."""
    table, _, column = name.lower().rpartition(".")
    try:
        if not table or table in _OWN_ROW:
            return None, _own_column(column, known)
        full = known.table(table)
        if full in _OWN_ROW:
            return None, _own_column(column, known)
        if "customer_id" not in known.tables[full]:
            raise ValueError(f"{full} has no customer_id: its rows are no customer's")
        return full, _column_of(full, column, known)
    except ValueError as error:
        raise WhoError(str(error), f"{where}.field") from None


def _own_column(name: str, known: Known) -> _Column:
    by_name = {each.lower(): (each, kind) for each, kind in known.columns.items()}
    if name not in by_name:
        raise ValueError(f"there is no field {name}{nearest(name, sorted(by_name))}")
    column, kind = by_name[name]
    return _Column(identifier(column), _kind(kind), identifier(column))


def _column_of(table: str, name: str, known: Known) -> _Column:
    """Return a column of a table's row, which goes by `t`; of events also a property, as `properties.plan`."""
    if table == EVENTS and (found := _IN_JSON.fullmatch(name)):
        return _Column(f"json_extract_string(t.properties, {literal(_json_path(found[1]))})", "text", "'…'")
    columns = {each.lower(): (each, kind) for each, kind in known.tables[table].items()}
    if name.lower() not in columns:
        raise ValueError(f"{table} has no column {name}{nearest(name.lower(), sorted(columns))}")
    column, kind = columns[name.lower()]
    sql = f"t.{identifier(column)}"
    contract = contracts.BY_NAME.get(table)
    personal = contract is not None and any(each.pii for each in contract.columns if each.name == column)
    return _Column(sql, _kind(kind), f"CASE WHEN {sql} IS NOT NULL THEN '…' END" if personal else sql)


def _json_path(name: str) -> str:
    return "$." + ".".join('"' + part.replace('"', '\\"') + '"' for part in name.split("."))


def _kind(duck_type: str) -> str:
    name = duck_type.partition("(")[0]
    if name in _INTEGERS or name == "DECIMAL":
        return "number"
    if name in _FLOATS:
        return "float"
    named = {"VARCHAR": "text", "DATE": "day", "BOOLEAN": "yes or no", "VARCHAR[]": "list"}
    return named.get(duck_type, "moment" if name.startswith("TIMESTAMP") else duck_type)


def _tests_sql(tests: tuple[FieldTest, ...], column: _Column, known: Known, where: str) -> str:
    parts = []
    for test in tests:
        try:
            parts.append(_one_test_sql(test, column, known))
        except ValueError as error:
            raise WhoError(str(error), f"{where}.{test.operator}") from None
    return f"({' AND '.join(parts)})" if len(parts) > 1 else parts[0]


def _one_test_sql(test: FieldTest, column: _Column, known: Known) -> str:
    operator, value = test
    if operator in _OPPOSITES:
        return f"(NOT {_one_test_sql(FieldTest(_OPPOSITES[operator], value), column, known)})"
    if operator == "known":
        return f"({_missing(column)} IS NOT NULL)" if value else f"({_missing(column)} IS NULL)"
    if operator in TEXT:
        if column.kind != "text":
            raise ValueError(f"`{operator}` asks a text, and this is {_a(column.kind)}")
        function = {"contains": "contains", "starts_with": "starts_with", "ends_with": "ends_with"}[operator]
        return _sure(f"{function}({folded_sql(column.sql)}, {folded_sql(_text(value))})")
    if operator in WINDOW:
        return _sure(relative_dates.window_sql(operator, value, _day(column, operator, known), known.as_of))
    if operator in DATE:
        day = relative_dates.day_sql(value, known.as_of)
        return _sure(f"({_day(column, operator, known)} {_DAYS[operator]} {day})")
    if operator in NUMBER:
        return _sure(f"({_number(column, operator)} {_COMPARES[operator]} {_number_sql(value, operator)})")
    if operator == "between":
        return _between(value, column, known)
    values = value if operator == "in" else (value,)
    equal = [_equal(each, column, known) for each in values]
    return _sure(f"({' OR '.join(equal)})" if len(equal) > 1 else equal[0])


def _between(value: Any, column: _Column, known: Known) -> str:
    if column.kind in {"day", "moment"}:
        ends = [relative_dates.day_sql(each, known.as_of) for each in value]
        return _sure(f"({_day(column, 'between', known)} BETWEEN {ends[0]} AND {ends[1]})")
    ends = [_number_sql(each, "between") for each in value]
    return _sure(f"({_number(column, 'between')} BETWEEN {ends[0]} AND {ends[1]})")


def _equal(value: Any, column: _Column, known: Known) -> str:
    match column.kind:
        case "text":
            return f"({folded_sql(column.sql)} = {folded_sql(_text(value))})"
        case "list":
            return f"list_contains(list_transform({column.sql}, lambda each: {folded_sql('each')}), {folded_sql(_text(value))})"
        case "number" | "float":
            return f"({_number(column, 'is')} = {_number_sql(value, 'is')})"
        case "day" | "moment":
            return f"({_day(column, 'is', known)} = {relative_dates.day_sql(value, known.as_of)})"
        case "yes or no":
            if not isinstance(value, bool):
                raise ValueError(f"this is yes or no, and {value!r} is neither: say true or false")
            return f"({column.sql} = {str(value).lower()})"
    raise ValueError(f"this is {_a(column.kind)}, which only SQL can ask: use `where` or `select`")


def _sure(condition: str) -> str:
    """Return a condition that is false where it was unknown."""
    return f"coalesce({condition}, false)"


def _missing(column: _Column) -> str:
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
        raise ValueError(
            f"YAML reads it as {str(value).lower()}, and this is a text: put the word between quotes, as 'no'"
        )
    if isinstance(value, date):
        raise ValueError(f"this is a text, and {value} a day: put it between quotes")
    if not isinstance(value, str):
        raise ValueError(f"this is a text, and {value} a number: put it between quotes, with all its zeros")
    if not value.strip(BLANKS):
        raise ValueError("a blank text: who has no value is `known: false`")
    return literal(value)


def _number(column: _Column, operator: str) -> str:
    if column.kind == "text" and column.sql.startswith("json_extract_string("):
        return f"TRY_CAST({column.sql} AS DECIMAL(38, 6))"
    if column.kind not in {"number", "float"}:
        hint = ": say before, after or in_last" if column.kind in {"day", "moment"} else ""
        raise ValueError(f"`{operator}` asks a number, and this is {_a(column.kind)}{hint}")
    return f"nullif({column.sql}, 'NaN'::DOUBLE)" if column.kind == "float" else column.sql


def _number_sql(value: Any, operator: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"`{operator}` takes a number here, and {value!r} is none")
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise ValueError(f"`{operator}` takes a number here, and {value!r} is none")
    return f"({Decimal(str(value)):f})"


def _day(column: _Column, operator: str, known: Known) -> str:
    if column.kind == "day":
        return column.sql
    if column.kind == "moment":
        return f"CAST(timezone({literal(known.zone)}, {column.sql}) AS DATE)"
    raise ValueError(f"`{operator}` asks a day, and this is {_a(column.kind)}")


def _a(kind: str) -> str:
    named = {"text": "a text", "number": "a number", "float": "a number", "day": "a day", "moment": "a time"}
    return named.get(kind, "a list" if kind == "list" else kind)


def _count_sql(who: Who, known: Known, where: str) -> str:
    """Return the SQL of a count's tests. Who has no row counts 0, and is in no group: then those who fail are left out."""
    how_many = [test for test in who.tests if not _is_of_window(test)]
    number = _count_of(who, known, where)
    condition = " AND ".join(_compared(test, number, where) for test in how_many)
    group = f"{_counting(who, known, where)} GROUP BY t.customer_id"
    if all(_holds_of_nothing(test) for test in how_many):
        return f"(NOT (customer_id IN (SELECT t.customer_id {group} HAVING NOT ({condition}))))"
    return f"(customer_id IN (SELECT t.customer_id {group} HAVING {condition}))"


def _counted_sql(who: Who, known: Known, where: str) -> str:
    """Return the SQL of the number itself, for one customer's row that goes by `customers`."""
    counted = _count_of(who, known, where)
    return f"(SELECT {counted} {_counting(who, known, where)} AND t.customer_id = customers.customer_id)"


def _counting(who: Who, known: Known, where: str) -> str:
    """Return FROM and WHERE of the rows that count."""
    countable = _countable(who, known, where)
    conditions = ["t.customer_id IS NOT NULL", _today_in(countable.only, known)]
    windows = tuple(test for test in who.tests if _is_of_window(test))
    if windows:
        if not countable.by:
            raise WhoError(f"say by which column of {countable.table} the days go: `by`", where)
        column = _row_column(countable.table, countable.by, known, f"{where}.by")
        conditions.append(_tests_sql(windows, column, known, where))
    else:
        conditions.append(_not_to_come(countable, known, where))
    if who.that is not None:
        conditions.append(_condition(
            who.that, f"{where}.that", lambda each, path: _row_test(each, countable.table, known, path)
        ))  # fmt: skip
    return f"FROM {_rows(countable.table)} WHERE {' AND '.join(conditions)}"


def _not_to_come(countable: Countable, known: Known, where: str) -> str:
    """Return the condition that a row is not of a day to come; one without a day counts."""
    if not countable.by or known.as_of is None:
        return "true"
    column = _row_column(countable.table, countable.by, known, f"{where}.by")
    day = _day(column, "by", known)
    return f"coalesce({day} <= DATE {literal(known.as_of.isoformat())}, true)"


def _row_test(who: Who, table: str, known: Known, where: str) -> str:
    if who.form == "count":
        raise WhoError("a count is no row's: `that` tests columns of what is counted", where)
    return _tests_sql(who.tests, _row_column(table, who.field or "", known, f"{where}.field"), known, where)


def _row_column(table: str, name: str, known: Known, where: str) -> _Column:
    try:
        return _column_of(table, name, known)
    except ValueError as error:
        raise WhoError(str(error), where) from None


def _countable(who: Who, known: Known, where: str) -> Countable:
    name = who.count or ""
    found = WORDS.get(name.lower())
    try:
        if found is None and "." not in name:
            raise ValueError(
                f"nobody counts {name}{nearest(name, list(WORDS))}, or name a table, as core.tickets"
            )
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
        one = _row_column(countable.table, who.distinct, known, f"{where}.distinct").sql
    return f"count(DISTINCT {one})" if one else "count(*)"


def _is_of_window(test: FieldTest) -> bool:
    return test.operator in {*WINDOW, *DATE}


def _compared(test: FieldTest, number: str, where: str) -> str:
    operator, value = test
    try:
        if operator == "between":
            ends = [_number_sql(each, operator) for each in value]
            return f"({number} BETWEEN {ends[0]} AND {ends[1]})"
        sign = {"is": "=", "is_not": "<>", **_COMPARES}[operator]
        return f"({number} {sign} {_number_sql(value, operator)})"
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


def _test_words(test: FieldTest) -> str:
    operator, value = test
    if operator == "known":
        return "is known" if value else "is not known"
    values = value if isinstance(value, list | tuple) else (value,)
    joined = (" and " if operator == "between" else ", ").join(map(str, values))
    return f"{operator.replace('_', ' ')} {joined}"


def _counted_words(who: Who) -> str:
    windows = "".join(f" {_test_words(test)}" for test in who.tests if _is_of_window(test))
    that = f" that {words(who.that)}" if who.that is not None else ""
    of_column = f" by {who.distinct}" if who.distinct else ""
    return f"{who.count}{of_column}{that}{windows}"


def _count_words(who: Who) -> str:
    how_many = " and ".join(_test_words(test) for test in who.tests if not _is_of_window(test))
    return f"{_counted_words(who)}: {how_many}"
