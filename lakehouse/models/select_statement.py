"""Reads the SELECT of a model, without running it: which tables and variables it asks for, what it must not do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakehouse.definitions import nearest

DIALECT: Final = "duckdb"
VARIABLES: Final = ("as_of", "time_zone")
_EVENTS: Final = "core.events"  # a view that every connection has
_BEHIND_EVENTS: Final = ("raw.events", "core.identities")
_GENERATING = (exp.Unnest, exp.GenerateSeries, exp.Explode)  # tables that are made of values
# What gives another answer each time it is asked: the rows could not be computed again.
_CLOCK: Final = "use getvariable('as_of'), the day that is looked back from"
_CHANCE: Final = "a model gives the same rows each time"
_UNREPEATABLE = {
    exp.CurrentDate: _CLOCK, exp.CurrentTimestamp: _CLOCK, exp.CurrentTime: _CLOCK, exp.CurrentDatetime: _CLOCK,
    exp.Localtimestamp: _CLOCK, exp.Localtime: _CLOCK, exp.Rand: _CHANCE, exp.Uuid: _CHANCE,
}  # fmt: skip
_UNREPEATABLE_BY_NAME = dict.fromkeys(
    ("now", "today", "get_current_timestamp", "get_current_time", "transaction_timestamp",
     "current_localtime", "current_localtimestamp"), _CLOCK,
) | dict.fromkeys(("random", "setseed", "uuidv4", "uuidv7", "nextval", "currval", "txid_current", "write_log",
     "current_transaction_id", "current_connection_id", "current_query_id", "current_query"), _CHANCE)  # fmt: skip
_OUTSIDE: Final = (
    "getenv",
    "current_setting",
    "query",
    "query_table",
    "which_secret",
    "read_text",
    "read_blob",
)


@dataclass(frozen=True)
class SelectStatement:
    """What a SELECT asks for. `columns` are the names it yields, None where a `*` says which.

    `tables` are full names; of `core.events` those of the tables behind it.
    """

    tables: tuple[str, ...]
    variables: frozenset[str]
    columns: tuple[str, ...] | None


class StatementError(ValueError):
    """What is wrong with a statement, and its line from 1, or 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def parse_statement(sql: str) -> exp.Query:
    """Return the syntax tree of one SELECT; StatementError for anything else."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=DIALECT) if tree is not None]
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise StatementError("not one SELECT: a model is one SELECT, and changes nothing")
    return trees[0]


def without_semicolon(sql: str) -> str:
    """Return a statement as far as a semicolon at its end: it becomes a part of others."""
    _, found, behind = sql.rpartition(";")
    if not found or _has_more_sql(behind):  # to find out by tokens takes as long as a tenth of a command
        return sql
    try:
        tokens = sqlglot.tokenize(sql, dialect=DIALECT)
    except SqlglotError:
        return sql  # whoever reads it says what is wrong
    while tokens and tokens[-1].token_type == sqlglot.TokenType.SEMICOLON:
        sql = sql[: tokens.pop().start]
    return sql


def _has_more_sql(behind: str) -> bool:
    """Return whether lines behind that of a semicolon are more than comments; False where it takes tokens to say."""
    lines = map(str.strip, behind.splitlines()[1:])
    return "*/" not in behind and any(line and not line.startswith("--") for line in lines)


@lru_cache(maxsize=512)
def read_statement(sql: str) -> SelectStatement:
    """Return what one SELECT asks for; StatementError where it may not be a model's."""
    return statement_of(parse_statement(sql))


def statement_of(tree: exp.Query) -> SelectStatement:
    """Return what one SELECT asks for, of its tree; StatementError where it may not be a model's."""
    nodes = list(tree.walk())  # once: to go over a tree takes as long as a third of parsing it
    for node in nodes:
        if isinstance(node, exp.Func):
            _check_function(node)
    if any(isinstance(node, (exp.Placeholder, exp.Parameter)) for node in nodes):
        raise StatementError("a parameter has no value here: there is getvariable('as_of'), and 'time_zone'")
    if any(isinstance(node, exp.TableSample) for node in nodes):
        raise StatementError(f"a sample is another one each time: {_CHANCE}")
    return SelectStatement(_tables(nodes), _variables(nodes), _columns(tree))


