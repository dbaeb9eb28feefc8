"""Does the SQL of a definition run? Each piece is planned over an empty table of the types that the definition says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from lakehouse.definitions import nearest
from lakehouse.engine import duck, normal_forms, sql_functions
from lakehouse.engine.escape import identifier, qualified
from lakehouse.sources.definition import SYSTEM_COLUMNS
from lakehouse.sources.evidence_views import observations_sql
from lakehouse.sources.mappable_entities import CHANGES, EACH, ENTITIES, TOGETHER, WHERE
from lakehouse.sources.mapping_views import entity_sql
from lakehouse.sources.review import Finding, Remark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source

_UNKNOWN = re.compile(r'Referenced column "(?P<name>[^"]+)" not found')
_CONSTANT = re.compile(r"'(?:[^']|'')*'|NULL", re.IGNORECASE)
_NULL = re.compile(r"\bNULL\b", re.IGNORECASE)
_ANYTHING = {"BOOLEAN", "JSON"}  # types that are not held against one of time
_LATER = ("_file_id", "_row", "_loaded_at")  # a check is asked before a row has them


@dataclass(frozen=True)
class _Value:
    """A piece of SQL that becomes a value of a type, with the rows it is computed over."""

    field: str
    sql: str
    type: str
    rows: str

    @property
    def query(self) -> str:
        return f"SELECT CAST({self.sql} AS {self.type}) FROM {self.rows}"


@contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that `bind` can be called with for any number of definitions."""
    with duck.connect(settings, iceberg=False, threads=1) as con:
        yield con


def bind(con: duckdb.DuckDBPyConnection, source: Source, where: str) -> list[Finding]:
    """Return what of a definition's SQL cannot run, and what loses values of another type."""
    _create_table(con, source)
    remarks = [*_failing(con, source, _queries(source)), *_lossy_casts(con, source)]
    if not any(level == "error" for level, _, _ in remarks):
        remarks += _failing(con, source, _views(source))
    return [Finding(level, where, field, message) for level, field, message in remarks]


