"""Where a table and its columns come from: read from the models' SQL, none of which is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope, traverse_scope

from lakehouse.errors import BadDefinition
from lakehouse.models.given_rows import EVENTS
from lakehouse.models.select_statement import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models

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
        schema = _schema(model, types)
        tree = _qualified(model, schema)
        scope = build_scope(tree)
        return {
            column.name: _leaves(
                lineage(column.name, tree, schema=schema, dialect=DIALECT, scope=scope).walk()
            )
            for column in model.contract.columns
            if not names or column.name in names
        }
    except SqlglotError as error:
        raise BadDefinition(f"{model.where}: its columns cannot be followed") from error


def read_columns(model: Model, types: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the columns of tables that a model's SQL needs, in its result, its joins and its conditions.

    They are named `<namespace>.<table>.<column>`; what a `*` brings and nothing uses is not read. `types` and errors
    are those of `column_sources`.
    """
    try:
        tree = pushdown_projections(_qualified(model, _schema(model, types)))
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


def _schema(model: Model, types: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    """Return the columns of what a model reads, as sqlglot wants them."""
    schema: dict[str, object] = {}
    needed = {*model.reads, EVENTS} & types.keys()
    for namespace in {table.partition(".")[0] for table in needed}:
        prefix = f"{namespace}."
        schema[namespace] = {
            table.removeprefix(prefix): dict(types[table]) for table in needed if table.startswith(prefix)
        }
    return schema


def _qualified(model: Model, schema: dict[str, object]) -> exp.Expr:
    """Return the tree of a model's SQL with each column's table named, and each `*` written out."""
    return qualify(
        sqlglot.parse_one(model.sql, dialect=DIALECT),
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
