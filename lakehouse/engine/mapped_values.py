"""SQL that makes a value of a column's type out of what a mapping gives, without changing what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lakehouse.engine import moments
from lakehouse.engine.escape import literal
from lakehouse.engine.exact_numbers import decimal_cast_sql, exact_decimal_sql, exact_integer_sql

_TEXT = "VARCHAR"
_WORD = re.compile(r"\w+")
_WHOLE_NUMBERS = ("INTEGER", "BIGINT")
_TIMES = ("TIMESTAMPTZ", "DATE")
_SENSITIVE = ("DECIMAL", *_TIMES, *_WHOLE_NUMBERS)  # types that a cast to them may round or cut for


def mapped_value_sql(sql: str, types: Mapping[str, str], target: str, zone: str) -> str:
    """Return the SQL of a value of the type `target`, null where what is given is none, or says more than it can hold.

    `types` are those of the columns that `sql` may use. `zone` is that of times without one. A double is rounded to the
    digits of a decimal: it is the mapping that computed it.
    """
    cast = f"TRY_CAST({sql} AS {target})"
    actual = types.get(sql)
    if target.partition("(")[0] not in _SENSITIVE or actual == target or sql == "NULL":
        return cast
    if actual == _TEXT:
        return _of_text_sql(sql, target, zone)
    if actual is not None:
        return _of_number_sql(sql, target) if actual.startswith("DECIMAL") else cast
    return _of_expression_sql(sql, types, target, zone)


def _of_expression_sql(sql: str, types: Mapping[str, str], target: str, zone: str) -> str:
    """Return the SQL of a value from SQL of which only DuckDB can tell the type.

    `typeof` is the same for all rows; lists name what is given, so that it is computed once.
    """
    cases = []
    if _may_be_text(sql, types):
        text = f"CASE WHEN typeof(given) = 'JSON' THEN to_json(given)->>'$' ELSE CAST(given AS {_TEXT}) END"
        of_text = f"list_transform([{text}], lambda written: {_of_text_sql('written', target, zone)})[1]"
        cases.append(f"WHEN typeof(given) IN ({literal(_TEXT)}, 'JSON') THEN {of_text}")
    if target not in _TIMES:
        cases.append(f"WHEN starts_with(typeof(given), 'DECIMAL') THEN {_of_number_sql('given', target)}")
    if not cases:
        return f"TRY_CAST({sql} AS {target})"
    return f"list_transform([{sql}], lambda given: CASE {' '.join(cases)} ELSE TRY_CAST(given AS {target}) END)[1]"


def _may_be_text(sql: str, types: Mapping[str, str]) -> bool:
    """Return whether SQL may give a text: it takes JSON apart, or uses a column that is one."""
    return (
        "->" in sql or "json" in sql.lower() or any(types.get(word) == _TEXT for word in _WORD.findall(sql))
    )


def _of_number_sql(sql: str, target: str) -> str:
    cast = f"TRY_CAST({sql} AS {target})"
    if target.startswith("DECIMAL") or target in _WHOLE_NUMBERS:
        return f"CASE WHEN {cast} = {sql} THEN {cast} END"
    return cast


def _of_text_sql(sql: str, target: str, zone: str) -> str:
    if target == "TIMESTAMPTZ":
        return moments.moment_sql(sql, zone)
    if target == "DATE":
        return moments.day_sql(sql)
    if target in _WHOLE_NUMBERS:
        return exact_integer_sql(f"TRY_CAST({sql} AS {target})", sql)
    precision, scale = (int(digits) for digits in target[len("DECIMAL(") : -1].split(","))
    return exact_decimal_sql(decimal_cast_sql(sql, precision, scale), sql, scale)