def _create_table(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Make the source's table, the only one that there is: what a definition checked before left is gone."""
    cells = [f"{identifier(column.name)} {column.duck_type}" for column in source.contract.columns]
    con.execute("DROP SCHEMA IF EXISTS raw CASCADE")
    con.execute("CREATE SCHEMA raw")
    con.execute(f"CREATE TABLE {qualified(source.table)} ({', '.join(cells)})")


def _queries(source: Source) -> Iterator[tuple[str, str]]:
    """Yield each piece of SQL, in a query, with its field."""
    table = qualified(source.table)
    unloaded = f"(SELECT * EXCLUDE ({', '.join(_LATER)}) FROM {table})"
    for check in source.checks:
        yield f"checks.{check.code}.when", f"SELECT 1 FROM {unloaded} WHERE {check.when}"
    for value in _identity_values(source):
        yield value.field, value.query
    for entity in source.core:
        for mapping in source.mappings(entity):
            yield from _keyword_queries(source, entity, mapping)
            for value in _mapped_values(source, entity, mapping):
                yield value.field, value.query


def _identity_values(source: Source) -> Iterator[_Value]:
    """Yield what says whose record a row is."""
    table = qualified(source.table)
    if source.record:
        yield _Value("record", source.record, "VARCHAR", table)
    if source.seen_at:
        yield _Value("seen_at", source.seen_at, "TIMESTAMPTZ", table)
    yield _Value("region", source.region, "VARCHAR", table)
    for each in source.identifiers:
        yield _Value(f"identifiers.{each.type}", each.value, "VARCHAR", table)


def _keyword_queries(source: Source, entity: str, mapping: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what says of which rows a mapping speaks; `together` names columns and has no SQL."""
    if WHERE in mapping:
        yield f"core.{entity}.{WHERE}", f"SELECT 1 FROM {_rows(source, mapping)} WHERE {mapping[WHERE]}"
    if EACH in mapping:
        query = f"SELECT CAST({mapping[EACH]} AS JSON[]) FROM {qualified(source.table)}"
        yield f"core.{entity}.{EACH}", query


def _mapped_values(source: Source, entity: str, mapping: dict[str, str]) -> Iterator[_Value]:
    """Yield the columns of an entity that a mapping gives."""
    rows = _rows(source, mapping)
    for name, sql in mapping.items():
        if name not in (WHERE, EACH, TOGETHER):
            kind = "VARCHAR" if name == CHANGES else ENTITIES[entity][name]
            yield _Value(f"core.{entity}.{name}", sql, kind, rows)


def _rows(source: Source, mapping: dict[str, str]) -> str:
    each = f", unnest(CAST({mapping[EACH]} AS JSON[])) AS of_each(each)" if EACH in mapping else ""
    return f"{qualified(source.table)}{each}"


def _views(source: Source) -> Iterator[tuple[str, str]]:
    """Yield what models read, in one query each: pieces that run may not fit together.

    These queries are long. DESCRIBE binds them, which is all that is left to ask: their pieces have run.
    """
    for entity in source.core:
        yield f"core.{entity}", f"DESCRIBE {entity_sql(entity, [source])}"
    if source.identifiers:
        yield "identifiers", f"DESCRIBE {observations_sql([source])}"


def _failing(
    con: duckdb.DuckDBPyConnection, source: Source, queries: Iterable[tuple[str, str]]
) -> Iterator[Remark]:
    """Yield the queries that do not run over empty tables, each with why, in a line."""
    system = {column.name for column in SYSTEM_COLUMNS}
    names = [column.name for column in source.contract.columns if column.name not in system]
    for field, query in queries:
        normal_forms.create_for(con, query)
        try:
            con.execute(query).fetchall()
        except duckdb.Error as error:
            yield "error", field, _reason(str(error), names)


def _reason(error: str, names: list[str]) -> str:
    """Return why DuckDB does not run a query, from its message; `names` are the columns there are."""
    if unknown := _UNKNOWN.search(error):
        return f"there is no column {unknown['name']}{nearest(unknown['name'], names)}"
    lines = error.splitlines() or ["?"]
    return f"no SQL that runs: {lines[0]}"


def _lossy_casts(con: duckdb.DuckDBPyConnection, source: Source) -> Iterator[Remark]:
    """Yield where SQL gives another type than its column has: a value that cannot be cast is null, without a word."""
    for value in _typed_values(source):
        try:
            actual = str(con.execute(f"DESCRIBE SELECT {value.sql} AS v FROM {value.rows}").fetchall()[0][1])
        except duckdb.Error:  # reported as a query that fails
            continue
        remark = weigh_cast(value.field, value.sql, actual, value.type)
        if remark is not None:
            yield remark


def _typed_values(source: Source) -> Iterator[_Value]:
    """Yield the values that become something else than text, and are no constants."""
    values = [value for value in _identity_values(source) if value.field == "seen_at"]
    for entity in source.core:
        for mapping in source.mappings(entity):
            values += _mapped_values(source, entity, mapping)
    for value in values:
        if value.type != "VARCHAR" and not _CONSTANT.fullmatch(value.sql.strip()):
            yield value


def weigh_cast(field: str, sql: str, actual: str, target: str) -> Remark | None:
    """Return what is to be said of SQL of the type `actual` that becomes a value of the type `target`."""
    if actual == "VARCHAR":
        message = (
            f"{sql} is text, and {target} is wanted: one value that is none becomes null; give the column a "
        )
        return (
            "warning",
            field,
            message + f"type and formats, or say that it may: {sql_functions.reader_sql(sql, target)}",
        )
    if actual == "INTEGER" and _NULL.search(sql):  # NULL, which has no type of its own
        return None
    comparable = not {target, actual} & _ANYTHING
    if comparable and _is_moment(target) is not _is_moment(actual):
        return "error", field, f"{sql} is {actual}, and {target} is wanted: map another column, or convert it"
    return None


def _is_moment(kind: str) -> bool:
    return kind.startswith(("TIMESTAMP", "DATE"))
