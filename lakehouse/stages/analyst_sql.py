"""Asking the tables in SQL: a connection with every table in place, and a gate that lets only questions pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import duckdb

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.engine.escape import qualified
from lakehouse.errors import Terminal
from lakehouse.models import registry
from lakehouse.sources import definition
from lakehouse.sources.read_contracts import completed, read_contracts
from lakehouse.tables import id_sources, views

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lakehouse.models.registry import Models
    from lakehouse.settings import Settings
    from lakehouse.tables.contract import Contract

_WORD: Final = re.compile(r"\w+")
_EVENTS: Final = frozenset({"raw.events", "core.identities"})  # what the view core.events is made of
# What names no table and reads some, or says which there are; and a view of the tables of every entity
_ASK_FOR_ANY: Final = frozenset(
    {"show", "describe", "summarize", "pragma", "query", "query_table", "information_schema"}
) | {id_sources.NAME.partition(".")[2]}
_CATALOG: Final = ("duckdb_", "pg_", "pragma_", "sqlite_")


def connect(settings: Settings, tables: Collection[str] | None = None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with every table in place; those that nobody has made yet are there, empty.

    Each table is seen as it stood when the connection was made. With `tables` only those are in place, for questions
    that name no other: opening all of them takes longer than most answers.
    """
    models = registry.load(settings.definitions)
    if tables is not None:
        tables = _with_what_views_read(tables, models)
    con = duck.connect(settings)
    try:
        sources = definition.load(settings.definitions).values()
        existing = views.open_tables(con, settings, tables, completed(sources))
        made = existing.keys() | models.views.keys()
        for contract in _contracts(settings):
            if contract.name not in made and (tables is None or contract.name in tables):
                con.execute(f"CREATE VIEW {qualified(contract.name)} AS {views.nothing_sql(contract)}")
        if tables is None or _EVENTS.issubset(tables):
            con.execute(views.EVENTS)
        con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [settings.as_of_day()])
        con.execute("SET VARIABLE time_zone = ?", [settings.time_zone])
        _create_views(con, models, tables)
        if tables is None:
            con.execute(id_sources.view_sql(definition.declared_references(sources)))
    except BaseException:
        con.close()
        raise
    return con


def _with_what_views_read(tables: Collection[str], models: Models) -> set[str]:
    read = (view.reads for name, view in models.views.items() if name in tables)
    return set(tables).union(*read)


def _create_views(con: duckdb.DuckDBPyConnection, models: Models, tables: Collection[str] | None) -> None:
    """Make the views of the models; one that DuckDB refuses is not there, and `lakehouse models check` says why."""
    for name, model in models.views.items():
        if tables is not None and name not in tables:
            continue
        try:
            con.execute(f"CREATE OR REPLACE VIEW {qualified(name)} AS {model.rows_sql}")
        except duckdb.Error as error:
            telemetry.failed("a view cannot be made", error, model=name)
            con.execute(f"DROP VIEW IF EXISTS {qualified(name)}")


def _contracts(settings: Settings) -> Iterator[Contract]:
    yield from registry.load(settings.definitions).contracts.values()
    yield from read_contracts(definition.load(settings.definitions).values()).values()


def answer(settings: Settings, text: str) -> duckdb.DuckDBPyConnection:
    """Run one question on a connection of its own; return it, to fetch the rows from and to close.

    Tables whose names do not stand in the question are not opened. Raises as `ask` does.
    """
    tables = tables_named(settings, text)
    con = connect(settings, tables)
    try:
        return ask(con, text)
    except Terminal:
        con.close()
        if tables is None:
            raise
    except BaseException:
        con.close()
        raise
    # it names a table that is not there, say: DuckDB's message has the nearest names of all
    con = connect(settings)
    try:
        return ask(con, text)
    except BaseException:
        con.close()
        raise


def tables_named(settings: Settings, text: str) -> set[str] | None:
    """Return the tables whose names stand in a question, in whatever schema; None where it may ask for any."""
    found = _WORD.findall(text.lower())
    words = set(found)
    if (
        found[:1] == ["desc"]
        or not words.isdisjoint(_ASK_FOR_ANY)
        or any(word.startswith(_CATALOG) for word in words)
    ):
        return None
    named = {contract.name for contract in _contracts(settings) if contract.name.partition(".")[2] in words}
    return named | _EVENTS if "events" in words else named


def ask(con: duckdb.DuckDBPyConnection, text: str) -> duckdb.DuckDBPyConnection:
    """Run one question and return the connection, to fetch its rows from.

    Raises `Terminal` for what is wrong with it, and for all that is no question: COPY and ATTACH could write
    over the lake's own files.
    """
    # else a table's name could be that of one of our Python variables
    con.execute("SET python_enable_replacements = false")
    try:
        statements = con.extract_statements(text)
        _check(statements)
        for statement in statements:
            con.execute(statement)
    except duckdb.Error as error:
        raise Terminal(_message(error)) from None
    return con


def _check(statements: list[duckdb.Statement]) -> None:
    """Let one SELECT pass. A PIVOT comes as two statements, the first one made by DuckDB and without a text.

    EXPLAIN does not pass: with ANALYZE it runs what it explains, and which that is only DuckDB's parser knows.
    """
    if not statements:
        raise Terminal("there is no question: give one SELECT")
    *earlier, last = statements
    if any(statement.query for statement in earlier):
        raise Terminal("these are several statements: give one SELECT")
    if last.type != duckdb.StatementType.SELECT:
        raise Terminal(
            f"{last.type.name} is no question: this takes one SELECT (or DESCRIBE, SHOW, SUMMARIZE) and changes "
            "nothing; in Python, lakehouse.connect() gives a DuckDB connection of your own"
        )


def _message(error: duckdb.Error) -> str:
    """Return DuckDB's message as one line, without the caret that points into the SQL."""
    lines = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if line and line != "^")
