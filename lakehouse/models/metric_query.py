"""One SELECT that answers a question about a metric: divided by some of its dimensions, of some of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from lakehouse.definitions import nearest
from lakehouse.engine.escape import identifier, qualified
from lakehouse.errors import Terminal
from lakehouse.models.metric import BASE, Ratio, aggregates, read_expression
from lakehouse.models.select_statement import DIALECT, StatementError, read_statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from lakehouse.models.metric import Join, Metric


def metric_sql(
    metric: Metric | Ratio, with_history: Collection[str], by: Sequence[str] = (), where: str = ""
) -> str:
    """Return the SELECT of a metric with a column of each dimension of `by`, then its own; rows in their order.

    `where` is a condition over dimensions of the metric. `with_history` names tables of which one version holds. Raises
    `Terminal` for what is no dimension of the metric, and for a condition that is none.
    """
    _check_dimensions(metric, by)
    condition = _condition(metric, where) if where else None
    if isinstance(metric, Ratio):
        sql = _ratio_sql(metric, with_history, by, condition)
        parts = [metric.of, metric.over]
    else:
        sql = "\n".join([_select(metric, with_history, by, condition), *_ordering(len(by))])
        parts = [metric]
    _check(sql, {table for part in parts for table in (part.table, *(join.table for join in part.joins))})
    return sql


def _select(
    metric: Metric,
    with_history: Collection[str],
    by: Sequence[str],
    condition: exp.Expression | None,
    beside: str = "",
) -> str:
    """Return the SELECT of one metric: its dimensions, its value, and what stands `beside` them."""
    selected = {name: read_expression(metric.dimensions[name]) for name in by}
    selected[metric.name] = read_expression(metric.sql)
    conditions = [read_expression(metric.where)] if metric.where else []
    if condition is not None:
        conditions.append(_over_columns(metric, condition))
    asked = _tables_of([*selected.values(), *conditions])
    columns = [f"{_text(expression)} AS {identifier(name)}" for name, expression in selected.items()]
    lines = [f"SELECT {', '.join(columns)}{beside}", f"FROM {qualified(metric.table)} AS {BASE}"]
    lines += [_join_sql(join, join.table in with_history) for join in metric.joins if join.name in asked]
    if conditions:
        lines.append(f"WHERE {' AND '.join(f'({_text(each)})' for each in conditions)}")
    return "\n".join([*lines, *_grouping(len(by))])


def _ratio_sql(
    ratio: Ratio, with_history: Collection[str], by: Sequence[str], condition: exp.Expression | None
) -> str:
    """Return the SELECT of a ratio: each metric is summed up by itself, then one row of each value meets the other's.

    So no row of the one table can multiply rows of the other, and equal values meet where they are null, too. Where
    `of` has no rows of a value it is zero, if it is a sum or a count; where `over` has none, there is no ratio.
    """
    dimensions = "".join(f"{identifier(name)}, " for name in by)
    of, over = (
        _select(part, with_history, by, condition, beside=", count(*) AS _rows")
        for part in (ratio.of, ratio.over)
    )
    nothing = "0" if _is_count_or_sum(ratio.of) else "NULL"
    value = f"CASE WHEN sum(_rows) = 0 THEN {nothing} ELSE max(_of) END / nullif(max(_over), 0)"
    lines = [
        f"SELECT {dimensions}{value} AS {identifier(ratio.name)}",
        f"FROM (SELECT {dimensions}CAST({identifier(ratio.of.name)} AS DOUBLE) AS _of, NULL AS _over, _rows",
        f"FROM ({of}) AS part_of",
        "UNION ALL",
        f"SELECT {dimensions}NULL, CAST({identifier(ratio.over.name)} AS DOUBLE), 0",
        f"FROM ({over}) AS part_over) AS parts",
    ]
    return "\n".join([*lines, *_grouping(len(by)), *_ordering(len(by))])


def _is_count_or_sum(metric: Metric) -> bool:
    """Return whether a metric of no rows is zero: a count, or a sum."""
    expression = read_expression(metric.sql)
    while isinstance(expression, exp.Filter | exp.Paren | exp.Cast | exp.Coalesce):
        expression = expression.this
    return isinstance(expression, exp.Count | exp.Sum)


def _tables_of(expressions: Iterable[exp.Expression]) -> set[str]:
    """Return what the tables of their columns are called."""
    return {column.table for expression in expressions for column in expression.find_all(exp.Column)}


def _grouping(dimensions: int) -> list[str]:
    return [f"GROUP BY {_places(dimensions)}"] if dimensions else []


def _ordering(dimensions: int) -> list[str]:
    return [f"ORDER BY {_places(dimensions)}"] if dimensions else []


def _places(columns: int) -> str:
    return ", ".join(str(place) for place in range(1, columns + 1))


def _check_dimensions(metric: Metric | Ratio, by: Sequence[str]) -> None:
    for name in by:
        _check_dimension(metric, name)
    if len(set(by)) < len(by):
        raise Terminal(f"--by {','.join(by)} names a dimension twice")


def _check_dimension(metric: Metric | Ratio, name: str) -> None:
    if name not in metric.dimensions:
        raise Terminal(f"{metric.name} has no dimension {name!r}{nearest(name, list(metric.dimensions))}")


def _condition(metric: Metric | Ratio, where: str) -> exp.Expression:
    """Return the tree of a condition over dimensions."""
    try:
        condition = read_expression(where)
    except StatementError as error:
        raise Terminal(f"--where: {error}") from error
    if aggregates(condition):
        raise Terminal("--where: an aggregate is no condition of rows")
    for column in condition.find_all(exp.Column):
        if column.table != BASE:
            raise Terminal(f"--where: {column.sql()} is no dimension: say its name alone")
        _check_dimension(metric, column.name)
    return condition


def _over_columns(metric: Metric, condition: exp.Expression) -> exp.Expression:
    """Return a condition over dimensions as one over columns."""
    dimensions = {name: exp.paren(read_expression(text)) for name, text in metric.dimensions.items()}
    return condition.transform(
        lambda node: dimensions[node.name].copy() if isinstance(node, exp.Column) else node
    )


def _join_sql(join: Join, has_history: bool) -> str:
    name = identifier(join.name)
    conditions = [
        f"{name}.{identifier(column)} = {_text(read_expression(text))}" for column, text in join.key.items()
    ]
    if has_history:
        conditions.append(f"{name}.valid_to IS NULL")
    return f"LEFT JOIN {qualified(join.table)} AS {name} ON {' AND '.join(conditions)}"


def _check(sql: str, tables: set[str]) -> None:
    """Refuse what a model may not do either: files, the clock, other tables; and variables, which only models have."""
    try:
        statement = read_statement(sql)
    except StatementError as error:
        raise Terminal(str(error)) from error
    if statement.variables:
        raise Terminal("a metric has no getvariable(…): only models have")
    behind_events = {"raw.events", "core.identities"} if "core.events" in tables else set()
    if beside := set(statement.tables) - tables - behind_events:
        raise Terminal(f"a metric reads its own table and its joins, not {', '.join(sorted(beside))}")


def _text(expression: exp.Expression) -> str:
    return expression.sql(dialect=DIALECT, comments=False)
