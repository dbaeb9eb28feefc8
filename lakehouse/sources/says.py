"""Whether a row says something of a column, or says nothing because its file lacks the column.

In a raw table an empty cell and a missing column are both null. A cell that a source empties clears what stood there;
an export of fewer columns clears nothing. Which columns a file lacks is noted when it is loaded: of tables, by their
header. Of JSON nobody can tell a key that is missing from one that is null, so there null says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal
from lakehouse.sources.person_fields import person_of

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

AbsentColumns = Mapping[str, Collection[str]]  # by column of a raw table, the ids of the files that lack it

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXT = re.compile(r"'(?:[^']|'')*'")


def columns_asked_of(source: Source) -> frozenset[str]:
    """Return the columns of which it is noted whether a file lacks them.

    Those that identifiers are made of, and what is said of a person.
    """
    asked = [*(each.value for each in source.identifiers), *person_of(source).values()]
    return frozenset(name for value in asked for name in columns_of(source, value))


def says_sql(source: Source, sql: str, absent: AbsentColumns) -> str:
    """Return the condition that a raw row says something of `sql`, an expression over the source's columns.

    A value says something. Null does where the row's file has all columns that the expression is made of: the source
    has emptied them. A file of several tables lacks what one of them lacks.
    """
    has_value = f"({sql}) IS NOT NULL"
    if source.format == "ndjson":
        return has_value
    silent = {file_id for name in columns_of(source, sql) for file_id in absent.get(name, ())}
    if not silent:
        return "true"
    files = ", ".join(map(literal, sorted(silent)))
    return f"({has_value} OR _file_id NOT IN ({files}))"


def columns_of(source: Source, sql: str) -> set[str]:
    """Return the columns of a source that an expression may use."""
    names = {column.name for column in source.columns}
    return names.intersection(_WORD.findall(_TEXT.sub(" ", sql)))


def describes_record(source: Source) -> bool:
    """Return whether each row of a source describes a whole record: the record is named by the key, all of it.

    Then an empty cell says that there is none any more. A row of an order or an event says only what is in it.
    """
    return bool(source.key) and columns_of(source, source.record or "") == set(source.key)
