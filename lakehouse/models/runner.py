"""Runs the models whose inputs have moved, each into one commit that notes what it was computed from."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.engine.duck import WRONG_SQL
from lakehouse.errors import BadDefinition, CommitConflict
from lakehouse.models import registry
from lakehouse.models.registry import Model
from lakehouse.sources import definition, mapping_views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, data_files, ledger, views
from lakehouse.tables.contracts import BY_NAME

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog, Table
    from lakehouse.tables.contract import Contract

AS_OF = "as_of"
VERSION = "version"


@dataclass(frozen=True)
class Ran:
    """What a look computed, in order, and what is wrong with models that could not be computed."""

    committed: list[commit.Committed]
    wrong: list[str]


def pending(settings: Settings) -> list[str]:
    """Return the tables whose models would be run now, in order."""
    catalog = catalogs.open_catalog(settings)
    sources = list(definition.load(settings.definitions).values())
    tables = _Tables(catalog)
    stale: list[str] = []
    for model in registry.load(settings.definitions):
        due = _due(tables[model.table], _wanted(tables, model, sources, settings.as_of_day()))
        if due or set(model.inputs) & set(stale):
            stale.append(model.table)
    return stale


def run(settings: Settings) -> Ran:
    """Run every model whose inputs, SQL or day differ from what its rows were computed from.

    A model whose definition is wrong keeps its old rows, and so do those that read it; the others are run.
    Raises CommitConflict when another run was first: the message goes back, and the next look finds little to do.
    """
    catalog = catalogs.open_catalog(settings)
    sources = list(definition.load(settings.definitions).values())
    tables = _Tables(catalog)
    ran = Ran([], [])
    stuck: set[str] = set()
    with ExitStack() as ends:
        # one connection for all, made for the first that is due
        connect = cache(lambda: ends.enter_context(closing(duck.connect(settings))))
        for model in registry.load(settings.definitions):
            wanted = _wanted(tables, model, sources, settings.as_of_day())
            if set(model.inputs) & stuck:
                stuck.add(model.table)
            elif _due(tables[model.table], wanted):
                table = catalogs.ensure(catalog, model.contract)
                del tables[model.table]
                try:
                    read = prepare(connect(), catalog, model, sources, settings.as_of_day())
                    ran.committed.append(_run_one(connect(), model, table, read, wanted))
                except BadDefinition as error:
                    telemetry.failed("model cannot be computed", error, model=model.table)
                    ran.wrong.append(str(error))
                    stuck.add(model.table)
    return ran


def sources_tables(model: Model, sources: Iterable[Source]) -> set[str]:
    """Return the tables that a model reads, those behind `mapped.*` included."""
    tables: set[str] = set()
    for name in model.inputs:
        namespace, _, entity = name.partition(".")
        tables |= mapping_views.tables_of(entity, sources) if namespace == "mapped" else {name}
    return tables


def _due(table: Table | None, wanted: dict[str, str]) -> bool:
    return bool(wanted) and (table is None or commit.inputs(table) != wanted)


class _Tables(dict[str, "Table | None"]):
    """The tables as one look sees them, each asked for once; one that was written is asked for again.

    Which there are is asked first: most of the sources that are defined have sent nothing.
    """

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._catalog = catalog
        self._there = set(catalogs.table_names(catalog))

    def __missing__(self, name: str) -> Table | None:
        self[name] = catalogs.load(self._catalog, name) if name in self._there else None
        return self[name]

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._there.add(name)


def _wanted(tables: _Tables, model: Model, sources: list[Source], as_of: date) -> dict[str, str]:
    """Return what the model's rows should have been computed from; empty while none of its inputs has any.

    Rows computed from nothing would say that nobody is a customer, and the CRM would be told so. A model of what
    sources map needs some of that: who is who alone makes no ticket.
    """
    names = sorted(sources_tables(model, sources))
    wanted = {name: commit.head(tables[name]) for name in names}
    mapping = {name.removeprefix("mapped.") for name in model.inputs if name.startswith("mapped.")}
    needed = (
        {table for entity in mapping for table in mapping_views.tables_of(entity, sources)}
        if mapping
        else names
    )
    if not any(wanted[name] for name in needed):
        return {}
    for name in model.inputs:
        if name.startswith("mapped."):
            wanted[name] = mapping_views.version(name.removeprefix("mapped."), sources)
    wanted[VERSION] = model.version
    if model.as_of:
        wanted[AS_OF] = as_of.isoformat()
    return wanted


def _run_one(
    con: duckdb.DuckDBPyConnection, model: Model, table: Table, read: dict[str, Table], wanted: dict[str, str]
) -> commit.Committed:
    began = time.monotonic()
    base = table.current_snapshot()
    for name, seen in read.items():
        if wanted.get(name, commit.head(seen)) != commit.head(seen):
            raise CommitConflict(f"{name} moved while {model.table} was about to be computed; look again")
    try:
        written = data_files.write(con, table, model.sql, f"model-{uuid.uuid4()}")
    except WRONG_SQL as error:
        raise BadDefinition(f"{model.where}: {str(error).splitlines()[0]}") from error
    try:
        committed = commit.replace_all(
            table, written.files, computed_from=wanted, base=base.snapshot_id if base else None
        )
    except CommitConflict:
        data_files.discard(table, written)
        raise
    telemetry.info(
        "model computed", model=model.table, rows=written.rows, seconds=round(time.monotonic() - began, 2)
    )
    return committed


def _lacks(table: Table, contract: Contract | None) -> bool:
    have = {field.name for field in table.schema().fields}
    return contract is not None and not have.issuperset(column.name for column in contract.columns)


def prepare(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, model: Model, sources: list[Source], as_of: date
) -> dict[str, Table]:
    """Make a model's inputs and the variable `as_of` ready on a connection; return the tables it reads.

    What an earlier model found there goes: a model that reads what its header does not name must not work by chance.
    """
    for namespace in (*catalogs.NAMESPACES, "mapped"):
        con.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")
    names = sources_tables(model, sources)
    tables = views.attach(con, catalog, names)
    contracts = BY_NAME | {source.table: source.contract for source in sources}
    # What no source has sent yet is empty, and no table is made of it. What the mapping names since grows here.
    unsent = {name for name in names if name not in tables and name.startswith("raw.")}
    sources = [source for source in sources if source.table not in unsent]
    late = {
        name for name in names - unsent if name not in tables or _lacks(tables[name], contracts.get(name))
    }
    if late:
        for name in late:
            catalogs.ensure(catalog, contracts[name])
        tables = views.attach(con, catalog, names - unsent)
    for name in unsent & set(model.inputs):
        con.execute(f"CREATE OR REPLACE VIEW {name} AS {views.nothing_sql(contracts[name])}")
    if {"raw.events", "core.identities"} <= names:
        con.execute(views.EVENTS)
    con.execute("CREATE SCHEMA IF NOT EXISTS mapped")
    for name in model.inputs:
        if name.startswith("mapped."):
            entity = name.removeprefix("mapped.")
            lists = [source.table for source in sources if source.full_export and entity in source.core]
            loads = {table: ledger.loads(catalog, tables[table]) for table in lists if table in tables}
            incomplete = {file for of in loads.values() for file, load in of.items() if not load.complete}
            empty = {
                table: {file: load.since for file, load in of.items() if load.empty}
                for table, of in loads.items()
            }
            con.execute(
                f"CREATE OR REPLACE VIEW {name} AS {mapping_views.entity_sql(entity, sources, incomplete, empty)}"
            )
    con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [as_of])
    return tables
