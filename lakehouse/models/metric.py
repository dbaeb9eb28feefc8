"""The dictionary of metrics: each a number with one meaning, an aggregate over a table and what it may be divided by.

A table may be joined to others, whose rows are found by their key: so no row counts twice, whatever a metric is divided
by. A ratio is one metric over another, of any two tables, by dimensions that mean the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlglot import exp

from lakehouse.definition_files import DefinitionLoader, Loaded, SameObject
from lakehouse.definitions import Problem, find_line, nearest, parse_yaml
from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.models.select_statement import StatementError, parse_statement, statement_of
from lakehouse.sources import definition
from lakehouse.sources.read_contracts import read_contracts

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceKey
    from lakehouse.tables.contract import Contract

BASE: Final = "base"  # what a metric's own table is called in its SQL
_NAME: Final = r"^[a-z][a-z0-9_]*$"
_NO_EXPRESSION: Final = (exp.Query, exp.Window)
_IS_RATIO: Final = re.compile(r"^ratio\s*:", re.MULTILINE)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Join(_Strict):
    """Another table, of which each row of the metric's table finds one row at most.

    `key` says of each column of that table's key what it must equal; of a table with history without `valid_from`: the
    version that holds now is found. Its columns are `<name>.<column>` in dimensions.
    """

    called_by: ClassVar[str] = "name"

    name: str = Field(pattern=_NAME)
    table: str
    key: dict[str, str] = Field(min_length=1)


class Metric(_Strict):
    """A metric. `sql` is an aggregate over the columns of `table`, `where` says which of its rows count.

    `dimensions` are what it may be divided by: an expression over the columns of the table and of `joins`, by name.
    """

    name: str = Field(pattern=_NAME)
    title: str
    zh: str = ""
    question: str
    table: str
    joins: tuple[Join, ...] = ()
    where: str = ""
    sql: str
    dimensions: dict[str, str] = Field(default_factory=dict)
    unit: str
    owner: str

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Yield the SQL expressions of the metric, each with its field."""
        yield "sql", self.sql
        if self.where:
            yield "where", self.where
        for name, text in self.dimensions.items():
            yield f"dimensions.{name}", text
        for join in self.joins:
            for column, text in join.key.items():
                yield f"joins.{join.name}.key.{column}", text

    def read_columns(self) -> Iterator[str]:
        """Yield the columns of tables that the metric reads, as `<namespace>.<table>.<column>`."""
        tables = {BASE: self.table} | {join.name: join.table for join in self.joins}
        for _, text in self.expressions():
            for table, column in _said_by(text).columns:
                yield f"{tables[table]}.{column}"


class Parts(_Strict):
    """The names of the metrics that a ratio is made of."""

    of: str
    over: str


class RatioFile(_Strict):
    """One metric over another. `dimensions` are names of dimensions of both, that mean the same in both."""

    name: str = Field(pattern=_NAME)
    title: str
    zh: str = ""
    question: str
    ratio: Parts
    dimensions: tuple[str, ...] = ()
    unit: str
    owner: str


class Ratio(RatioFile):
    """A ratio with the metrics that it is made of."""

    of: Metric
    over: Metric


@dataclass(frozen=True)
class Metrics:
    """The metrics that can be asked, by name, and what is wrong with each file that cannot, by its name."""

    defined: Mapping[str, Metric | Ratio]
    wrong: Mapping[str, str]


def read_expression(text: str) -> exp.Expression:
    """Return the tree of one expression, its columns named with their table; StatementError for anything else."""
    return _with_tables(parse_statement(f"SELECT {text}"))


def _with_tables(tree: exp.Query) -> exp.Expression:
    expression = _one_expression(tree)
    stars = [star for star in expression.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    if stars or expression.find(*_NO_EXPRESSION):
        raise StatementError("an expression has no SELECT, no window and no * in it")
    for column in expression.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier(BASE))
    return expression


def _one_expression(tree: exp.Query) -> exp.Expression:
    beside = [name for name, part in tree.args.items() if part and name not in ("expressions", "kind")]
    if beside or not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        raise StatementError("not one expression")
    expression: exp.Expression = tree.expressions[0]
    if isinstance(expression, exp.Alias):
        raise StatementError("an expression has no name of its own: leave out AS")
    return expression


def aggregates(expression: exp.Expression) -> bool:
    """Return whether there is an aggregate in an expression."""
    return expression.find(exp.AggFunc) is not None


def parse(text: str, where: str) -> Metric | RatioFile:
    """Read one definition; BadDefinition names the file, all that is wrong, and its line."""
    model: type[Metric | RatioFile] = RatioFile if _IS_RATIO.search(text) else Metric
    metric = parse_yaml(text, where, model)
    problems = []
    if isinstance(metric, Metric):
        problems += [
            Problem(field, find_line(text, field, Metric), reason)
            for field, expression in metric.expressions()
            if (reason := _wrong_expression(field, expression))
        ]
    if metric.name != PurePath(where).stem:
        line = find_line(text, "name", model)
        problems.append(Problem("name", line, f"{metric.name!r} must be the file's own name"))
    if problems:
        raise BadDefinition(f"{where}: {'; '.join(map(str, problems))}")
    return metric


@dataclass(frozen=True)
class _Said:
    """What one expression says: the columns that it names, each with its table, and what else is asked of it."""

    columns: tuple[tuple[str, str], ...]
    aggregates: bool
    all_aggregated: bool  # no column stands outside of all aggregates
    variables: bool


