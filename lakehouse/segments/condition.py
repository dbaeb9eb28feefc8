"""Reads a segment's condition without running it: which columns it asks for, and what it must not do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakehouse.definitions import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

TABLES: Final = frozenset({"marts.customer_360", "marts.rfm"})
_DIALECT: Final = "duckdb"
# What reads something that is no row of a customer, or gives another answer each time.
_OUTSIDE: Final = frozenset({
    "getenv", "current_setting", "query", "query_table", "which_secret", "read_text", "read_blob", "glob",
    "getvariable", "nextval", "currval",
})  # fmt: skip
_CHANCE: Final = frozenset({"random", "rand", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"})


def problem_in(where: str, columns: Collection[str] = ()) -> str:
    """Return the first thing that is wrong with a condition, as `problems_in` does; "" where nothing is known to be."""
    return next(iter(problems_in(where, columns)), "")


def problems_in(where: str, columns: Collection[str] = ()) -> list[str]:
    """Return what is wrong with a condition, each thing once.

    With `columns`, a name that is none of them is told with the nearest. What the types allow only DuckDB knows.
    """
    try:
        parsed = [tree for tree in sqlglot.parse(where, dialect=_DIALECT) if tree is not None]
    except SqlglotError as error:
        return [_syntax(error)]
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Condition) or isinstance(parsed[0], exp.Query):
        return [
            "not one condition: a segment is one, such as orders > 3 AND recency_days < 30; it changes nothing"
        ]
    tree = parsed[0]
    return list(dict.fromkeys((*_functions(tree), *_tables(tree), *_others(tree), *_columns(tree, columns))))


def _functions(tree: exp.Condition) -> Iterator[str]:
    for function in tree.find_all(exp.Func):
        name = function.name.lower() if isinstance(function, exp.Anonymous) else function.sql_name().lower()
        if name in _OUTSIDE or name.startswith(("read_", "parquet_", "iceberg_", "duckdb_", "pragma_")):
            yield f"{name}() reads what is no row of a customer"
        if name in _CHANCE:
            yield f"{name}() gives another answer each time: members would come and go with every look"


def _tables(tree: exp.Condition) -> Iterator[str]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            yield f"{table.sql(dialect=_DIALECT)} is no table: a condition reads {' and '.join(sorted(TABLES))}"
            continue
        name = f"{table.db}.{table.name}" if table.db else table.name
        if name not in TABLES and name not in own:
            yield f"{name!r} cannot be read: a condition reads {' and '.join(sorted(TABLES))}"


def _others(tree: exp.Condition) -> Iterator[str]:
    if tree.find(exp.Placeholder, exp.Parameter) is not None:
        yield "? and $ stand for parameters, and a condition has none: write the value"
    if tree.find(exp.Columns) is not None:
        yield "COLUMNS() asks many columns at once: name those that are meant"
    if any(each.args.get("recursive") for each in tree.find_all(exp.With)):
        yield "WITH RECURSIVE may never end: a condition asks one customer's columns"


def _columns(tree: exp.Condition, known: Collection[str]) -> Iterator[str]:
    """Yield columns that nobody knows; where the condition has a query of its own, DuckDB says so when it runs."""
    if not known or tree.find(exp.Query) is not None:
        return
    names = {name.lower() for name in known}
    bound = {variable.name.lower() for scope in tree.find_all(exp.Lambda) for variable in scope.expressions}
    for column in tree.find_all(exp.Column):
        first = column.parts[0].name.lower()  # of a field of a struct, the column
        if first not in names and first not in bound:
            yield f"there is no column {first}{nearest(first, sorted(names))}"


def _syntax(error: SqlglotError) -> str:
    found = getattr(error, "errors", None) or [{}]
    near = str(found[0].get("highlight") or "").strip()
    return f"not a condition: wrong near {near!r}" if near else "not a condition"
