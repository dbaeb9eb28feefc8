"""What sources mean, as SQL: the views `mapped.<entity>` and `mapped.identifiers` over the raw tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lakehouse.engine import normal_forms, sql_functions
from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.sources import full_export
from lakehouse.sources.mappable_entities import EACH, ENTITIES, TOGETHER, WHERE

if TYPE_CHECKING:
    from lakehouse.sources.definition import Identifier, Source

_NO_IDENTIFIERS = (
    "SELECT NULL::VARCHAR AS record, NULL::VARCHAR AS source, NULL::VARCHAR AS type, NULL::VARCHAR AS value, "
    "NULL::VARCHAR AS region, NULL::TIMESTAMPTZ AS seen_at WHERE false"
)
COUNTRY = (
    "country"  # of every entity: ISO 3166-1 alpha-2 where the written country is known, else as it is written
)
_CONSTANT = re.compile(r"'(?P<text>[^']*)'")
_NONE: Mapping[str, Mapping[str, datetime]] = MappingProxyType({})


def entity_sql(
    entity: str,
    sources: Iterable[Source],
    incomplete: Collection[str] = (),
    empty: Mapping[str, Mapping[str, datetime]] = _NONE,
) -> str:
    """Return the SELECT of one canonical entity over every source that maps it.

    Besides the entity's columns: `_loaded_at`, `_file_id` and `_row`, which say of two rows which is the later.
    Of full exports: `incomplete` are ids of files with rows that could not be loaded: a record that is missing from one
    may be in such a row. `empty` holds by raw table the ids of files without rows, and when they were loaded.

    An e-mail or phone in `identifier_value` is spelled as identities are. A connection that runs the SELECT needs
    `normal_forms.create_for` first.
    """
    columns = ENTITIES[entity]
    selects = [
        _mapping_sql(columns, source, mapping, _rows(source, incomplete, empty))
        for source in sources
        for mapping in source.mappings(entity)
    ]
    return " UNION ALL ".join(selects or [_no_rows_sql(columns)])


def _no_rows_sql(columns: Mapping[str, str]) -> str:
    """Return the SELECT of an entity that no source maps."""
    cells = (f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
    origin = "NULL::TIMESTAMPTZ AS _loaded_at, NULL::VARCHAR AS _file_id, NULL::BIGINT AS _row"
    return f"SELECT {', '.join(cells)}, {origin} WHERE false"


def _rows(source: Source, incomplete: Collection[str], empty: Mapping[str, Mapping[str, datetime]]) -> str:
    if source.full_export is None:
        return qualified(source.table)
    return full_export.rows_sql(source, incomplete, empty.get(source.table, {}))


def _mapping_sql(columns: Mapping[str, str], source: Source, mapping: Mapping[str, str], rows: str) -> str:
    """Return the SELECT of one mapping. A value that is none of its column's type is null: it stops no other row."""
    values = {"source": literal(source.source), "time_zone": literal(source.time_zone), **mapping}
    if source.full_export is not None:
        values |= full_export.changes(values)
    cells = (f"{_cell(name, kind, values)} AS {identifier(name)}" for name, kind in columns.items())
    where = f" WHERE {values[WHERE]}" if WHERE in values else ""
    each = ""
    if EACH in values:
        # Rows that are sent together are compared before their lists are taken apart: the newest may be empty.
        rows = _newest_rows_sql(values, rows) if TOGETHER in values else rows
        each = f", unnest(TRY_CAST({values[EACH]} AS JSON[])) AS of_each(each)"
    looked_up = _may_have_normal_form(values)
    region = f", CAST({source.region} AS VARCHAR) AS _region" if looked_up else ""
    select = f"SELECT {', '.join(cells)}, _loaded_at, _file_id, _row{region} FROM {rows}{each}{where}"
    if TOGETHER in values and EACH not in values:
        select = _newest_group_sql(values[TOGETHER], select)
    return _normal_forms_sql(select) if looked_up else select


def _may_have_normal_form(values: Mapping[str, str]) -> bool:
    """Return whether a mapping may look a customer up by e-mail or phone; constants of other types never do."""
    if "identifier_type" not in values or "identifier_value" not in values:
        return False
    constant = _CONSTANT.fullmatch(values["identifier_type"].strip())
    return constant is None or constant["text"] in normal_forms.KINDS


