"""All models, in the order in which they are run, and what is wrong with those that cannot be.

Those of the canonical entities are made by `lakehouse.models.entity_sql`, that of customers by
`lakehouse.models.golden_record`, unless a file fills the table. A file of people's own that is wrong stops its own
table, which keeps its rows, and the models that read it; the others are run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.definition_files import DefinitionLoader, Loaded, SameObject
from lakehouse.definitions import nearest
from lakehouse.errors import BadDefinition
from lakehouse.models import entity_sql, golden_record, tag
from lakehouse.models.model import ByGrain, Model
from lakehouse.models.model_file import parse, table_of
from lakehouse.models.select_statement import StatementError, columns_of
from lakehouse.sources import definition
from lakehouse.sources.mappable_entities import VIEWS
from lakehouse.sources.read_contracts import read_contracts
from lakehouse.tables import contracts as kept
from lakehouse.tables import score_tables
from lakehouse.tables.people import CUSTOMERS

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceKey
    from lakehouse.tables.contract import Contract

_load_files = DefinitionLoader(
    "models",
    ("lakehouse.models", "sql"),
    parse,
    lambda model: model.table,
    suffixes=(".sql",),
    key_of_file=table_of,
)


@dataclass(frozen=True)
class Models:
    """Models, inputs before those who read them, and by table what is wrong with those that are none."""

    in_order: tuple[Model, ...]
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_table(self) -> dict[str, Model]:
        """Return the models by the table that they fill."""
        return {model.table: model for model in self.in_order}

    @property
    def views(self) -> dict[str, Model]:
        """Return the models that write no rows, by name, those that others read first."""
        return {model.table: model for model in self.in_order if model.view}

    @property
    def contracts(self) -> dict[str, Contract]:
        """Return the contracts by name of all tables but the raw ones, whoever fills them."""
        return kept.BY_NAME | {model.table: model.contract for model in self.in_order}

    def stopped(self) -> set[str]:
        """Return the tables that are wrong, and those whose models read one of them, directly or by others."""
        stopped = set(self.wrong)
        for model in self.in_order:
            if not stopped.isdisjoint(model.inputs):
                stopped.add(model.table)
        return stopped


def load(overrides: Path | None = None) -> Models:
    """Return every model; `<overrides>/models/` overrides what is shipped, and adds to it.

    Wrong are a file that cannot be read, one that lacks columns of the shipped model that it replaces, an input that
    nothing fills, and models in a circle. Raises BadDefinition for an `overrides` that is not there, and for a source
    that is wrong.
    """
    files = _load_files.load_each(overrides)
    sources = definition.load(overrides)
    read = (files, sources, golden_record.read(overrides), tag.read(overrides))
    return _load(overrides, *map(SameObject, read))


@lru_cache(maxsize=4)
def _load(
    overrides: Path | None,
    files: SameObject[Loaded[str, Model]],
    sources: SameObject[dict[SourceKey, Source]],
    *_: SameObject[object],
) -> Models:
    """Return the models of what the loaders gave: they give the same objects until a file comes, goes or changes."""
    models = _entity_models() | files.it.definitions
    wrong = dict(files.it.wrong)
    _add_made_models(models, wrong, overrides)
    wrong |= _lacking_shipped_columns(files.it.definitions)
    wrong |= _not_fitting(models, wrong.keys(), list(sources.it.values()))
    wrong |= _in_circles(_sound(models, wrong))
    return Models(_behind_views(_in_order(_sound(models, wrong))), wrong)


def _add_made_models(models: dict[str, Model], wrong: dict[str, str], overrides: Path | None) -> None:
    """Add the models that are made of other definitions, unless somebody wrote them: golden record and tags."""
    if CUSTOMERS.name not in models and CUSTOMERS.name not in wrong:
        try:
            models[CUSTOMERS.name] = golden_record.model(golden_record.load(overrides))
        except BadDefinition as error:
            wrong[CUSTOMERS.name] = str(error)
    if tag.CUSTOMER_TAGS.name not in models and tag.CUSTOMER_TAGS.name not in wrong:
        models[tag.CUSTOMER_TAGS.name] = tag.model(load_tags(overrides).defined.values())


def _not_fitting(
    models: Mapping[str, Model], wrong: Collection[str], sources: Collection[Source]
) -> dict[str, str]:
    """Return which models do not fit what they read: an input that nothing fills, a grain of what an input lacks."""
    known = {f"mapped.{name}" for name in VIEWS} | {source.table for source in sources} | kept.BY_NAME.keys()
    contracts = kept.BY_NAME | read_contracts(sources)
    contracts |= {name: each.contract for name, each in models.items()}
    unknown = _unknown_inputs(models.values(), known.union(models, wrong))
    return unknown | _in_parts_of_views(models) | _in_parts_of_no_columns(models, contracts)


def _sound(models: Mapping[str, Model], wrong: Collection[str]) -> dict[str, Model]:
    return {table: model for table, model in models.items() if table not in wrong}


def behind_views(model: Model, views: Mapping[str, Model]) -> Model:
    """Return a model that reads the tables behind the views that its SQL names. `views` have been through this."""
    read = [views[name] for name in model.inputs if name in views]
    if not read:
        return model
    inputs = set(model.inputs).difference(views).union(*(view.inputs for view in read))
    behind = {each.table: each for view in read for each in (*view.views, view)}
    asked = (model, *read)
    return replace(
        model,
        inputs=tuple(sorted(inputs)),
        views=tuple(behind.values()),
        as_of=any(each.as_of for each in asked),
        time_zone=any(each.time_zone for each in asked),
    )


def _behind_views(in_order: Iterable[Model]) -> tuple[Model, ...]:
    views: dict[str, Model] = {}
    models = []
    for model in in_order:
        models.append(behind_views(model, views))
        if model.view:
            views[model.table] = models[-1]
    return tuple(models)


def load_tags(overrides: Path | None = None) -> tag.Tags:
    """Return every tag, and what is wrong with files that are none; raises as `load` does."""
    models = _load_files.load_each(overrides).definitions.values()
    return tag.load(overrides, {model.table: model.contract for model in models})


def shipped() -> dict[str, Model]:
    """Return the models whose files are shipped, by table."""
    return _load_files()


def _lacking_shipped_columns(models: Mapping[str, Model]) -> dict[str, str]:
    """Return what is wrong with models that replace shipped ones, by table.

    Segments, syncs and other models read the shipped columns, and a column has its number by its place: so they come
    first, as they are, and others after them.
    """
    wrong = {}
    for table, replaced in shipped().items():
        columns = replaced.contract.columns
        own = models[table].contract.columns if table in models else columns
        lacking = [
            column.name
            for place, column in enumerate(columns)
            if place >= len(own) or (own[place].name, own[place].type) != (column.name, column.type)
        ]
        if lacking:
            wrong[table] = (
                f"{models[table].where}: columns: others read the shipped {table}, so its columns come first, with "
                f"their names and types; not there: {', '.join(lacking)}"
            )
    return wrong


def _unknown_inputs(models: Iterable[Model], known: Collection[str]) -> dict[str, str]:
    return {
        model.table: f"{model.where}: {'; '.join(_no_such_input(name, known) for name in unknown)}"
        for model in models
        if (unknown := [name for name in model.inputs if name not in known])
    }


def _in_parts_of_views(models: Mapping[str, Model]) -> dict[str, str]:
    """Return what is wrong with models that are computed in part: rows behind a view do not say whose they are."""
    views = {table for table, model in models.items() if model.view}
    return {
        table: f"{model.where}: incremental: {', '.join(read)} is a view: read what is behind it, or compute all rows"
        for table, model in models.items()
        if model.incremental and (read := sorted(views.intersection(model.inputs)))
    }


def _in_parts_of_no_columns(models: Mapping[str, Model], contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Return what is wrong with models whose grain is said by columns that an input does not have.

    Nothing else would say so before the table is large enough to be computed in part.
    """
    wrong = {}
    for table, model in models.items():
        if not isinstance(model.incremental, ByGrain):
            continue
        problems = [
            problem
            for name, expression in model.incremental.expressions()
            if name in contracts
            for problem in _not_of(contracts[name], expression)
        ]
        if problems:
            wrong[table] = f"{model.where}: {'; '.join(problems)}"
    return wrong


