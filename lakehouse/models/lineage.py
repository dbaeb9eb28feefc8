"""Where a table and its columns come from: read from the models' SQL, none of which is run."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from lakehouse.errors import BadDefinition
from lakehouse.models.given_rows import EVENTS
from lakehouse.models.select_statement import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models

_BEHIND_EVENTS = ("raw.events", "core.identities")
Columns = dict[str, list[str]]  # of a table's columns, those of other tables that they are made of


def upstream(models: Models, table: str) -> dict[str, list[str]]:
    """Return what a table is made of, directly or by others: of each table there, the inputs of its model."""
    by_table = models.by_table
    found: dict[str, list[str]] = {}
    waiting = [table]
    while waiting:
        name = waiting.pop()
        if name in by_table and name not in found:
            found[name] = list(by_table[name].reads)
            waiting += found[name]
    return found


def downstream(models: Models, table: str) -> list[str]:
    """Return the tables that are made of a table, directly or by others, in the order in which they are computed."""
    made = {table}
    for model in models.in_order:
        if not made.isdisjoint(model.reads):
            made.add(model.table)
    return [model.table for model in models.in_order if model.table in made and model.table != table]


def column_sources(
    model: Model, types: Mapping[str, Mapping[str, str]], names: Sequence[str] = ()
) -> Columns:
    """Return of each column of a model those that it is made of; of all columns, or of those of `names`.

    `types` are the columns of each input, with their DuckDB types. A count of rows is made of no column. Raises
    BadDefinition for SQL that cannot be followed.
    """
    try:
        schema = schema_of(model, types)
        tree = qualified(model.sql, schema)
        scope = build_scope(tree)
        # of all columns at once, since they share steps; untrimmed, since nobody reads the SQL of a step
        nodes = lineage(None, tree, schema=schema, dialect=DIALECT, scope=scope, trim_selects=False)
        return {
            column.name: _leaves(nodes[column.name].walk())
            for column in model.contract.columns
            if not names or column.name in names
        }
    except (SqlglotError, KeyError) as error:
        raise BadDefinition(f"{model.where}: its columns cannot be followed") from error


def read_columns(model: Model, types: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the columns of tables that a model's SQL needs, in its result, its joins and its conditions.

    They are named `<namespace>.<table>.<column>`; what a `*` brings and nothing uses is not read. `types` and errors
    are those of `column_sources`.
    """
    try:
        tree = pushdown_projections(qualified(model.sql, schema_of(model, types)))
        found = {
            f"{source.db}.{source.name}.{column.name}"
            for scope in traverse_scope(tree)
            for column in scope.columns
            if isinstance(source := scope.sources.get(column.table), exp.Table)
        }
    except SqlglotError as error:
        raise BadDefinition(f"{model.where}: its columns cannot be followed") from error
    events = {name for name in found if name.startswith(f"{EVENTS}.")}
    return found - events | {f"raw.events.{name.rpartition('.')[2]}" for name in events}


def columns_read(model: Model, types: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """Return by input the columns that a model's SQL reads of it; an input of which that cannot be said is left out.

    `types` as for `column_sources`. What is read of `core.events` is read of the tables behind it. Of the tables behind
    a view it cannot be said.
    """
    if model.views:
        return {}
    found = _columns_read(model.sql, json.dumps(schema_of(model, types)))
    return {name: set(columns) for name, columns in found.items() if name in model.inputs}


@lru_cache(maxsize=256)
def _columns_read(sql: str, schema: str) -> dict[str, frozenset[str]]:
    """Return what a SELECT reads of tables: it takes a tenth of a second, and each look asks for every model."""
    try:
        tree = qualified(sql, json.loads(schema))
        selected_groups = any(group.args.get("all") for group in tree.find_all(exp.Group))
        if not selected_groups:
            tree = pushdown_projections(tree)
        scopes = traverse_scope(tree)
    except SqlglotError:
        return {}
    read: dict[str, set[str]] = {}
    unparted: set[str] = set()  # of these every column may be read
    for scope in scopes:
        _note_columns(scope, read, unparted)
    if EVENTS in read:
        raw, who = _BEHIND_EVENTS
        read.setdefault(raw, set()).update(read[EVENTS] | {"user_id", "anonymous_id"})
        unparted |= {raw} if EVENTS in unparted else set()
        unparted.add(who)
    return {name: frozenset(columns) for name, columns in read.items() if name not in unparted}


def _note_columns(scope: Scope, read: dict[str, set[str]], unparted: set[str]) -> None:
    """Add what one SELECT reads of tables: columns by table, and tables of which it may read every column."""
    tables = {
        alias: f"{source.db}.{source.name}"
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table)
    }
    for name in tables.values():
        read.setdefault(name, set())
    if _has_whole_rows(scope.expression):
        unparted.update(tables.values())
    for column in scope.columns:
        unnamed = [] if column.table else list(tables.values())
        for name in [tables[column.table]] if column.table in tables else unnamed:
            read[name].add(column.name)


def _has_whole_rows(tree: exp.Expr) -> bool:
    """Return whether rows are read as a whole: by a star that is no count, or by the name of their table."""
    stars = any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star))
    return stars or tree.find(exp.TableColumn) is not None


def schema_of(model: Model, types: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    """Return the columns of what a model reads, as sqlglot wants them."""
    schema: dict[str, object] = {}
    needed = {*model.reads, EVENTS} & types.keys()
    for namespace in {table.partition(".")[0] for table in needed}:
        prefix = f"{namespace}."
        schema[namespace] = {
            table.removeprefix(prefix): dict(types[table]) for table in needed if table.startswith(prefix)
        }
    return schema


def qualified(sql: str, schema: dict[str, object]) -> exp.Expr:
    """Return the tree of a SELECT with each column's table named, and each `*` written out."""
    return qualify(
        sqlglot.parse_one(sql, dialect=DIALECT),
        schema=schema,
        dialect=DIALECT,
        validate_qualify_columns=False,
        quote_identifiers=False,
    )


def _leaves(nodes: Iterable[Node]) -> list[str]:
    """Return the columns of tables among the nodes of one column's lineage, by name."""
    return sorted(
        {
            f"{node.source.db}.{node.source.name}.{node.name.rpartition('.')[2]}"
            for node in nodes
            if not node.downstream and isinstance(node.source, exp.Table)
        }
    )
