"""What sources mean, as SQL: the views `mapped.<entity>` and `mapped.identifiers` over the raw tables."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.sources import full_export
from lakehouse.sources.entities import EACH, ENTITIES, TOGETHER, WHERE

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source


def entity_sql(entity: str, sources: Iterable[Source], incomplete: Collection[str] = ()) -> str:
    """Return the SELECT of one canonical entity over every source that maps it.

    Besides the entity's columns: `_loaded_at`, `_file_id` and `_row`, which say of two rows which is the later.
    `incomplete` are ids of files with rows that could not be loaded: who is missing from one may be in such a row.
    """
    columns = ENTITIES[entity]
    parts = [
        _mapping_sql(columns, source, mapping, incomplete)
        for source in sources
        for mapping in source.mappings(entity)
    ]
    if not parts:
        cells = (f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
        empty = "NULL::TIMESTAMPTZ AS _loaded_at, NULL::VARCHAR AS _file_id, NULL::BIGINT AS _row"
        parts.append(f"SELECT {', '.join(cells)}, {empty} WHERE false")
    return " UNION ALL ".join(parts)


def _mapping_sql(
    columns: Mapping[str, str], source: Source, mapping: Mapping[str, str], incomplete: Collection[str]
) -> str:
    given = {"source": literal(source.source), "time_zone": literal(source.time_zone), **mapping}
    rows = qualified(source.table)
    if source.full_export is not None:
        rows = full_export.rows_sql(source, incomplete)
        given |= full_export.changes(given)
    cells = (
        f"CAST({given.get(name, 'NULL')} AS {kind}) AS {identifier(name)}" for name, kind in columns.items()
    )
    each = f", unnest(CAST({given[EACH]} AS JSON[])) AS of_each(each)" if EACH in given else ""
    where = f" WHERE {given[WHERE]}" if WHERE in given else ""
    found = f"SELECT {', '.join(cells)}, _loaded_at, _file_id, _row FROM {rows}{each}{where}"
    if TOGETHER not in given:
        return found
    return (
        f"SELECT * FROM ({found}) QUALIFY rank() OVER (PARTITION BY {given[TOGETHER]} ORDER BY "
        "coalesce(updated_at, _loaded_at) DESC, sequence DESC NULLS LAST, _loaded_at DESC, _file_id DESC) = 1"
    )


def identifiers_sql(sources: Iterable[Source]) -> str:
    """Return the SELECT of every identifier that a record of any source carries.

    Columns: record, source, type, value, region, seen_at; one row a record and value, newest sighting.
    """
    parts = []
    for source in sources:
        place = literal(f"{source.source}:{source.entity}")
        parts += [
            f"SELECT CAST({source.record} AS VARCHAR) AS record, {place} AS source, {literal(found.type)} AS type, "
            f"CAST({found.value} AS VARCHAR) AS value, CAST({source.region} AS VARCHAR) AS region, "
            f"{source.seen_at} AS seen_at FROM {qualified(source.table)}"
            for found in source.identifiers
        ]
    if not parts:
        nothing = (
            "NULL::VARCHAR AS record, NULL::VARCHAR AS source, NULL::VARCHAR AS type, NULL::VARCHAR AS value"
        )
        parts.append(f"SELECT {nothing}, NULL::VARCHAR AS region, NULL::TIMESTAMPTZ AS seen_at WHERE false")
    return (
        "SELECT record, source, type, value, max(region) AS region, max(seen_at) AS seen_at "
        f"FROM ({' UNION ALL '.join(parts)}) WHERE record IS NOT NULL AND value IS NOT NULL "
        "GROUP BY record, source, type, value"
    )


def version(entity: str, sources: Iterable[Source]) -> str:
    """Return what changes when the mapping of an entity does: what was computed from it is then computed anew."""
    listed = list(sources)
    sql = identifiers_sql(listed) if entity == "identifiers" else entity_sql(entity, listed)
    return hashlib.sha256(sql.encode()).hexdigest()[:16]


def tables_of(entity: str, sources: Iterable[Source]) -> set[str]:
    """Return the raw tables that an entity is mapped from; `identifiers` counts as one."""
    if entity == "identifiers":
        return {source.table for source in sources if source.identifiers}
    return {source.table for source in sources if entity in source.core}