def columns_of(expression: str) -> tuple[str, ...]:
    """Return the columns that an expression names; StatementError for what is none."""
    try:
        tree = sqlglot.parse_one(expression, dialect=DIALECT)
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if tree.find(exp.Query):
        raise StatementError("not an expression of columns")
    for function in tree.find_all(exp.Func):
        _check_function(function)
    return tuple(sorted({column.name for column in tree.find_all(exp.Column)}))


def _tables(nodes: Iterable[exp.Expr]) -> tuple[str, ...]:
    own = {node.alias for node in nodes if isinstance(node, exp.CTE)}
    names: set[str] = set()
    for table in nodes:
        if not isinstance(table, exp.Table):
            continue
        if isinstance(table.this, _GENERATING) or (not table.db and table.name in own):
            continue
        names.add(_table_name(table))
    if _EVENTS in names:
        names = names - {_EVENTS} | set(_BEHIND_EVENTS)
    return tuple(sorted(names))


def _table_name(table: exp.Table) -> str:
    if not isinstance(table.this, exp.Identifier):
        called = _function_name(table.this)
        raise StatementError(f"{called}(…) is no table: a model reads tables by their names", _line(table))
    if not table.db or table.catalog:
        message = f"{table.name!r} is no table: say namespace and name, such as core.orders"
        raise StatementError(message, _line(table))
    return f"{table.db}.{table.name}"


def _variables(nodes: Iterable[exp.Expr]) -> frozenset[str]:
    names = set()
    for function in nodes:
        if not isinstance(function, exp.Anonymous) or function.name.lower() != "getvariable":
            continue
        argument = function.expressions[0] if function.expressions else None
        name = argument.name if isinstance(argument, exp.Literal) else ""
        if name not in VARIABLES:
            message = f"there is no variable {name!r}{nearest(name, list(VARIABLES))}"
            raise StatementError(message, _line(function))
        names.add(name)
    return frozenset(names)


def _columns(tree: exp.Query) -> tuple[str, ...] | None:
    """Return the names of what the statement yields; None where it says `*`, or computes what has no name."""
    names = tuple(selected.output_name for selected in tree.selects)
    if any(selected.is_star for selected in tree.selects) or not all(names) or "*" in names:
        return None
    return names


def _check_function(function: exp.Func) -> None:
    name = _function_name(function)
    if name == "age" and len(function.expressions) == 1:
        raise StatementError(f"age() of one moment asks the clock: {_CLOCK}", _line(function))
    why = _UNREPEATABLE.get(type(function)) or _UNREPEATABLE_BY_NAME.get(name)
    if why:
        raise StatementError(f"{name}() gives another answer each time: {why}", _line(function))
    if name in _OUTSIDE:
        message = f"{name}() reads what is no table: a model reads tables by their names"
        raise StatementError(message, _line(function))


def _function_name(function: exp.Func) -> str:
    return function.name.lower() if isinstance(function, exp.Anonymous) else function.sql_name().lower()


def _line(node: exp.Func | exp.Table) -> int:
    """Return the line, from 1, at which something stands that the parser noted the place of; else 0."""
    for part in node.walk():
        if "line" in part.meta:
            return int(part.meta["line"])
    return 0


def _syntax_error(error: SqlglotError) -> StatementError:
    """Return what the parser says of a text that is no SQL: place and token, without the colours of a terminal."""
    found = getattr(error, "errors", None) or [{}]
    near = str(found[0].get("highlight") or "").strip()
    message = f"not SQL near {near!r}" if near else "not SQL"
    return StatementError(message, int(found[0].get("line") or 0))
