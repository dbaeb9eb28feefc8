"""Runs the models whose inputs have moved, each into one commit that notes what it was computed from."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from lakehouse import signals, telemetry
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.models import registry
from lakehouse.models.registry import Model
from lakehouse.sources import definition, mapped
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, datafiles, views
from lakehouse.tables.contracts import BY_NAME

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog, Table

AS_OF = "as_of"
VERSION = "version"


def pending(settings: Settings) -> list[str]:
    """Return the tables whose models would be run now, in order."""
    catalog = catalogs.open_catalog(settings)
    sources = list(definition.load(settings.definitions).values())
    models = registry.load(settings.definitions)
    stale: list[str] = []
    for model in models:
        table = catalogs.load(catalog, model.table)
        wanted = _wanted(catalog, model, sources, settings.as_of_day())
        moved = table is None or commit.inputs(table) != wanted
        if moved or set(model.inputs) & set(stale):
            stale.append(model.table)
    return stale


def run(settings: Settings) -> list[str]:
    """Run every model whose inputs, SQL or day differ from what its rows were computed from; return their tables.

    Raises CommitConflict when another run was first: the message goes back, and the next look finds little to do.
    """
    catalog = catalogs.open_catalog(settings)
    sources = list(definition.load(settings.definitions).values())
    committed: list[commit.Committed] = []
    for model in registry.load(settings.definitions):
        table = catalogs.ensure(catalog, model.contract)
        wanted = _wanted(catalog, model, sources, settings.as_of_day())
        if commit.inputs(table) != wanted:
            committed.append(_run_one(settings, catalog, model, table, sources, wanted))
    for commit_made in committed:  # at the end: what listens to one of them would find the others stale
        signals.table_committed(commit_made.table, commit_made.snapshot_id)
    return [commit_made.table for commit_made in committed]


def sources_tables(model: Model, sources: Iterable[Source]) -> set[str]:
    """Return the tables that a model reads, those behind `mapped.*` included."""
    tables: set[str] = set()
    for name in model.inputs:
        namespace, _, entity = name.partition(".")
        tables |= mapped.tables_of(entity, sources) if namespace == "mapped" else {name}
    return tables


def _wanted(catalog: Catalog, model: Model, sources: list[Source], as_of: date) -> dict[str, str]:
    names = sorted(sources_tables(model, sources))
    wanted = {name: commit.head(catalogs.load(catalog, name)) for name in names}
    wanted[VERSION] = model.version
    if model.as_of:
        wanted[AS_OF] = as_of.isoformat()
    return wanted


def _run_one(
    settings: Settings,
    catalog: Catalog,
    model: Model,
    table: Table,
    sources: list[Source],
    wanted: dict[str, str],
) -> commit.Committed:
    began = time.monotonic()
    base = table.current_snapshot()
    con = duck.connect(settings)
    try:
        read = prepare(con, catalog, model, sources, settings.as_of_day())
        for name, seen in read.items():
            if wanted.get(name, commit.head(seen)) != commit.head(seen):
                raise CommitConflict(f"{name} moved while {model.table} was about to be computed; look again")
        written = datafiles.write(con, table, model.sql, f"model-{uuid.uuid4()}")
    finally:
        con.close()
    committed = commit.replace_all(
        table, written.files, computed_from=wanted, base=base.snapshot_id if base else None
    )
    telemetry.info(
        "model computed", model=model.table, rows=written.rows, seconds=round(time.monotonic() - began, 2)
    )
    return committed


def prepare(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, model: Model, sources: list[Source], as_of: date
) -> dict[str, Table]:
    """Make a model's inputs and the variable `as_of` ready on a connection; return the tables it reads."""
    names = sources_tables(model, sources)
    for source in sources:
        if source.table in names:
            catalogs.ensure(catalog, source.contract)
    for name in names - {source.table for source in sources}:
        if name in BY_NAME:
            catalogs.ensure(catalog, BY_NAME[name])
    tables = views.attach(con, catalog, names)
    con.execute("CREATE SCHEMA IF NOT EXISTS mapped")
    for name in model.inputs:
        if name.startswith("mapped."):
            con.execute(f"CREATE VIEW {name} AS {mapped.entity_sql(name.removeprefix('mapped.'), sources)}")
    con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [as_of])
    return tables
