"""A condition taken apart: what each of its parts asks, so that one sees which of them holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIALECT: Final = "duckdb"
Kind = Literal["all", "any", "not", "condition"]


@dataclass(frozen=True)
class Part:
    """One part of a condition: `all` and `any` of the parts that follow one `depth` below, `not` of the one, or a test.

    `sql` is the whole of it, `columns` those that a test names itself, in the order in which it does.
    """

    depth: int
    kind: Kind
    sql: str
    columns: tuple[str, ...]
    value_sql: str

    @property
    def label(self) -> str:
        """Return what people read: a test as it stands, else how those below count."""
        return {"all": "all of", "any": "any of", "not": "not"}.get(self.kind, self.sql)


def outline(where: str) -> list[Part]:
    """Return the parts of a condition from the outermost to the tests; `where` must be one, as `problem_in` says."""
    return list(_outline(sqlglot.parse_one(where, dialect=_DIALECT), 0))


def required(where: str) -> list[Part]:
    """Return the parts that all must hold: what AND joins outermost, or the one that there is."""
    tree = sqlglot.parse_one(where, dialect=_DIALECT).unnest()
    return [_part(each, 0, "condition") for each in _operands(tree, exp.And)]


def columns_of(where: str) -> tuple[str, ...]:
    """Return the columns that a condition names, each once."""
    return _columns(sqlglot.parse_one(where, dialect=_DIALECT))


def _outline(tree: exp.Expr, depth: int) -> Iterator[Part]:
    tree = tree.unnest()
    kind = _kind(tree)
    yield _part(tree, depth, kind)
    below = {"all": _operands(tree, exp.And), "any": _operands(tree, exp.Or), "not": [tree.this]}.get(
        kind, []
    )
    for operand in below:
        yield from _outline(operand, depth + 1)


def _kind(tree: exp.Expr) -> Kind:
    if isinstance(tree, exp.And):
        return "all"
    if isinstance(tree, exp.Or):
        return "any"
    is_not_of_several = isinstance(tree, exp.Not) and isinstance(
        tree.this.unnest(), exp.And | exp.Or | exp.Not
    )
    return "not" if is_not_of_several else "condition"


def _operands(tree: exp.Expr, joined_by: type[exp.Expr]) -> list[exp.Expr]:
    """Return what one word joins, be it in parentheses of its own."""
    if not isinstance(tree, joined_by):
        return [tree]
    sides = (tree.args["this"].unnest(), tree.args["expression"].unnest())
    return [operand for side in sides for operand in _operands(side, joined_by)]


def _part(tree: exp.Expr, depth: int, kind: Kind) -> Part:
    sql = tree.sql(dialect=_DIALECT, comments=False, normalize_functions=False)
    # An error in one part must not hide the others; of a query within it DuckDB takes no TRY.
    safe = sql if tree.find(exp.Query) is not None else f"TRY({sql})"
    columns = _columns(tree) if kind == "condition" else ()
    return Part(depth, kind, sql, columns, f"CAST({safe} AS BOOLEAN)")


def _columns(tree: exp.Expr) -> tuple[str, ...]:
    """Return the columns of the customer's own row; those of a query within are other rows'."""
    bound = {variable.name.lower() for scope in tree.find_all(exp.Lambda) for variable in scope.expressions}
    within = {id(each) for query in tree.find_all(exp.Query) for each in query.find_all(exp.Column)}
    names = (
        column.parts[0].name.lower()
        for column in tree.find_all(exp.Column, bfs=False)
        if id(column) not in within
    )
    return tuple(dict.fromkeys(name for name in names if name not in bound))
