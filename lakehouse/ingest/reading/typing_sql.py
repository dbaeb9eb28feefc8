"""SQL that types a text: the one rule for what a value of each type may look like, at ingest and at refill."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.engine import moments
from lakehouse.engine.escape import literal
from lakehouse.engine.exact_numbers import (
    decimal_cast_sql,
    exact_amount_sql,
    exact_decimal_sql,
    exact_float_sql,
    exact_integer_sql,
)
from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.value_formats import ALONE, DAY_OF_TIME, POINTS, VALUE_FORMATS, half_width_sql
from lakehouse.tables.contract import decimal_digits


@dataclass(frozen=True)
class _Range:
    """Values of a type that a table may hold, as SQL; those before `usual` only where the text begins with a 0."""

    first: str
    usual: str
    last: str


# What a wrong value is called, in the code `bad_<kind>`; types that are not here are numbers.
_ERROR_KINDS = {"timestamptz": "timestamp", "date": "date", "boolean": "boolean"}
_ERROR_KINDS_OF_TEXT = {
    "phone": "phone",
    "id": "id",
    "salesforce_id": "id",
    "consent": "consent",
}  # by format
# What a Python process, Iceberg's bounds and other engines can hold; DuckDB knows of infinity and of 290,000 AD. The
# year 1000 stands between: to DuckDB 5-1-26 is a day of the year 5, to whoever wrote it one of this century.
_RANGES = {
    "timestamptz": _Range(
        "TIMESTAMPTZ '0001-01-01 00:00:00+00'",
        "TIMESTAMPTZ '1000-01-01 00:00:00+00'",
        "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'",
    ),
    "date": _Range("DATE '0001-01-01'", "DATE '1000-01-01'", "DATE '9999-12-31'"),
}
_DAY_OF_ZEROS = r" *0000[-/.]?00[-/.]?00(?:[T ]*00:?00(?::?00(?:[.]0*)?)?)?(?:Z|[+-]00:?00)? *"
DAY_TYPES = frozenset(_RANGES)  # types whose values are days, or moments on them
_WHOLE_NUMBERS = ("int", "long")
_BINARY_FRACTIONS = ("float", "double")
_SPACES = (" ", "\u00a0", "\u3000")  # the common one, no-break, and that of Chinese text


def error_kind(column: SourceColumn) -> str | None:
    """Return what a wrong value of a column is called in `bad_<kind>`; None where any text is right."""
    if column.type == "string":
        return _ERROR_KINDS_OF_TEXT.get(column.formats[0]) if column.formats else None
    return _ERROR_KINDS.get(column.type, "number")


def trimmed_sql(text_sql: str) -> str:
    """Return the SQL of a text without the spaces around it: those that `trim` knows, where there may be one.

    Asking first takes half the time of a `trim` for every cell. `text_sql` should be a column's name.
    """
    has_space = " OR ".join(f"{text_sql} LIKE '{space}%' OR {text_sql} LIKE '%{space}'" for space in _SPACES)
    return f"CASE WHEN {has_space} THEN trim({text_sql}) ELSE {text_sql} END"


def known_text_sql(column: SourceColumn, text_sql: str) -> str:
    """Return the SQL of a column's text, null where it is the day of zeros, which MySQL writes for none.

    An empty cell says nothing either: a row must not be set aside for it, least of all one that refuses something.
    """
    if column.type not in DAY_TYPES:
        return text_sql
    is_none = f"{text_sql} LIKE '%0000%' AND regexp_full_match({text_sql}, {literal(_DAY_OF_ZEROS)})"
    return f"CASE WHEN {is_none} THEN NULL ELSE {text_sql} END"


def typed_sql(column: SourceColumn, text_sql: str, zone: str) -> str:
    """Return the SQL of a column's value from the SQL of its text; null where the text is none of its type.

    `text_sql` is used more than once: it should be a column's name. An empty text is the reader's to make null. `zone`
    is that of times without one. No session's setting and no other row has a say in it.
    """
    return valid_sql(column, cast_sql(column, text_sql, zone), text_sql)


def cast_sql(column: SourceColumn, text_sql: str, zone: str) -> str:
    """Return the SQL of a text as DuckDB and the column's formats read it; null where they cannot.

    `valid_sql` has yet to check it. An amount is read by its formats alone: without them 1.299 is a number, too. So is
    a text, which any value would be without them.
    """
    formats = [VALUE_FORMATS[name] for name in column.formats]
    is_timed = column.type == "timestamptz" or DAY_OF_TIME in column.formats
    texts = [value_format.sql(text_sql, is_timed) for value_format in formats if value_format.sql is not None]
    casts = _formatted_casts(column, texts, zone)
    casts += [value_format.moment(text_sql) for value_format in formats if value_format.moment is not None]
    read_by_formats_alone = bool(formats) and not set(ALONE).isdisjoint(formats[0].types)
    if not read_by_formats_alone:
        casts.append(_plain_cast_sql(column, text_sql, zone))
    return _first_sql(casts)


def _formatted_casts(column: SourceColumn, texts: list[str], zone: str) -> list[str]:
    """Return the SQL of the values of texts that formats have made; of a moment that is what a clock shows."""
    if column.type == "timestamptz" and texts:
        return [moments.at_clock_sql(_first_sql([moments.clock_sql(text) for text in texts]), zone)]
    return [_number_cast_sql(column, text) for text in texts]


def _first_sql(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _plain_cast_sql(column: SourceColumn, text_sql: str, zone: str) -> str:
    if column.type == "timestamptz":
        return moments.moment_sql(text_sql, zone)
    if column.type == "date":
        return moments.day_sql(text_sql)
    return _number_cast_sql(column, text_sql)


def _number_cast_sql(column: SourceColumn, text_sql: str) -> str:
    if digits := decimal_digits(column.type):
        return decimal_cast_sql(text_sql, *digits)
    return f"TRY_CAST({text_sql} AS {column.duck_type})"


def valid_sql(column: SourceColumn, value_sql: str, text_sql: str) -> str:
    """Return the SQL of the value that `cast_sql` read, or null where no column may hold it, or it says another thing.

    Both are used more than once, and DuckDB computes them as often: name them in a query below, where rows are many.
    """
    if column.type in _RANGES:
        allowed = _RANGES[column.type]
        return (
            f"CASE WHEN {value_sql} BETWEEN {allowed.usual} AND {allowed.last} "
            f"OR ({value_sql} BETWEEN {allowed.first} AND {allowed.usual} AND {text_sql} LIKE '0___-%') "
            f"THEN {value_sql} END"
        )
    if column.type in _WHOLE_NUMBERS:
        return exact_integer_sql(value_sql, text_sql)
    if column.type in _BINARY_FRACTIONS:
        is_amount = bool(column.formats)
        written = half_width_sql(text_sql) if is_amount else text_sql
        return exact_float_sql(value_sql, written, column.duck_type, is_amount=is_amount)
    if digits := decimal_digits(column.type):
        points = [POINTS[name] for name in column.formats]
        if points:
            return exact_amount_sql(value_sql, half_width_sql(text_sql), digits[1], points[0])
        return exact_decimal_sql(value_sql, text_sql, digits[1])
    for name in column.formats:
        value_sql = VALUE_FORMATS[name].of_value(value_sql)
    return value_sql
