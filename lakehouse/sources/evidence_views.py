"""What sources say of people, as SQL: the identifiers that each record carries, and what it says of the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.sources.mapping_views import guarded_rows_sql, version_of
from lakehouse.sources.says import columns_of, says_sql

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source
    from lakehouse.sources.says import AbsentColumns

PEOPLE_ENTITIES: Final = ("contacts", "leads")
PERSON_FIELDS: Final = {
    "name": "VARCHAR", "first_name": "VARCHAR", "last_name": "VARCHAR", "birth_date": "DATE", "address": "VARCHAR",
    "city": "VARCHAR", "region_code": "VARCHAR", "country": "VARCHAR",
}  # fmt: skip
PERSON: Final = "person"  # slot and type of what a record says of its person
_NONE: Mapping[str, AbsentColumns] = MappingProxyType({})
_OBSERVATION = {
    "record": "VARCHAR", "source": "VARCHAR", "slot": "VARCHAR", "own": "BOOLEAN", "every": "BOOLEAN",
    "alias": "BOOLEAN", "type": "VARCHAR", "value": "VARCHAR", "region": "VARCHAR", "said_at": "TIMESTAMPTZ",
    "loaded_at": "TIMESTAMPTZ", "file_id": "VARCHAR", "row": "BIGINT",
}  # fmt: skip


def observations_sql(sources: Iterable[Source], absent: Mapping[str, AbsentColumns] = _NONE) -> str:
    """Return the SELECT of what each row of any source says of one identifier of its record.

    Columns: record, source (`source:entity`), slot (which of the source's identifiers), own (it names the record
    itself), every, alias, type, value, region, said_at, and loaded_at, file_id, row of the raw row. `value` is null
    where a row that describes the whole record leaves it empty: what it said before is withdrawn. `absent` says by raw
    table which columns files lack: of those their rows say nothing. What a row says of the record's person, where it
    says something, is of the slot and type `PERSON`: JSON, which `people_sql` reads.
    """
    listed = list(sources)
    selects = [select for source in listed for select in _slots(source, absent.get(source.table, {}))]
    selects += [_person_sql(source) for source in listed if _person(source)]
    return " UNION ALL ".join(selects or [_no_rows_sql(_OBSERVATION)])


def pruned_sql(observations: str) -> str:
    """Return the SELECT of the first and the last of each value's observations: those between say nothing more."""
    moment = "(coalesce(said_at, loaded_at), loaded_at, file_id, row)"
    place = "PARTITION BY source, record, slot, own, value, region"
    return (
        f"SELECT * FROM {observations} WHERE record IS NOT NULL "
        f"QUALIFY row_number() OVER ({place} ORDER BY {moment}) = 1 "
        f"OR NOT every AND row_number() OVER ({place} ORDER BY {moment} DESC) = 1"
    )


def people_sql(observations: str) -> str:
    """Return the SELECT of what each record says of its person by its newest row: source, record, `PERSON_FIELDS`.

    It is what the source maps to contacts or leads, or what its `person` says; records of other sources are not in it.
    """
    cells = ", ".join(
        f"CAST(value->>{literal(f'$.{name}')} AS {kind}) AS {identifier(name)}"
        for name, kind in PERSON_FIELDS.items()
    )
    return (
        f"SELECT source, record, {cells} FROM {observations} WHERE type = {literal(PERSON)} "
        "QUALIFY row_number() OVER (PARTITION BY source, record "
        "ORDER BY coalesce(said_at, loaded_at) DESC, loaded_at DESC, file_id DESC, row DESC) = 1"
    )


def version(sources: Iterable[Source]) -> str:
    """Return what changes when a definition says other things of people: they are then resolved anew."""
    return version_of(observations_sql(sources))


def describes_record(source: Source) -> bool:
    """Return whether each row of a source describes a whole record: the record is named by the key, all of it.

    Then an empty cell says that there is none any more. A row of an order or an event says only what is in it.
    """
    return bool(source.key) and columns_of(source, source.record or "") == set(source.key)


