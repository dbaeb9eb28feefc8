"""SQL of what a cell of a Parquet file says: as text, which is typed like any other, and as JSON.

Numbers that are none are null in JSON, however deep they stand. Texts that a writer has not named as such (Impala, old
Hive and Spark) are texts all the same where they are UTF-8. A timestamp of 96 bits has no word for its zone: Spark and
Hive write moments in UTC, other programs what a clock shows; who wrote a file stands in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal

if TYPE_CHECKING:
    import duckdb

_BINARY_FRACTIONS = ("FLOAT", "DOUBLE")
_FLOAT_WHOLE_END: Final = 1 << 24  # the first whole number that a FLOAT does not tell from the next one
_TO_JSON_MARKS = (
    "(["  # in DuckDB's names of types whose values become text as JSON: STRUCT(…), MAP(…), VARCHAR[]
)
_STRING = r'"(?:[^"\\]|\\.)*"'
_NO_NUMBER = "-?(?:NaN|Infinity)"
_WRITES_MOMENTS = "parquet-mr"  # the library that Spark and Hive write by


def clocks_of_utc(con: duckdb.DuckDBPyConnection, path: Path) -> frozenset[str]:
    """Return the names of the columns of a file whose timestamps of 96 bits are moments, as clocks of UTC show them."""
    named = literal(str(path))
    by = con.execute(f"SELECT created_by FROM parquet_file_metadata({named})").fetchone()
    if by is None or not str(by[0]).startswith(_WRITES_MOMENTS):
        return frozenset()
    names = con.execute(f"SELECT name FROM parquet_schema({named}) WHERE type = 'INT96'").fetchall()
    return frozenset(name for (name,) in names)


def text_sql(cell: str, duck_type: str, *, is_utc: bool = False) -> str:
    """Return the SQL of a cell's text; `is_utc`: it is a timestamp without a zone that is UTC's."""
    if _is_nested(duck_type):
        return _nested_sql(cell, duck_type)
    if duck_type == "BLOB":
        return f"coalesce(TRY(decode({cell})), CAST({cell} AS VARCHAR))"
    text = f"CAST({cell} AS VARCHAR)"
    if duck_type == "FLOAT":  # whole numbers from there on are what it has rounded others to, and no ids
        return f"CASE WHEN abs({cell}) >= {_FLOAT_WHOLE_END} THEN printf('%.8e', {cell}) ELSE {text} END"
    return f"{text} || 'Z'" if is_utc and duck_type.startswith("TIMESTAMP") else text


def json_sql(cell: str, duck_type: str, *, is_utc: bool = False) -> str:
    """Return the SQL of what a JSON object may hold of a cell."""
    if duck_type in _BINARY_FRACTIONS:
        return f"CASE WHEN isfinite({cell}) THEN {cell} END"
    if _is_nested(duck_type):
        return f"CAST({_nested_sql(cell, duck_type)} AS JSON)" if _has_fractions(duck_type) else cell
    if duck_type == "BLOB" or (is_utc and duck_type.startswith("TIMESTAMP")):
        return text_sql(cell, duck_type, is_utc=is_utc)
    return cell


def _is_nested(duck_type: str) -> bool:
    return any(mark in duck_type for mark in _TO_JSON_MARKS)


def _has_fractions(duck_type: str) -> bool:
    return any(name in duck_type for name in _BINARY_FRACTIONS)


def _nested_sql(cell: str, duck_type: str) -> str:
    """Return the SQL of a nested cell's JSON as text, with null for numbers that are none."""
    text = f"CAST(to_json({cell}) AS VARCHAR)"
    if not _has_fractions(duck_type):
        return text
    # each string and each of these words gets a mark behind it; where a string stands before that it goes again
    marked = f"regexp_replace({text}, {literal(f'({_STRING})|{_NO_NUMBER}')}, '\\1' || chr(2), 'g')"
    finite = f"replace(replace({marked}, '\"' || chr(2), '\"'), chr(2), 'null')"
    return f"CASE WHEN contains({text}, 'NaN') OR contains({text}, 'Infinity') THEN {finite} ELSE {text} END"
