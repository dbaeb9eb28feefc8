"""What a model's SQL reads: planned without any I/O, then made ready on a connection.

Sources are defined for many systems, and most lakes have files of few of them. An input that no source has sent yet is
a view without rows, and no table is made for it. A table that lacks what a newer mapping names grows first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from lakehouse.engine import normal_forms
from lakehouse.engine.moments import UTC
from lakehouse.sources import mapping_views
from lakehouse.sources.mappable_entities import CARRIED_ADDRESSES
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.catalog import RAW
from lakehouse.tables.contracts import BY_NAME

if TYPE_CHECKING:
    import duckdb

    from lakehouse.models.registry import Model
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog, Table
    from lakehouse.tables.contract import Contract
    from lakehouse.tables.ledger import Load

MAPPED = "mapped"  # the namespace of what sources map: views, never tables
AS_OF = "as_of"
TIME_ZONE = "time_zone"
VERSION = "version"
_EVENTS_NEED = frozenset({"raw.events", "core.identities"})


@dataclass(frozen=True)
class InputPlan:
    """How the inputs of one model are made ready.

    `tables` are attached as views. Those of `outgrown` are the models' own and do not exist, or lack columns of their
    contract: they are brought up to it first. Raw tables are read as their contracts say, whatever they lack, and
    never changed. `empty` become views without rows. `entities` are mapped from `sources`, which have all
    sent something; of the raw tables `loads_of` the ledger is asked what was loaded of each file.
    """

    tables: tuple[str, ...]
    outgrown: tuple[Contract, ...]
    empty: tuple[Contract, ...]
    entities: tuple[str, ...]
    sources: tuple[Source, ...]
    loads_of: tuple[str, ...]
    events: bool

    def views(self, loads: Mapping[str, Mapping[str, Load]]) -> dict[str, str]:
        """Return the SQL of the views besides those of the tables, by name.

        `loads` says of each of `loads_of` what was loaded of its raw files, by file id.
        """
        sql = {contract.name: views.nothing_sql(contract) for contract in self.empty}
        for entity in self.entities:
            sql[f"{MAPPED}.{entity}"] = _entity_sql(entity, self.sources, loads)
        return sql


def plan_inputs(model: Model, sources: Sequence[Source], columns: Mapping[str, Collection[str]]) -> InputPlan:
    """Decide how a model's inputs are made ready, given the columns of those of its tables that exist."""
    contracts = BY_NAME | {source.table: source.contract for source in sources}
    names = tables_read(model, sources)
    own = {name for name in names if not name.startswith(f"{RAW}.")}
    unsent = names - own - columns.keys()
    empty = unsent.intersection(model.inputs)
    entities = _mapped_entities(model)
    sending = tuple(source for source in sources if source.table not in unsent)
    return InputPlan(
        tables=tuple(sorted(names - unsent)),
        outgrown=tuple(_outgrown(sorted(own), contracts, columns)),
        empty=tuple(contracts[name] for name in sorted(empty)),
        entities=entities,
        sources=sending,
        loads_of=_loads_of(entities, sending),
        events=(names - unsent | empty) >= _EVENTS_NEED,
    )


def tables_read(model: Model, sources: Sequence[Source]) -> set[str]:
    """Return the tables that a model reads, those that its `mapped.*` inputs are mapped from included."""
    entities = _mapped_entities(model)
    tables = set(model.inputs).difference(f"{MAPPED}.{entity}" for entity in entities)
    return tables | _mapped_from(entities, sources)


def namespaces_of(models: Iterable[Model], sources: Sequence[Source]) -> list[str]:
    """Return the namespaces that models read or fill."""
    tables = {name for model in models for name in (model.table, *tables_read(model, sources))}
    return sorted({name.partition(".")[0] for name in tables})


def expected_inputs(
    model: Model, sources: Sequence[Source], heads: Mapping[str, str], as_of: date, time_zone: str = UTC
) -> dict[str, str]:
    """Return what the model's rows should have been computed from, by name: snapshots, and versions of definitions.

    `heads` has the head of each table that the model reads, "" for one without rows. The answer is empty while there
    is nothing to compute from: rows computed from nothing would say that nobody is a customer, and everybody would be
    taken off the CRM. A model of mapped entities needs rows of those: who is who alone makes no ticket.
    """
    entities = _mapped_entities(model)
    tables = tables_read(model, sources)
    needed = _mapped_from(entities, sources) if entities else tables
    if not any(heads[name] for name in needed):
        return {}
    expected = {name: heads[name] for name in tables}
    for entity in entities:
        expected[f"{MAPPED}.{entity}"] = mapping_views.version(entity, sources)
    expected[VERSION] = model.version
    if model.as_of:
        expected[AS_OF] = as_of.isoformat()
    if model.time_zone:
        expected[TIME_ZONE] = time_zone
    return expected