def _slots(source: Source, absent: AbsentColumns) -> Iterator[str]:
    """Yield the SELECT of each identifier of a source."""
    seen: Counter[str] = Counter()
    is_whole = describes_record(source)
    name = literal(f"{source.source}:{source.entity}")
    rows = guarded_rows_sql(source, qualified(source.table))
    for position, carried in enumerate(source.identifiers):
        seen[carried.type] += 1
        slot = carried.type if seen[carried.type] == 1 else f"{carried.type} {seen[carried.type]}"
        is_alias = carried.alias
        every = carried.every or position == 0 or is_alias
        condition = "true" if every or not is_whole else says_sql(source, carried.value, absent)
        said = (
            f"SELECT CAST({source.record} AS VARCHAR) AS record, CAST({carried.value} AS VARCHAR) AS value, "
            f"CAST({source.region} AS VARCHAR) AS region, {source.seen_at} AS said_at, _loaded_at AS loaded_at, "
            f"_file_id AS file_id, _row AS row, {_own_sql(source, position)} AS own FROM {rows} WHERE {condition}"
        )
        if every:
            said = _first_of_each_sql(said)
        elif not is_whole:
            said = f"SELECT * FROM ({said}) WHERE value IS NOT NULL"
        yield (
            f"SELECT record, {name} AS source, {literal(slot)} AS slot, own, {every} AS every, "
            f"{is_alias} AS alias, {literal(carried.type)} AS type, value, region, said_at, loaded_at, file_id, row "
            f"FROM ({said})"
        )


def _own_sql(source: Source, position: int) -> str:
    """Return the condition that an identifier names the record itself: the first that the row has, and no address."""
    if position == 0:
        return "true"
    carried = source.identifiers[position]
    if carried.alias or carried.type in CONTACT_TYPES:
        return "false"
    return " AND ".join(
        f"({before.value}) IS NULL" for before in source.identifiers[:position] if not before.alias
    )


def _first_of_each_sql(said: str) -> str:
    """Return statements with only the first of each value of a record: where all stay, later ones add nothing."""
    return (
        "SELECT record, value, region, first.said_at AS said_at, first.loaded_at AS loaded_at, "
        "first.file_id AS file_id, first.row AS row, own FROM (SELECT record, value, region, bool_or(own) AS own, min({"
        "'said_at': coalesce(said_at, loaded_at), 'loaded_at': loaded_at, 'file_id': file_id, 'row': row}) AS first "
        f"FROM ({said}) WHERE value IS NOT NULL GROUP BY record, value, region)"
    )


def _person(source: Source) -> dict[str, str]:
    """Return the SQL of what a source says of people, by field; nothing where it says nothing of one."""
    if not source.identifiers:
        return {}
    mapped = next((source.mappings(entity)[0] for entity in PEOPLE_ENTITIES if source.mappings(entity)), {})
    fields = {**mapped, **source.person}
    return {name: fields[name] for name in PERSON_FIELDS if name in fields}


def _person_sql(source: Source) -> str:
    """Return the SELECT of what each row of a source says of its record's person."""
    person = _person(source)
    cells = ", ".join(
        f"{identifier(name)} := TRY_CAST({value} AS {PERSON_FIELDS[name]})" for name, value in person.items()
    )
    said = " OR ".join(
        f"TRY_CAST({value} AS {PERSON_FIELDS[name]}) IS NOT NULL" for name, value in person.items()
    )
    rows = guarded_rows_sql(source, qualified(source.table))
    return (
        f"SELECT CAST({source.record} AS VARCHAR) AS record, {literal(f'{source.source}:{source.entity}')} AS source, "
        f"{literal(PERSON)} AS slot, false AS own, false AS every, false AS alias, {literal(PERSON)} AS type, "
        f"CAST(to_json(struct_pack({cells})) AS VARCHAR) AS value, NULL::VARCHAR AS region, "
        f"{source.seen_at} AS said_at, _loaded_at AS loaded_at, _file_id AS file_id, _row AS row "
        f"FROM {rows} WHERE {said}"
    )


def _no_rows_sql(columns: dict[str, str]) -> str:
    cells = (f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
    return f"SELECT {', '.join(cells)} WHERE false"
