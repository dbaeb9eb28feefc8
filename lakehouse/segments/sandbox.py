"""What keeps SQL that people wrote to the tables it may read: files, settings and other statements are out of reach.

It is the second wall. The first is that the SQL is read before it runs (`condition`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from lakehouse.engine.escape import literals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

_COLUMN: Final = "customer_id"
_TEXT: Final = "VARCHAR"


def confine(con: duckdb.DuckDBPyConnection, settings: Settings, tables: Iterable[Table]) -> None:
    """Let a connection reach no files but those of the lake and of the ops bucket; it cannot be taken back.

    The lake is where `tables` lie, and others like them. What a query spills goes to the connection's own scratch
    folder all the same.
    """
    roots = {_root(table.location()) for table in tables} | {f"s3://{settings.ops_bucket}/"}
    both = {each for root in roots for each in (root, root.removeprefix("file://"))}
    con.execute("SET python_enable_replacements = false")
    con.execute(f"SET allowed_directories = {literals(sorted(both))}")
    con.execute("SET enable_external_access = false")


def _root(location: str) -> str:
    """Return where tables lie: a bucket, or the folder above the one of a table's namespace."""
    scheme, found, rest = location.partition("://")
    if found and scheme != "file":
        return f"{scheme}://{rest.partition('/')[0]}/"
    return location.rstrip("/").rsplit("/", 2)[0] + "/"


def problem_of_select(con: duckdb.DuckDBPyConnection, select: str) -> str:
    """Return what keeps a SELECT from saying who is in a segment; "" where nothing does. DuckDB itself reads it."""
    statements = con.extract_statements(select)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return "select: not one SELECT: it changes nothing"
    columns = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE (\n{select}\n))").fetchall()
    if [name for name, _ in columns] != [_COLUMN]:
        found = ", ".join(name for name, _ in columns)
        return f"select: it must give one column, {_COLUMN}, and gives {found}"
    if columns[0][1] != _TEXT:
        return f"select: {_COLUMN} must be a text, and is {columns[0][1]}"
    return ""
