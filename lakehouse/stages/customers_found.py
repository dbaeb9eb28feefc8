"""How many rows of a source found their customer: a link that finds nobody is wrong in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lakehouse.engine import duck, normal_forms
from lakehouse.engine.duck import WRONG_SQL
from lakehouse.engine.escape import identifier, qualified
from lakehouse.progress import Progress, no_progress
from lakehouse.sources import definition, mapping_views
from lakehouse.sources.review import Finding
from lakehouse.stages import resolve
from lakehouse.stages.policy import CustomersFoundPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import views
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Table

# Whether identities were resolved from the rows that there are: yes, from fewer of them, or not at all so far.
Resolved = Literal["current", "outdated", "never"]
_REMARKS = {
    "current": "",
    "outdated": "; more may once resolve has seen the newest rows",
    "never": "; nobody can before resolve has run for the first time",
}


@dataclass(frozen=True)
class CustomersFound:
    """Of the rows of a source (`<source>/<entity>`) in `core.<entity>` that have an identifier, how many found whom.

    `unknown_types` are types of these identifiers of which no customer has any.
    """

    source: str
    entity: str
    rows: int
    found: int
    resolved: Resolved
    unknown_types: tuple[str, ...] = ()

    @property
    def is_low(self) -> bool:
        """Return whether so few found one that a person should look; not while there is more to resolve."""
        share = self.found / self.rows if self.rows else 1
        return self.resolved == "current" and share < CustomersFoundPolicy.least_share

    def describe(self) -> str:
        """Return the counts as a sentence, and how far they can be relied on."""
        counts = f"{self.found:,} of {self.rows:,} rows found a customer"
        return f"core.{self.entity}: {counts}{_REMARKS[self.resolved]}"

    def warning(self) -> Finding:
        """Return what to say of a share that is low: what to look at."""
        message = f"{self.found:,} of {self.rows:,} rows found a customer: {self._advice()}"
        return Finding("warning", self.source, f"core.{self.entity}.identifier_value", message)

    def _advice(self) -> str:
        if self.unknown_types:
            types = " or ".join(self.unknown_types)
            return f"no customer has an identifier of the type {types}; see `identifiers` of the sources of customers"
        return (
            "compare the values with those in core.identities; phones without a country code are read by `region`, "
            "ids must be those of the source that has the customers"
        )


def count_customers_found(
    settings: Settings, only: Collection[str] | None = None, progress: Progress = no_progress
) -> list[CustomersFound]:
    """Count for every source with rows, or those of the names `only`, how many rows found a customer, by entity.

    Each version of a record counts, and identities as they are. What a source does not map, or maps without a value in
    any row, is left out, and so is SQL that does not run: `sources check` says what is wrong with it.
    """
    catalog = catalogs.open_catalog(settings)
    existing = set(catalogs.table_names(catalog))
    sources = [source for source in _linking_sources(settings, only) if source.table in existing]
    if not sources:
        return []
    counts: list[CustomersFound] = []
    with closing(duck.connect(settings)) as con:
        tables = views.attach(con, catalog, [IDENTITIES.name, *(source.table for source in sources)])
        resolved = _resolved(settings, tables.get(IDENTITIES.name))
        if IDENTITIES.name not in tables:
            con.execute(f"CREATE VIEW {IDENTITIES.name} AS {views.nothing_sql(IDENTITIES)}")
        known_types = {kind for (kind,) in con.execute(_KNOWN_TYPES).fetchall()}
        for done, source in enumerate(sources):
            progress("counting rows that found a customer", done, len(sources))
            _add_missing_columns(con, source, tables[source.table])
            counts += _count(con, source, known_types, resolved)
    return counts


_KNOWN_TYPES = f"SELECT DISTINCT identifier_type FROM {IDENTITIES.name}"


def rows_sql(source: Source, entity: str) -> str:
    """Return the SELECT of an entity's links in a source by type: identifier_type, rows, and those that found one."""
    # each row that came, also of a full export: who was deleted since found a customer or did not
    each_row = source.model_copy(update={"full_export": None})
    # not by WHERE: DuckDB pushes that into the mapping's steps, and writes it out again at each of them
    has_value = "trim(identifier_value) <> ''"
    return (
        f"SELECT identifier_type, count(*) FILTER ({has_value}) AS rows, "
        f"count(i.customer_id) FILTER ({has_value}) AS found "
        f"FROM ({mapping_views.entity_sql(entity, [each_row])}) LEFT JOIN {IDENTITIES.name} AS i "
        "USING (identifier_type, identifier_value) "
        "WHERE identifier_type IS NOT NULL GROUP BY ALL HAVING rows > 0 ORDER BY ALL"
    )


def _linking_sources(settings: Settings, only: Collection[str] | None) -> Iterator[Source]:
    """Yield the sources, or those of the names `only`, that say whose some of their records are."""
    for source in definition.load(settings.definitions).values():
        selected = only is None or "/".join(source.source_key) in only
        if selected and any(_linking_entities(source)):
            yield source


def _linking_entities(source: Source) -> Iterator[str]:
    """Yield the entities that a source maps with an identifier to look the customer up by."""
    for entity in source.core:
        if any("identifier_value" in mapping for mapping in source.mappings(entity)):
            yield entity


def _count(
    con: duckdb.DuckDBPyConnection, source: Source, known_types: Collection[str], resolved: Resolved
) -> Iterator[CustomersFound]:
    """Yield the counts of each entity of a source; `known_types` are those of identities."""
    for entity in _linking_entities(source):
        by_type = _count_by_type(con, source, entity)
        if by_type:
            yield _sum(source, entity, by_type, known_types, resolved)


def _count_by_type(con: duckdb.DuckDBPyConnection, source: Source, entity: str) -> list[tuple[str, int, int]]:
    """Return (identifier type, rows, rows that found a customer)."""
    sql = rows_sql(source, entity)
    normal_forms.create_for(con, sql)
    try:
        return con.execute(sql).fetchall()
    except WRONG_SQL:
        return []


def _sum(
    source: Source,
    entity: str,
    by_type: Iterable[tuple[str, int, int]],
    known_types: Collection[str],
    resolved: Resolved,
) -> CustomersFound:
    types, rows, found = zip(*by_type, strict=True)
    unknown = tuple(kind for kind in types if kind not in known_types)
    return CustomersFound("/".join(source.source_key), entity, sum(rows), sum(found), resolved, unknown)


def _resolved(settings: Settings, identities: Table | None) -> Resolved:
    if identities is None or identities.current_snapshot() is None:
        return "never"
    return "outdated" if resolve.pending(settings) else "current"


def _add_missing_columns(con: duckdb.DuckDBPyConnection, source: Source, table: Table) -> None:
    """Give the view of a raw table the columns that a newer definition names: null, since no row has a value yet."""
    existing = {field.name for field in table.schema().fields}
    missing = [
        f"CAST(NULL AS {column.duck_type}) AS {identifier(column.name)}"
        for column in source.contract.columns
        if column.name not in existing
    ]
    if missing:
        rows = views.scan_sql(table)
        con.execute(
            f"CREATE OR REPLACE VIEW {qualified(source.table)} AS SELECT *, {', '.join(missing)} FROM ({rows})"
        )
