"""The only module that puts names and texts into SQL. Values are bound wherever DuckDB accepts bound values."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Return a quoted SQL identifier; raise ValueError for one that no table can have."""
    if not name or "\0" in name:
        raise ValueError("an SQL identifier is empty or holds NUL")
    return '"' + name.replace('"', '""') + '"'


def qualified(name: str) -> str:
    """Return `namespace.name` with each part quoted."""
    return ".".join(identifier(part) for part in name.split("."))


def literal(text: str) -> str:
    """Return a quoted SQL string, where DuckDB accepts no bound value (COPY, table functions)."""
    if "\0" in text:
        raise ValueError("an SQL string holds NUL")
    return "'" + text.replace("'", "''") + "'"


def literals(texts: list[str]) -> str:
    """Return a DuckDB list of quoted strings.

    Whether a value is one of them is `value IN` this list. Of more than four in parentheses DuckDB makes a join, which
    is planned and done for every row, wherever the condition stands.
    """
    return "[" + ", ".join(literal(text) for text in texts) + "]"
