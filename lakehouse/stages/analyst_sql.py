"""Asking the tables in SQL: a connection with every table in place, and a gate that lets only questions pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.escape import qualified
from lakehouse.errors import Terminal
from lakehouse.models import registry
from lakehouse.scores import contracts as score_contracts
from lakehouse.sources import definition
from lakehouse.tables import id_sources, views

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with every table in place; those that nobody has made yet are there, empty.

    Each table is seen as it stood when the connection was made.
    """
    con = duck.connect(settings)
    try:
        existing = views.open_tables(con, settings)
        sources = definition.load(settings.definitions).values()
        own = (*registry.load(settings.definitions).contracts.values(), *score_contracts.ALL)
        for contract in (*own, *(source.contract for source in sources)):
            if contract.name not in existing:
                con.execute(f"CREATE VIEW {qualified(contract.name)} AS {views.nothing_sql(contract)}")
        con.execute(views.EVENTS)
        con.execute(id_sources.view_sql(definition.declared_references(sources)))
    except BaseException:
        con.close()
        raise
    return con


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
