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
_CLOCK: Final = (
    exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime, exp.Localtimestamp, exp.Localtime,
)  # fmt: skip
_CLOCK_NAMES: Final = frozenset({
    "now", "today", "get_current_timestamp", "get_current_time", "transaction_timestamp", "current_localtime",
    "current_localtimestamp", "age",
})  # fmt: skip
_CHANCE: Final = frozenset({"random", "rand", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"})


def problem_in(where: str, columns: Collection[str] = (), namespaces: Collection[str] = ()) -> str:
    """Return the first thing that is wrong with a condition, as `problems_in` does; "" where nothing is known to be."""
    return next(iter(problems_in(where, columns, namespaces)), "")


def problems_in(where: str, columns: Collection[str] = (), namespaces: Collection[str] = ()) -> list[str]:
    """Return what is wrong with a condition, each thing once.

    With `columns`, a name that is none of them is told with the nearest. A query within it may read all tables of
    `namespaces`, besides the two that customers' rows are made of. What the types allow only DuckDB knows.
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
    found = (*_functions(tree), *_tables(tree, namespaces), *_others(tree), *_columns(tree, columns))
    return list(dict.fromkeys(found))


def problems_in_select(select: str, namespaces: Collection[str]) -> list[str]:
    """Return what is wrong with a SELECT of customers, each thing once; it reads tables of `namespaces` alone.

    Besides what a condition must not do, it must not ask the clock: it would answer otherwise though nothing changed.
    """
    try:
        parsed = [tree for tree in sqlglot.parse(select, dialect=_DIALECT) if tree is not None]
    except SqlglotError as error:
        return [_syntax(error, "SELECT")]
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        return ["not one SELECT: it is one, such as SELECT customer_id FROM core.orders, and changes nothing"]
    tree = parsed[0]
    return list(
        dict.fromkeys(
            (*_functions(tree), *_chance(tree), *_clock(tree), *_tables(tree, namespaces), *_others(tree))
        )
    )


def tables_in(sql: str) -> tuple[str, ...]:
    """Return the full names of the tables that a condition or a SELECT reads; it must be one."""
    tree = sqlglot.parse_one(sql, dialect=_DIALECT)
    found = (f"{table.db}.{table.name}".lower() for table in tree.find_all(exp.Table) if table.db)
    return tuple(sorted(set(found)))


def _functions(tree: exp.Expr) -> Iterator[str]:
    for function in tree.find_all(exp.Func):
        name = function.name.lower() if isinstance(function, exp.Anonymous) else function.sql_name().lower()
        if name in _OUTSIDE or name.startswith(("read_", "parquet_", "iceberg_", "duckdb_", "pragma_")):
            yield f"{name}() reads what is no row of a customer"
        if name in _CHANCE:
            yield f"{name}() gives another answer each time: members would come and go with every look"


def _chance(tree: exp.Expr) -> Iterator[str]:
    if tree.find(exp.TableSample) is not None:
        yield "a sample gives another answer each time: members would come and go with every look"
    for query in tree.find_all(exp.Query):
        if query.args.get("limit") and not query.args.get("order"):
            yield "LIMIT without ORDER BY gives others each time: say which come first"


def _clock(tree: exp.Expr) -> Iterator[str]:
    for function in tree.find_all(exp.Func):
        name = function.name.lower() if isinstance(function, exp.Anonymous) else function.sql_name().lower()
        if isinstance(function, _CLOCK) or name in _CLOCK_NAMES:
            yield f"{name}() is another time with each look: use $as_of, the day that the marts look back from"


def _tables(tree: exp.Expr, namespaces: Collection[str]) -> Iterator[str]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    readable = " and ".join(f"{name}.*" for name in namespaces) or " and ".join(sorted(TABLES))
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, (exp.Unnest, exp.Explode)):
            continue  # made of values
        if not isinstance(table.this, exp.Identifier):
            yield f"{table.sql(dialect=_DIALECT)} is no table: a condition reads {readable}"
            continue
        name = f"{table.db}.{table.name}" if table.db else table.name
        if not _is_readable(table, name, namespaces, own):
            yield f"{name!r} cannot be read: a condition reads {readable}"


def _is_readable(table: exp.Table, name: str, namespaces: Collection[str], own: Collection[str]) -> bool:
    if table.db:
        return name in TABLES or (table.db.lower() in namespaces and not table.catalog)
    return name in own


def _others(tree: exp.Expr) -> Iterator[str]:
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


def _syntax(error: SqlglotError, what: str = "condition") -> str:
    found = getattr(error, "errors", None) or [{}]
    near = str(found[0].get("highlight") or "").strip()
    return f"not a {what}: wrong near {near!r}" if near else f"not a {what}"
