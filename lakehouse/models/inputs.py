"""What a model's SQL reads: planned without any I/O, then made ready on a connection.

Sources are defined for many systems, and most lakes have files of few of them. An input that nobody has filled yet is a
view without rows, and no table is made for it. A table that lacks what a newer contract or mapping names is read as if
it had it: no model changes a table that it reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from lakehouse.engine import normal_forms, user_agents
from lakehouse.engine.moments import UTC
from lakehouse.sources import mapping_views
from lakehouse.sources.mappable_entities import CARRIED_ADDRESSES
from lakehouse.sources.read_contracts import read_contracts
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views

if TYPE_CHECKING:
    import duckdb

    from lakehouse.models.model import Model
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog, Table
    from lakehouse.tables.contract import Contract
    from lakehouse.tables.ledger import Load

MAPPED = "mapped"  # the namespace of what sources map: views, never tables
AS_OF = "as_of"
TIME_ZONE = "time_zone"
VERSION = "version"
_EVENTS = "core.events"
_EVENTS_NEED = frozenset({"raw.events", "core.identities"})


@dataclass(frozen=True)
class InputPlan:
    """How the inputs of one model are made ready.

    `tables` are shown as views, as their contracts say. `empty` become views without rows. `entities` are mapped from
    `sources`, which have all sent something; of the raw tables `loads_of` the ledger is asked what was loaded of each
    file.
    """

    tables: tuple[str, ...]
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


def plan_inputs(
    model: Model, sources: Sequence[Source], contracts: Mapping[str, Contract], existing: Collection[str]
) -> InputPlan:
    """Decide how a model's inputs are made ready. `contracts` are those of its inputs, `existing` names tables."""
    names = tables_read(model, sources)
    missing = names.difference(existing)
    empty = missing.intersection(model.inputs)
    entities = _mapped_entities(model)
    sending = tuple(source for source in sources if source.table not in missing)
    return InputPlan(
        tables=tuple(sorted(names - missing)),
        empty=tuple(contracts[name] for name in sorted(empty)),
        entities=entities,
        sources=sending,
        loads_of=_loads_of(entities, sending),
        events=(names - missing | empty) >= _EVENTS_NEED,
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


class InputViews:
    """The inputs of models as views on one connection; one that is as it was is not made again.

    `contracts` are those of all tables by name. The variables of the connection are `as_of`, the day that is looked
    back from, and `time_zone`, that of the business.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        sources: Sequence[Source],
        contracts: Mapping[str, Contract],
        as_of: date,
        time_zone: str = UTC,
    ) -> None:
        self._con = con
        self._sources = sources
        self._contracts = dict(contracts) | read_contracts(sources)
        self._made: dict[str, str] = {}
        for namespace in (*catalogs.NAMESPACES, MAPPED):
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [as_of])
        con.execute("SET VARIABLE time_zone = ?", [time_zone])

    def show(self, model: Model, tables: Mapping[str, Table], catalog: Catalog) -> None:
        """Make what a model reads ready. `tables` are those that exist, as they are to be seen, by name."""
        plan = plan_inputs(model, self._sources, self._contracts, tables.keys())
        user_agents.create_for(self._con, model.sql)
        for name in plan.tables:
            self._make(name, views.scan_as_sql(tables[name], self._contracts[name]))
        loads = ledger.loads_by_table(catalog, [tables[name] for name in plan.loads_of])
        for name, sql in plan.views(loads).items():
            if self._made.get(name) != sql:
                normal_forms.create_for(self._con, sql)
            self._make(name, sql)
        if plan.events and self._made.get(_EVENTS) != (behind := self._made["raw.events"]):
            self._con.execute(views.EVENTS)
            self._made[_EVENTS] = behind
        for view in model.views:
            self._make(view.table, view.rows_sql)

    def narrow(self, name: str, sql: str) -> None:
        """Have an input show other rows, until it is shown again."""
        self._make(name, sql)

    def _make(self, name: str, sql: str) -> None:
        if self._made.get(name) != sql:
            self._con.execute(f"CREATE OR REPLACE VIEW {name} AS {sql}")
            self._made[name] = sql


def _mapped_entities(model: Model) -> tuple[str, ...]:
    prefix = f"{MAPPED}."
    return tuple(name.removeprefix(prefix) for name in model.inputs if name.startswith(prefix))


def _mapped_from(entities: Iterable[str], sources: Sequence[Source]) -> set[str]:
    """Return the raw tables that any of the entities is mapped from."""
    tables: set[str] = set()
    for entity in entities:
        tables |= mapping_views.tables_of(entity, sources)
    return tables


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