def _normal_forms_sql(select: str) -> str:
    """Return mapped rows with `identifier_value` spelled as `core.identities` spells it, and without `_region`."""
    value = normal_forms.form_sql("identifier_type", "identifier_value", "_region")
    return f"SELECT * EXCLUDE (_region) REPLACE ({value} AS identifier_value) FROM ({select})"


def _cell(name: str, kind: str, mapping: Mapping[str, str]) -> str:
    """Return the SQL of one column: null where the mapping does not give it, and of a country its code."""
    cell = f"TRY_CAST({mapping.get(name, 'NULL')} AS {kind})"
    if name == COUNTRY and name in mapping:
        # else "China", "CN" and "中国" would be three countries to whoever counts
        return f"coalesce(country_region({cell}), {cell})"
    return cell


def _newest_group_sql(together: str, select: str) -> str:
    """Return the mapped rows that came with the newest version of what is sent together."""
    return (
        f"SELECT * FROM ({select}) QUALIFY rank() OVER (PARTITION BY {together} "
        "ORDER BY coalesce(updated_at, _loaded_at) DESC, sequence DESC NULLS LAST, _loaded_at DESC, _file_id DESC) = 1"
    )


def _newest_rows_sql(values: Mapping[str, str], rows: str) -> str:
    """Return, in brackets, the newest row of each group that `together` names, as yet with its list.

    A group is named and dated by its row, not by the elements of the row's list.
    """
    names = (values[name.strip()] for name in values[TOGETHER].split(","))
    group = ", ".join(f"TRY_CAST({sql} AS VARCHAR)" for sql in names)
    changed = f"TRY_CAST({values.get('updated_at', 'NULL')} AS TIMESTAMPTZ)"
    sequence = f"TRY_CAST({values.get('sequence', 'NULL')} AS DECIMAL(38,0))"
    return (
        f"(SELECT * FROM {rows} QUALIFY row_number() OVER (PARTITION BY {group} ORDER BY "
        f"coalesce({changed}, _loaded_at) DESC, {sequence} DESC NULLS LAST, _loaded_at DESC, _file_id DESC, "
        "_row DESC) = 1)"
    )


def identifiers_sql(sources: Iterable[Source]) -> str:
    """Return the SELECT of every identifier that a record of any source carries.

    Columns: record, source, type, value, region, seen_at; one row a record and value, newest sighting.
    """
    selects = [_identifier_sql(source, carried) for source in sources for carried in source.identifiers] or [
        _NO_IDENTIFIERS
    ]
    return (
        "SELECT record, source, type, value, max(region) AS region, max(seen_at) AS seen_at "
        f"FROM ({' UNION ALL '.join(selects)}) WHERE record IS NOT NULL AND value IS NOT NULL "
        "GROUP BY record, source, type, value"
    )


def _identifier_sql(source: Source, carried: Identifier) -> str:
    """Return the SELECT of one identifier of a source, a row a raw row."""
    name = literal(f"{source.source}:{source.entity}")
    return (
        f"SELECT CAST({source.record} AS VARCHAR) AS record, {name} AS source, {literal(carried.type)} AS type, "
        f"CAST({carried.value} AS VARCHAR) AS value, CAST({source.region} AS VARCHAR) AS region, "
        f"{source.seen_at} AS seen_at FROM {qualified(source.table)}"
    )


def version(entity: str, sources: Iterable[Source]) -> str:
    """Return what changes when the mapping of an entity does: what was computed from it is then computed anew."""
    listed = list(sources)
    sql = identifiers_sql(listed) if entity == "identifiers" else entity_sql(entity, listed)
    if sql_functions.uses_functions(sql):
        sql += sql_functions.version()
    return hashlib.sha256(sql.encode()).hexdigest()[:16]


def tables_of(entity: str, sources: Iterable[Source]) -> set[str]:
    """Return the raw tables that an entity is mapped from; `identifiers` counts as one."""
    if entity == "identifiers":
        return {source.table for source in sources if source.identifiers}
    return {source.table for source in sources if entity in source.core}
