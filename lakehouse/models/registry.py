"""Reads the models: SQL files whose header names the table they fill and the inputs they read.

Those of the canonical entities are made by `lakehouse.models.entity_sql`, that of customers by
`lakehouse.models.golden_record`, unless a file fills the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import Problem, nearest
from lakehouse.errors import BadDefinition
from lakehouse.models import entity_sql, golden_record
from lakehouse.sources import definition
from lakehouse.sources.mappable_entities import VIEWS
from lakehouse.tables.contract import Contract
from lakehouse.tables.contracts import BY_NAME, CORE, MARTS
from lakehouse.tables.people import CUSTOMERS, EVIDENCE, IDENTITIES, MATCH_KEYS, MATCHES, OBSERVATIONS

# Ingest fills the raw tables, books those of the system itself, and resolve says who is who.
BY_RESOLVE = {contract.name for contract in (IDENTITIES, OBSERVATIONS, EVIDENCE, MATCHES, MATCH_KEYS)}
FILLED = {contract.name for contract in (*CORE, *MARTS)} - BY_RESOLVE


@dataclass(frozen=True)
class Model:
    """One model. `inputs` are tables, or `mapped.<entity>` for what the sources map.

    `as_of` says whether its rows depend on the day that is looked back from, `time_zone` whether on the zone of the
    business; `where` names its file.
    """

    table: str
    inputs: tuple[str, ...]
    sql: str
    as_of: bool
    where: str = ""
    time_zone: bool = False

    @property
    def contract(self) -> Contract:
        """Return the contract of the table the model fills."""
        return BY_NAME[self.table]

    @property
    def version(self) -> str:
        """Return what changes when the SQL changes: its rows are then computed anew."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _HeaderLine:
    value: str
    line: int  # from 1


def parse(text: str, where: str) -> Model:
    """Read one SQL file; BadDefinition names the file, and the header line that is missing or wrong."""
    header = _header(text)
    for name in ("table", "inputs"):
        if name not in header:
            raise BadDefinition(f"{where}: {Problem(name, 0, f'the header lacks `-- {name}: …`')}")
    table, inputs = header["table"], header["inputs"]
    if table.value not in FILLED:
        message = f"{table.value!r} is none that models fill{nearest(table.value, sorted(FILLED))}"
        raise BadDefinition(f"{where}: {Problem('table', table.line, message)}")
    as_of, time_zone = (_depends_on(name, header, text, where) for name in ("as_of", "time_zone"))
    input_names = (name.strip() for name in inputs.value.split(","))
    return Model(table.value, tuple(filter(None, input_names)), text, as_of, where, time_zone)


def _depends_on(name: str, header: Mapping[str, _HeaderLine], text: str, where: str) -> bool:
    """Return whether a header line says yes; one that is not there says no.

    BadDefinition where the SQL uses the variable of that name all the same: its rows would not be computed anew.
    """
    says = header.get(name, _HeaderLine("no", 0))
    if says.value not in ("yes", "no"):
        message = f"{says.value!r} is neither yes nor no"
        raise BadDefinition(f"{where}: {Problem(name, says.line, message)}")
    if says.value == "no" and f"getvariable('{name}')" in text:
        message = f"the SQL uses getvariable('{name}'): say `-- {name}: yes` in the header"
        raise BadDefinition(f"{where}: {Problem(name, says.line, message)}")
    return says.value == "yes"


_load_files = DefinitionLoader(
    "models", ("lakehouse.models", "sql"), parse, lambda model: model.table, suffixes=(".sql",)
)


def load(overrides: Path | None = None) -> tuple[Model, ...]:
    """Return every model, inputs before those who read them; `<overrides>/models/` overrides what is shipped.

    Raises BadDefinition for a header that is wrong, two files that fill one table, an input that nothing fills, and
    models in a circle.
    """
    customers = parse(golden_record.model_sql(golden_record.load(overrides)), CUSTOMERS.name)
    models = _entity_models() | {customers.table: customers} | _load_files(overrides)
    sources = definition.load(overrides).values()
    mapped = {f"mapped.{name}" for name in VIEWS}
    _check_inputs(models.values(), mapped | BY_NAME.keys() | {source.table for source in sources})
    return _in_order(models)


def _in_order(models: Mapping[str, Model]) -> tuple[Model, ...]:
    """Return models so that each comes after those that fill its inputs; BadDefinition where there is no such order."""
    graph = {table: [name for name in model.inputs if name in models] for table, model in models.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BadDefinition(f"models read each other in a circle: {' → '.join(error.args[1])}") from error
    return tuple(models[table] for table in order)


def _header(text: str) -> dict[str, _HeaderLine]:
    """Return the `-- name: value` lines before the SQL; of two with one name the first."""
    header: dict[str, _HeaderLine] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("--"):
            break
        name, _, value = line.removeprefix("--").partition(":")
        header.setdefault(name.strip(), _HeaderLine(value.strip(), number))
    return header


@lru_cache(maxsize=1)
def _entity_models() -> dict[str, Model]:
    """Return the models of the canonical entities by their table."""
    models = (parse(text, f"core.{name}") for name, text in entity_sql.MODELS.items())
    return {model.table: model for model in models}


def _check_inputs(models: Iterable[Model], known: Collection[str]) -> None:
    for model in models:
        for name in model.inputs:
            if name not in known:
                line = _header(model.sql)["inputs"].line
                raise BadDefinition(f"{model.where}: {Problem('inputs', line, _no_such_input(name, known))}")


def _no_such_input(name: str, known: Collection[str]) -> str:
    if name == "core.events":
        return "core.events is a view of raw.events, core.identities: name both"
    namespace = name.partition(".")[0]
    candidates = sorted(each for each in known if each.startswith(f"{namespace}."))
    return f"there is no {name}{nearest(name, candidates or sorted(known))}"