def _not_of(contract: Contract, expression: str) -> list[str]:
    """Return what is wrong with an expression of a table's columns."""
    where = f"incremental.of.{contract.name}"
    known = [column.name for column in contract.columns]
    try:
        named = columns_of(expression)
    except StatementError as error:
        return [f"{where}: {error}"]
    return [
        f"{where}: there is no column {name}{nearest(name, known)}" for name in named if name not in known
    ]


def _no_such_input(name: str, known: Collection[str]) -> str:
    namespace = name.partition(".")[0]
    candidates = sorted(each for each in known if each.startswith(f"{namespace}."))
    return f"there is no {name}{nearest(name, candidates or sorted(known), shown_by='lakehouse models list')}"


def _in_circles(models: Mapping[str, Model]) -> dict[str, str]:
    """Return of each model that reads itself, directly or by others, the circle.

    Of a circle that people's own models close, these are wrong, and those that are shipped only wait for them. Scores
    read models: what they are computed from may read none of them.
    """
    are_shipped = _entity_models() | shipped()
    wrong: dict[str, str] = {}
    while True:
        left = {table: model for table, model in models.items() if table not in wrong}
        try:
            _in_order(left)
        except CycleError as error:
            circle = error.args[1]
            reason = f"models read each other in a circle: {' → '.join(circle)}"
            in_it = [table for table in circle if table in models]
            own = [table for table in in_it if models[table] is not are_shipped.get(table)]
            wrong |= {table: f"{models[table].where}: {reason}" for table in own or in_it}
        else:
            return wrong


def _in_order(models: Mapping[str, Model]) -> tuple[Model, ...]:
    """Return models so that each comes after those that fill its inputs; CycleError where there is no such order."""
    scores = {contract.name for contract in score_tables.ALL}
    known = models.keys() | scores
    graph = {table: [name for name in model.inputs if name in known] for table, model in models.items()}
    graph |= {
        name: [each for each in score_tables.COMPUTED_FROM if each in models] for name in sorted(scores)
    }
    in_order = TopologicalSorter(graph).static_order()
    return tuple(models[table] for table in in_order if table in models)


@lru_cache(maxsize=1)
def _entity_models() -> dict[str, Model]:
    """Return the models of the canonical entities by their table."""
    return {model.table: model for model in entity_sql.MODELS.values()}
