"""Does the SQL of a definition run? Each piece is planned over an empty table of the types that the definition says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.escape import identifier, qualified
from lakehouse.sources.definition import SYSTEM_COLUMNS
from lakehouse.sources.mappable_entities import EACH, ENTITIES, TOGETHER, WHERE
from lakehouse.sources.mapping_views import entity_sql, identifiers_sql
from lakehouse.sources.review import Finding, hint

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source

_UNKNOWN = re.compile(r'Referenced column "(?P<name>[^"]+)" not found')
_CONSTANT = re.compile(r"'(?:[^']|'')*'|NULL", re.IGNORECASE)
_NULL = re.compile(r"\bNULL\b", re.IGNORECASE)
_ANYTHING = {"BOOLEAN", "JSON"}  # types that are not held against one of time
_LATER = ("_file_id", "_row", "_loaded_at")  # a check is asked before a row has them


def bind(settings: Settings, source: Source, where: str) -> list[Finding]:
    """Return what of a definition's SQL cannot run, and what loses values of another type."""
    with duck.connect(settings, iceberg=False, threads=1) as con:
        con.execute("CREATE SCHEMA raw")
        columns = ", ".join(
            f"{identifier(column.name)} {column.duck_type}" for column in source.contract.columns
        )
        con.execute(f"CREATE TABLE {qualified(source.table)} ({columns})")
        names = [column.name for column in source.contract.columns]
        found = [
            Finding("error", where, field, message)
            for field, query in _queries(source)
            if (message := _wrong(con, query, names))
        ]
        found += [Finding(level, where, field, message) for level, field, message in _casts(con, source)]
        return (
            found
            if any(one.level == "error" for one in found)
            else found
            + [
                Finding("error", where, field, message)
                for field, query in _wholes(source)
                if (message := _wrong(con, query, names))
            ]
        )


def _queries(source: Source) -> Iterator[tuple[str, str]]:
    """Yield each piece of SQL, in a query, with its field."""
    table = qualified(source.table)
    own = f"(SELECT * EXCLUDE ({', '.join(_LATER)}) FROM {table})"
    for check in source.checks:
        yield f"checks.{check.code}.when", f"SELECT 1 FROM {own} WHERE {check.when}"
    for field in ("record", "seen_at", "region"):
        if text := getattr(source, field):
            kind = "TIMESTAMPTZ" if field == "seen_at" else "VARCHAR"
            yield field, f"SELECT CAST({text} AS {kind}) FROM {table}"
    for one in source.identifiers:
        yield f"identifiers.{one.type}", f"SELECT CAST({one.value} AS VARCHAR) FROM {table}"
    for entity in source.core:
        for mapping in source.mappings(entity):
            for name, text in mapping.items():
                if query := _query(source, mapping, name, text, ENTITIES[entity]):
                    yield f"core.{entity}.{name}", query


def _query(source: Source, mapping: dict[str, str], name: str, text: str, types: dict[str, str]) -> str:
    rows = _rows(source, mapping)
    if name == WHERE:
        return f"SELECT 1 FROM {rows} WHERE {text}"
    if name == EACH:
        return f"SELECT CAST({text} AS JSON[]) FROM {qualified(source.table)}"
    return f"SELECT CAST({text} AS {types[name]}) FROM {rows}" if name != TOGETHER else ""


def _rows(source: Source, mapping: dict[str, str]) -> str:
    each = f", unnest(CAST({mapping[EACH]} AS JSON[])) AS of_each(each)" if EACH in mapping else ""
    return f"{qualified(source.table)}{each}"


def _wholes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield what models read, in whole: pieces that run may not fit together."""
    for entity in source.core:
        yield f"core.{entity}", entity_sql(entity, [source])
    if source.identifiers:
        yield "identifiers", identifiers_sql([source])


def _wrong(con: duckdb.DuckDBPyConnection, query: str, names: list[str]) -> str:
    """Return what is wrong with a query over empty tables, in a line; empty for nothing."""
    try:
        con.execute(query).fetchall()
    except duckdb.Error as error:
        if unknown := _UNKNOWN.search(str(error)):
            system = {column.name for column in SYSTEM_COLUMNS}
            known = [name for name in names if name not in system]
            return f"there is no column {unknown['name']}{hint(unknown['name'], known)}"
        return f"no SQL that runs: {(str(error).splitlines() or ['?'])[0]}"
    return ""


def _casts(
    con: duckdb.DuckDBPyConnection, source: Source
) -> Iterator[tuple[Literal["error", "warning"], str, str]]:
    """Yield where SQL gives another type than is wanted: a value that cannot become it is null, and nobody is told."""
    wanted = [
        (f"core.{entity}.{name}", text, ENTITIES[entity].get(name, "VARCHAR"), _rows(source, mapping))
        for entity in source.core
        for mapping in source.mappings(entity)
        for name, text in mapping.items()
    ]
    if source.seen_at:
        wanted.append(("seen_at", source.seen_at, "TIMESTAMPTZ", qualified(source.table)))
    for field, text, kind, rows in wanted:
        if kind == "VARCHAR" or _CONSTANT.fullmatch(text.strip()):
            continue
        try:
            given = str(con.execute(f"DESCRIBE SELECT {text} AS v FROM {rows}").fetchall()[0][1])
        except duckdb.Error:  # told already
            continue
        if given == "VARCHAR":
            what = f"{text} is text, and {kind} is wanted: one value that is none becomes null; give the column a "
            yield "warning", field, what + f"type and formats, or say that it may: TRY_CAST({text} AS {kind})"
        elif given == "INTEGER" and _NULL.search(text):  # which has no type of its own
            continue
        elif _is_moment(kind) is not _is_moment(given) and not {kind, given} & _ANYTHING:
            what = f"{text} is {given}, and {kind} is wanted: map another column, or convert it"
            yield "error", field, what


def _is_moment(kind: str) -> bool:
    return kind.startswith(("TIMESTAMP", "DATE"))
