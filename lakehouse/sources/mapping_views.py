"""What sources mean, as SQL: the views `mapped.<entity>` over the raw tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from lakehouse.engine import channels, currencies, ids, normal_forms, sql_functions
from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.engine.mapped_values import mapped_value_sql
from lakehouse.sources import carried_addresses, full_export, id_columns, order_states, part_changes
from lakehouse.sources.mappable_entities import (
    CARRIED_ADDRESSES,
    CHANGES,
    EACH,
    RECORD_TYPE,
    TOGETHER,
    VIEWS,
    WHERE,
    WHOSE,
    record_key,
)
from lakehouse.sources.policy import SourceMemoPolicy
from lakehouse.sources.record_names import RecordNames, whole_id_sql
from lakehouse.sources.same_sources import SameSources
from lakehouse.sources.says import AbsentColumns
from lakehouse.tables import entities

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

COUNTRY = (
    "country"  # of every entity: ISO 3166-1 alpha-2 where the written country is known, else as it is written
)
CURRENCIES = ("currency", "quote")  # of every entity: ISO 4217, in whichever way the currency is written
_EMPTY = "''"
_CODE = re.compile("'[A-Z]{3}'")
_TERMS = {
    "channel": "consent_channel",
    "purpose": "consent_purpose",
}  # of consents, by the words that systems use
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_RECORDS = ("consents", CARRIED_ADDRESSES)
_NONE: Mapping[str, Mapping[str, datetime]] = MappingProxyType({})
_NONE_ABSENT: Mapping[str, AbsentColumns] = MappingProxyType({})


def entity_sql(
    entity: str,
    sources: Iterable[Source],
    incomplete: Collection[str] = (),
    empty: Mapping[str, Mapping[str, datetime]] = _NONE,
    absent: Mapping[str, AbsentColumns] = _NONE_ABSENT,
) -> str:
    """Return the SELECT of one canonical entity, or of `carried_addresses`, over every source that maps it.

    Besides the entity's columns: `_loaded_at`, `_file_id` and `_row`, which say of two rows which is the later.
    Of full exports: `incomplete` are ids of files with rows that could not be loaded: a record that is missing from one
    may be in such a row. `empty` holds by raw table the ids of files without rows, and when they were loaded.

    `absent` holds by raw table which files lack which columns: only carried addresses need to know.

    A placeholder in a column of ids is null, and so is what a mapping makes of one. An e-mail or phone in
    `identifier_value` is spelled as identities are. A connection that runs the SELECT needs
    `normal_forms.create_for` first.
    """
    columns = VIEWS[entity]
    listed = list(sources)
    names = RecordNames.of(listed) if entity in _OF_RECORDS else RecordNames()
    selects: list[str] = []
    whole: dict[str, list[str]] = {}  # by the source's name
    parts: list[tuple[str, str]] = []
    for source in listed:
        for mapping in _mappings(entity, source, absent.get(source.table, {}), names):
            mapped = _mapping_sql(entity, source, mapping, _rows(source, incomplete, empty))
            select = _named_record_sql(mapping, names, mapped)
            if CHANGES in mapping:
                parts.append((source.source, select))
            else:
                selects.append(select)
                whole.setdefault(source.source, []).append(select)
    return " UNION ALL ".join([*selects, *_made_whole(entity, parts, whole)] or [_no_rows_sql(columns)])


def _made_whole(
    entity: str, parts: Iterable[tuple[str, str]], whole: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield the SELECTs of mappings that speak of one column a row, by those of the same source that speak of all."""
    for source, select in parts:
        key = record_key(entities.BY_NAME[entity])
        made = part_changes.whole_sql(select, whole.get(source, ()), VIEWS[entity], key)
        if made is not None:
            yield made