@lru_cache(maxsize=4096)
def _said_by(text: str) -> _Said:
    """Return what an expression says, which is asked several times of each; StatementError for what is none."""
    tree = parse_statement(f"SELECT {text}")
    expression = _with_tables(tree)
    columns = list(expression.find_all(exp.Column))
    return _Said(
        columns=tuple((column.table, column.name) for column in columns),
        aggregates=aggregates(expression),
        all_aggregated=all(column.find_ancestor(exp.AggFunc, exp.Filter) for column in columns),
        variables=bool(statement_of(tree).variables),
    )


def _wrong_expression(field: str, text: str) -> str:
    """Return what is wrong with one expression by itself; empty where nothing is."""
    try:
        said = _said_by(text)
    except StatementError as error:
        return str(error)
    if said.variables:
        return "a metric has no getvariable(…): only models have"
    if field != "sql":
        return "an aggregate stands in `sql` alone" if said.aggregates else ""
    if not said.aggregates:
        return "no aggregate: say sum(…), count(…) or the like"
    return "" if said.all_aggregated else "a column stands outside of all aggregates"


_load = DefinitionLoader("metrics", ("lakehouse.models", "metrics"), parse, lambda metric: metric.name)


def load(overrides: Path | None = None) -> Metrics:
    """Return every metric: those shipped, overridden by the files below `<overrides>/metrics/`.

    A file that is wrong, or names a table or column that is not there, stops its own metric alone. Raises BadDefinition
    for an `overrides` that is not there, and for a source that is wrong.
    """
    read = (_load.load_each(overrides), registry.load(overrides), definition.load(overrides))
    return _checked(*map(SameObject, read))


@lru_cache(maxsize=4)
def _checked(
    loaded: SameObject[Loaded[str, Metric | RatioFile]],
    models: SameObject[registry.Models],
    sources: SameObject[dict[SourceKey, Source]],
) -> Metrics:
    """Return the metrics of what the loaders gave: they give the same objects until a file comes, goes or changes."""
    contracts = dict(models.it.contracts) | read_contracts(sources.it.values())
    wrong = dict(loaded.it.wrong)
    defined: dict[str, Metric | Ratio] = {}
    for name, metric in loaded.it.definitions.items():
        if isinstance(metric, RatioFile):
            continue
        if reasons := list(_unknown(metric, contracts)):
            wrong[name] = f"{name}.yaml: {'; '.join(reasons)}"
        else:
            defined[name] = metric
    metrics = {name: metric for name, metric in defined.items() if isinstance(metric, Metric)}
    for name, ratio in loaded.it.definitions.items():
        if not isinstance(ratio, RatioFile):
            continue
        if reasons := list(_unknown_parts(ratio, metrics)):
            wrong[name] = f"{name}.yaml: {'; '.join(reasons)}"
        else:
            parts = {"of": metrics[ratio.ratio.of], "over": metrics[ratio.ratio.over]}
            defined[name] = Ratio(**dict(ratio), **parts)
    return Metrics({name: defined[name] for name in sorted(defined)}, wrong)


def _unknown_parts(ratio: RatioFile, metrics: Mapping[str, Metric]) -> Iterator[str]:
    """Yield which metrics a ratio names that are not there, or are ratios, and dimensions that one of them lacks."""
    for field, name in ratio.ratio:
        if name not in metrics:
            near = nearest(name, sorted(metrics), shown_by="lakehouse metrics list")
            yield f"ratio.{field}: there is no metric of a table {name!r}{near}"
            continue
        dimensions = metrics[name].dimensions
        for dimension in ratio.dimensions:
            if dimension not in dimensions:
                yield f"dimensions: {name} has no dimension {dimension!r}{nearest(dimension, list(dimensions))}"


def _unknown(metric: Metric, contracts: Mapping[str, Contract]) -> Iterator[str]:
    """Yield what a metric names that is not there, and joins that could find more than one row."""
    tables = {BASE: metric.table} | {join.name: join.table for join in metric.joins}
    missing = [table for table in tables.values() if table not in contracts]
    for table in missing:
        yield f"there is no {table}{nearest(table, sorted(contracts), shown_by='lakehouse models list')}"
    if missing:
        return
    if len(tables) <= len(metric.joins):
        yield f"joins: two have one name, or one is called {BASE}, as the metric's own table is"
    yield from _unknown_columns(metric, {name: contracts[table] for name, table in tables.items()})
    for join in metric.joins:
        yield from _loose_join(join, metric.table, contracts[join.table])


def _unknown_columns(metric: Metric, contracts: Mapping[str, Contract]) -> Iterator[str]:
    for field, text in metric.expressions():
        for table, column in _said_by(text).columns:
            contract = contracts.get(table)
            if contract is None:
                yield f"{field}: there is no join {table!r}{nearest(table, list(contracts))}"
                continue
            names = [each.name for each in contract.columns]
            if column not in names:
                yield f"{field}: {contract.name} has no column {column}{nearest(column, names)}"


def _loose_join(join: Join, table: str, contract: Contract) -> Iterator[str]:
    """Yield why a join could find more than one row."""
    for text in join.key.values():
        if any(said_of != BASE for said_of, _ in _said_by(text).columns):
            yield f"joins.{join.name}.key: it is found by columns of {table} alone"
    key = [column for column in contract.key if column != "valid_from"]
    if set(key) != join.key.keys():
        yield f"joins.{join.name}.key: one row is found by the key of {join.table}: {', '.join(key)}"