def prepare(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    model: Model,
    sources: Sequence[Source],
    as_of: date,
    time_zone: str = UTC,
) -> dict[str, Table]:
    """Make a model's inputs and its variables ready on a connection; return the tables it reads, by name.

    The variables are `as_of`, the day that is looked back from, and `time_zone`, that of the business.

    The views of an earlier model are dropped: a model that reads what its header does not name must not work by
    chance.
    """
    _drop_views(con)
    names = tables_read(model, sources)
    contracts = [source.contract for source in sources if source.table in names]
    tables = views.attach(con, catalog, names, contracts)
    plan = plan_inputs(model, sources, {name: _columns(table) for name, table in tables.items()})
    if plan.outgrown:
        for contract in plan.outgrown:
            catalogs.ensure(catalog, contract)
        tables = views.attach(con, catalog, plan.tables, contracts)
    loads = ledger.loads_by_table(catalog, [tables[name] for name in plan.loads_of])
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {MAPPED}")
    for name, sql in plan.views(loads).items():
        normal_forms.create_for(con, sql)
        con.execute(f"CREATE OR REPLACE VIEW {name} AS {sql}")
    if plan.events:
        con.execute(views.EVENTS)
    con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [as_of])
    con.execute("SET VARIABLE time_zone = ?", [time_zone])
    return tables


def _drop_views(con: duckdb.DuckDBPyConnection) -> None:
    for namespace in (*catalogs.NAMESPACES, MAPPED):
        con.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")


def _mapped_entities(model: Model) -> tuple[str, ...]:
    prefix = f"{MAPPED}."
    return tuple(name.removeprefix(prefix) for name in model.inputs if name.startswith(prefix))


def _mapped_from(entities: Iterable[str], sources: Sequence[Source]) -> set[str]:
    """Return the raw tables that any of the entities is mapped from."""
    tables: set[str] = set()
    for entity in entities:
        tables |= mapping_views.tables_of(entity, sources)
    return tables


def _outgrown(
    names: Iterable[str], contracts: Mapping[str, Contract], columns: Mapping[str, Collection[str]]
) -> Iterable[Contract]:
    """Yield the contracts of the tables that do not exist, or lack a column that their contract names."""
    for name in names:
        missing = {column.name for column in contracts[name].columns}.difference(columns.get(name, ()))
        if missing:
            yield contracts[name]


def _full_exports(entities: Iterable[str], sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the raw tables that hold full exports of one of the entities: a missing record was deleted."""
    listed = list(sources)
    mapped_from = _mapped_from(entities, listed)
    return tuple(source.table for source in listed if source.full_export and source.table in mapped_from)


def _loads_of(entities: Collection[str], sources: Sequence[Source]) -> tuple[str, ...]:
    """Return the raw tables of which the entities' views ask what each file was: complete, without some columns."""
    asked = set(_full_exports(entities, sources))
    if CARRIED_ADDRESSES in entities:
        asked |= mapping_views.tables_of(CARRIED_ADDRESSES, sources)
    return tuple(sorted(asked))


def _entity_sql(entity: str, sources: Sequence[Source], loads: Mapping[str, Mapping[str, Load]]) -> str:
    """Return the SELECT of a mapped entity, given what was loaded of each file."""
    incomplete: set[str] = set()
    empty: dict[str, dict[str, datetime]] = {}
    for table in _full_exports([entity], sources):
        files = loads.get(table, {})
        incomplete.update(file_id for file_id, load in files.items() if not load.complete)
        empty[table] = {file_id: load.since for file_id, load in files.items() if load.empty}
    absent = {table: ledger.absent_columns(files) for table, files in loads.items()}
    return mapping_views.entity_sql(entity, sources, incomplete, empty, absent)


def _columns(table: Table) -> set[str]:
    return {field.name for field in table.schema().fields}