def _no_rows_sql(columns: Mapping[str, str]) -> str:
    """Return the SELECT of an entity that no source maps."""
    cells = (f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
    origin = "NULL::TIMESTAMPTZ AS _loaded_at, NULL::VARCHAR AS _file_id, NULL::BIGINT AS _row"
    return f"SELECT {', '.join(cells)}, {origin} WHERE false"


def _mappings(
    entity: str, source: Source, absent: AbsentColumns, names: RecordNames
) -> Sequence[Mapping[str, str]]:
    """Return how a source maps to an entity, or what its consents and identifiers say of the addresses of records."""
    if entity == CARRIED_ADDRESSES:
        return carried_addresses.mappings(source, absent, names)
    return source.mappings(entity)


def _named_record_sql(mapping: Mapping[str, str], names: RecordNames, select: str) -> str:
    """Return mapped rows with records named alike by their own source and by statements from elsewhere."""
    if RECORD_TYPE in mapping:
        return f"SELECT * REPLACE ({mapping[RECORD_TYPE]} || ':' || record AS record) FROM ({select})"
    if names == RecordNames() or "source" not in mapping or "record" not in mapping:
        return select
    both_spellings = ", ".join(
        f"{whole_id_sql('identifier_type', name)} AS {name}" for name in ("record", "identifier_value")
    )
    named = names.record_sql("source", "identifier_type", "record")
    return f"SELECT * REPLACE ({named} AS record) FROM (SELECT * REPLACE ({both_spellings}) FROM ({select}))"


def _rows(source: Source, incomplete: Collection[str], empty: Mapping[str, Mapping[str, datetime]]) -> str:
    if source.full_export is None:
        return guarded_rows_sql(source, qualified(source.table))
    return guarded_rows_sql(source, full_export.rows_sql(source, incomplete, empty.get(source.table, {})))


def guarded_rows_sql(source: Source, rows: str) -> str:
    """Return the rows of a source, to select from, with null for each placeholder in a column of ids.

    The raw table keeps what came; whatever is made of it here ties nobody to it.
    """
    guarded = [
        f"{ids.id_or_null_sql(identifier(name), level)} AS {identifier(name)}"
        for name, level in id_columns.guards(source).items()
    ]
    if not guarded:
        return rows
    # by the table's own name: a mapping may compare a row with others of the table
    own_name = identifier(source.table.rpartition(".")[2])
    return f"(SELECT * REPLACE ({', '.join(guarded)}) FROM {rows}) AS {own_name}"


def _mapping_sql(entity: str, source: Source, mapping: Mapping[str, str], rows: str) -> str:
    """Return the SELECT of one mapping. A value that is none of its column's type is null: it stops no other row."""
    columns = VIEWS[entity]
    values = {"source": literal(source.source), "time_zone": literal(source.time_zone), **mapping}
    if source.full_export is not None:
        values |= full_export.changes(values)
    types = {column.name: column.duck_type for column in source.contract.columns}
    cells = (
        f"{_cell(name, kind, _with_terms(entity, values), types, source.time_zone)} AS {identifier(name)}"
        for name, kind in columns.items()
    )
    where = f" WHERE {values[WHERE]}" if WHERE in values else ""
    each = ""
    if EACH in values:
        # Rows that are sent together are compared before their lists are taken apart: the newest may be empty.
        rows = _newest_rows_sql(values, rows, types, source.time_zone) if TOGETHER in values else rows
        each = f", unnest(TRY_CAST({values[EACH]} AS JSON[])) AS of_each(each)"
    formed = _normal_forms(entity, values)
    region = f", CAST({source.region} AS VARCHAR) AS _region" if formed else ""
    if CHANGES in values:
        region += f", CAST({values[CHANGES]} AS VARCHAR) AS {part_changes.NAMED}"
    select = f"SELECT {', '.join(cells)}, _loaded_at, _file_id, _row{region} FROM {rows}{each}{where}"
    select = order_states.with_order_states(entity, _with_id_forms(entity, values, select))
    if TOGETHER in values and EACH not in values:
        select = _newest_group_sql(values[TOGETHER], select)
    return _normal_forms_sql(select, formed) if formed else select


def _may_have_normal_form(values: Mapping[str, str]) -> bool:
    """Return whether a mapping may look a customer up by e-mail or phone; constants of other types never do."""
    if "identifier_type" not in values or "identifier_value" not in values:
        return False
    constant = id_columns.constant_type(values)
    return constant is None or constant in normal_forms.KINDS


def _normal_forms(entity: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the SQL of each column that may be an e-mail or a phone, spelled as `core.identities` spells it."""
    formed = {}
    if _may_have_normal_form(values):
        formed["identifier_value"] = normal_forms.form_sql("identifier_type", "identifier_value", "_region")
    if entity == "consents" and "address" in values:
        kind = channels.kind_sql("channel")
        formed["address"] = normal_forms.form_sql(kind, "address", "_region")
    return formed


def _normal_forms_sql(select: str, formed: Mapping[str, str]) -> str:
    """Return mapped rows with normal forms, and without `_region`."""
    replaced = ", ".join(f"{sql} AS {name}" for name, sql in formed.items())
    return f"SELECT * EXCLUDE (_region) REPLACE ({replaced}) FROM ({select})"


def _with_id_forms(entity: str, values: Mapping[str, str], select: str) -> str:
    """Return mapped rows with the form of each id that is made of columns or taken from JSON, null for a placeholder.

    Ids that are columns have theirs since they were loaded; by `identifier_value`, older rows are looked up, too. Each
    step is a query of its own, since a lambda, which could name what the step before made, takes far longer.
    """
    names = [
        name
        for name in id_columns.id_targets(entity)
        if name in values and (name in WHOSE or not _COLUMN.fullmatch(values[name].strip()))
    ]
    for step in (_formed_id_sql, _whole_id_sql, _id_or_null_sql):
        cells = {name: _unless_empty(name, values, step(name, values)) for name in names}
        changed = [f"{sql} AS {identifier(name)}" for name, sql in cells.items() if sql != identifier(name)]
        select = f"SELECT * REPLACE ({', '.join(changed)}) FROM ({select})" if changed else select
    return select


def _formed_id_sql(name: str, values: Mapping[str, str]) -> str:
    is_contact = _whose_type(name, values) in normal_forms.KINDS  # which have a normal form
    return identifier(name) if is_contact else ids.form_sql(identifier(name))


def _whole_id_sql(name: str, values: Mapping[str, str]) -> str:
    is_salesforce = id_columns.is_salesforce_type(_whose_type(name, values))
    return ids.salesforce_sql(identifier(name)) if is_salesforce else identifier(name)


def _id_or_null_sql(name: str, _values: Mapping[str, str]) -> str:
    return ids.id_or_null_sql(identifier(name), "anything")


def _whose_type(name: str, values: Mapping[str, str]) -> str | None:
    """Return the type of an identifier, where the mapping always gives the same."""
    return id_columns.constant_type(values) if name in WHOSE else None


def _unless_empty(name: str, values: Mapping[str, str], sql: str) -> str:
    """Return the SQL of an id that stays where the mapping says '': as where money was spent for no certain ad."""
    cell = identifier(name)
    says_empty = _EMPTY in values[name] and sql != cell
    return f"CASE WHEN {cell} = {_EMPTY} THEN {cell} ELSE {sql} END" if says_empty else sql


def _cell(name: str, kind: str, mapping: Mapping[str, str], types: Mapping[str, str], time_zone: str) -> str:
    """Return the SQL of one column: null where the mapping does not give it, of a country or currency its code."""
    sql = (
        order_states.said_sql(mapping) if name == order_states.COUNTS_AS else mapping.get(name, "NULL")
    ).strip()
    cell = mapped_value_sql(sql, types, kind, time_zone)
    if name == COUNTRY and name in mapping:
        # else "China", "CN" and "中国" would be three countries to whoever counts
        return f"coalesce(country_region({cell}), {cell})"
    if name in CURRENCIES and name in mapping and not _CODE.fullmatch(sql):
        return currencies.in_zone_sql(cell, time_zone)
    return cell


def _with_terms(entity: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """Return a mapping of consents with the names of channel and purpose for what is written; others stay."""
    if entity != "consents":
        return values
    written = {
        name: values[name] for name in _TERMS if name in values and not values[name].strip().startswith("'")
    }
    return {
        **values,
        **{name: f"coalesce({_TERMS[name]}({sql}), lower(trim({sql})))" for name, sql in written.items()},
    }


def _newest_group_sql(together: str, select: str) -> str:
    """Return the mapped rows that came with the newest version of what is sent together."""
    return (
        f"SELECT * FROM ({select}) QUALIFY rank() OVER (PARTITION BY {together} "
        "ORDER BY coalesce(updated_at, _loaded_at) DESC, sequence DESC NULLS LAST, _loaded_at DESC, _file_id DESC) = 1"
    )


def _newest_rows_sql(values: Mapping[str, str], rows: str, types: Mapping[str, str], time_zone: str) -> str:
    """Return, in brackets, the newest row of each group that `together` names, as yet with its list.

    A group is named and dated by its row, not by the elements of the row's list.
    """
    names = (values[name.strip()] for name in values[TOGETHER].split(","))
    group = ", ".join(f"TRY_CAST({sql} AS VARCHAR)" for sql in names)
    changed = mapped_value_sql(values.get("updated_at", "NULL"), types, "TIMESTAMPTZ", time_zone)
    sequence = f"TRY_CAST({values.get('sequence', 'NULL')} AS DECIMAL(38,0))"
    return (
        f"(SELECT * FROM {rows} QUALIFY row_number() OVER (PARTITION BY {group} ORDER BY "
        f"coalesce({changed}, _loaded_at) DESC, {sequence} DESC NULLS LAST, _loaded_at DESC, _file_id DESC, "
        "_row DESC) = 1)"
    )


def version(entity: str, sources: Iterable[Source]) -> str:
    """Return what changes when the mapping of an entity does: what was computed from it is then computed anew."""
    return _version(entity, SameSources(sources), sql_functions.version())


@lru_cache(maxsize=SourceMemoPolicy.versions)
def _version(entity: str, sources: SameSources, _functions: str) -> str:
    return version_of(entity_sql(entity, sources))


def version_of(sql: str) -> str:
    """Return what changes when SQL does, or a function that it calls."""
    if sql_functions.uses_functions(sql):
        sql += sql_functions.version()
    return hashlib.sha256(sql.encode()).hexdigest()[:16]


def tables_of(entity: str, sources: Iterable[Source]) -> set[str]:
    """Return the raw tables that an entity is mapped from."""
    if entity == CARRIED_ADDRESSES:
        return {source.table for source in sources if carried_addresses.has_any(source)}
    return {source.table for source in sources if entity in source.core}
