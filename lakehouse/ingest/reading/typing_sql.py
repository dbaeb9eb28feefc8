"""SQL that types a text: the one rule for what a value of each type may look like, at ingest and at refill."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.value_formats import ALONE, VALUE_FORMATS


@dataclass(frozen=True)
class _Range:
    """Values of a type that a table may hold, as SQL; those before `usual` only where the text begins with a 0."""

    first: str
    usual: str
    last: str


# What a wrong value is called, in the code `bad_<kind>`; types that are not here are numbers.
_ERROR_KINDS = {"timestamptz": "timestamp", "date": "date", "boolean": "boolean"}
# What a Python process, Iceberg's bounds and other engines can hold; DuckDB knows of infinity and of 290,000 AD. The
# year 1000 stands between: to DuckDB 5-1-26 is a day of the year 5, to whoever wrote it one of this century.
_RANGES = {
    "timestamptz": _Range(
        "TIMESTAMPTZ '0001-01-01'", "TIMESTAMPTZ '1000-01-01'", "TIMESTAMPTZ '9999-12-31 23:59:59.999999'"
    ),
    "date": _Range("DATE '0001-01-01'", "DATE '1000-01-01'", "DATE '9999-12-31'"),
}
_WHOLE_NUMBERS = ("int", "long")
_SPACES = (" ", "\u00a0", "\u3000")  # the common one, no-break, and that of Chinese text


def error_kind(column: SourceColumn) -> str | None:
    """Return what a wrong value of a column is called in `bad_<kind>`; None where any text is right."""
    if column.type == "string":
        return column.formats[0] if column.formats else None
    return _ERROR_KINDS.get(column.type, "number")


def trimmed_sql(text_sql: str) -> str:
    """Return the SQL of a text without the spaces around it: those that `trim` knows, where there may be one.

    Asking first takes half the time of a `trim` for every cell. `text_sql` should be a column's name.
    """
    has_space = " OR ".join(f"{text_sql} LIKE '{space}%' OR {text_sql} LIKE '%{space}'" for space in _SPACES)
    return f"CASE WHEN {has_space} THEN trim({text_sql}) ELSE {text_sql} END"


def typed_sql(column: SourceColumn, text_sql: str, duck_type: str) -> str:
    """Return the SQL of a column's value from the SQL of its text; null where the text is none of its type.

    `text_sql` is used more than once: it should be a column's name. An empty text is the reader's to make null.
    """
    return valid_sql(column, cast_sql(column, text_sql, duck_type), text_sql)


def cast_sql(column: SourceColumn, text_sql: str, duck_type: str) -> str:
    """Return the SQL of a text as DuckDB and the column's formats read it; null where they cannot.

    `valid_sql` has yet to check it. An amount is read by its formats alone: without them 1.299 is a number, too. So is
    a text, which any value would be without them.
    """
    formats = [VALUE_FORMATS[name] for name in column.formats]
    texts = [value_format.sql(text_sql) for value_format in formats]
    read_by_formats_alone = bool(formats) and not set(ALONE).isdisjoint(formats[0].types)
    if not read_by_formats_alone:
        texts.append(text_sql)
    casts = [f"TRY_CAST({text} AS {duck_type})" for text in texts]
    return casts[0] if len(casts) == 1 else f"coalesce({', '.join(casts)})"


def valid_sql(column: SourceColumn, value_sql: str, text_sql: str) -> str:
    """Return the SQL of the value that `cast_sql` read, or null where no column may hold it.

    Both are used more than once, and DuckDB computes them as often: name them in a query below, where rows are many.
    """
    if column.type in _RANGES:
        allowed = _RANGES[column.type]
        return (
            f"CASE WHEN {value_sql} BETWEEN {allowed.usual} AND {allowed.last} "
            f"OR ({value_sql} BETWEEN {allowed.first} AND {allowed.usual} AND {text_sql} LIKE '0___-%') "
            f"THEN {value_sql} END"
        )
    if column.type in _WHOLE_NUMBERS:  # a cast would round
        number = f"TRY_CAST({text_sql} AS DOUBLE)"
        return f"CASE WHEN {number} = floor({number}) THEN {value_sql} END"
    return value_sql
