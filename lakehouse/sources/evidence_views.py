"""What sources say of people, as SQL: the identifiers that each record carries, and what it says of the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lakehouse.engine import sql_functions
from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.sources.mapping_views import guarded_rows_sql, version_of
from lakehouse.sources.person_fields import PERSON_FIELDS, person_of
from lakehouse.sources.policy import SourceMemoPolicy
from lakehouse.sources.same_sources import SameSources
from lakehouse.sources.says import describes_record, says_sql

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source
    from lakehouse.sources.says import AbsentColumns

_FIRST_DATE: Final = (
    "TIMESTAMPTZ '1971-01-01 00:00:00+00'"  # what is dated before has no date: 1970-01-01, 1900-01-01
)
PERSON: Final = "person"  # slot and type of what a record says of its person
_NONE: Mapping[str, AbsentColumns] = MappingProxyType({})
_MOMENT = {  # of a statement, in the order that decides which is the later
    "at": "coalesce(said_at, loaded_at)", "loaded_at": "loaded_at", "file_id": "file_id", "row": "row",
    "said_at": "said_at",
}  # fmt: skip
_STATEMENT = {
    "slot": "VARCHAR", "own": "BOOLEAN", "every": "BOOLEAN", "alias": "BOOLEAN", "type": "VARCHAR",
    "value": "VARCHAR", "region": "VARCHAR",
}  # fmt: skip
_OBSERVATION = {
    "record": "VARCHAR", "source": "VARCHAR", **_STATEMENT, "said_at": "TIMESTAMPTZ",
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
    selects = [_source_sql(source, absent.get(source.table, {})) for source in sources if source.identifiers]
    return " UNION ALL ".join(selects or [_no_rows_sql(_OBSERVATION)])


def pruned_sql(observations: str) -> str:
    """Return the SELECT of the first and the last of each value's observations: those between say nothing more.

    Of a value that stays, whatever comes later, the first says all.
    """
    moment = "{" + ", ".join(f"{name!r}: {value}" for name, value in _MOMENT.items()) + "}"
    said = "record, source, slot, own, every, alias, type, value, region"
    when = "{0}.said_at AS said_at, {0}.loaded_at AS loaded_at, {0}.file_id AS file_id, {0}.row AS row"
    return (
        f"(WITH spans AS MATERIALIZED (SELECT {said}, min({moment}) AS first, max({moment}) AS last "
        f"FROM {observations} WHERE record IS NOT NULL GROUP BY ALL) "
        f"SELECT {said}, {when.format('first')} FROM spans "
        f"UNION ALL SELECT {said}, {when.format('last')} FROM spans WHERE NOT every AND first <> last)"
    )


def people_sql(observations: str) -> str:
    """Return the SELECT of what each record says of its person: source, record, `PERSON_FIELDS`.

    Of each field the newest row counts that says something of it: an export of fewer columns clears none. Records of
    sources that say nothing of people are not in it.
    """
    moment = "row(coalesce(said_at, loaded_at), loaded_at, file_id, row)"
    cells = ", ".join(
        f"CAST(nullif(arg_max({said}, {moment}), '') AS {kind}) AS {identifier(name)}"
        for name, kind in PERSON_FIELDS.items()
        for said in (f"value->>{literal(f'$.{name}')}",)
    )
    return f"SELECT source, record, {cells} FROM {observations} WHERE type = {literal(PERSON)} GROUP BY source, record"


def version(sources: Iterable[Source]) -> str:
    """Return what changes when a definition says other things of people: they are then resolved anew."""
    return _version(SameSources(sources), sql_functions.version())


@lru_cache(maxsize=SourceMemoPolicy.versions)
def _version(sources: SameSources, _functions: str) -> str:
    return version_of(observations_sql(sources))


def _source_sql(source: Source, absent: AbsentColumns) -> str:
    """Return the SELECT of all that the rows of a source say, in one scan of them."""
    statements = [*_slots(source, absent), *_person_statement(source, absent)]
    said = ", ".join(f"said.{name} AS {name}" for name in _STATEMENT)
    return (
        f"SELECT record, {literal(f'{source.source}:{source.entity}')} AS source, {said}, "
        "said_at, loaded_at, file_id, row FROM ("
        f"SELECT CAST({source.record} AS VARCHAR) AS record, {_said_at_sql(source)} AS said_at, "
        f"_loaded_at AS loaded_at, _file_id AS file_id, _row AS row, unnest([{', '.join(statements)}]) AS said "
        f"FROM {guarded_rows_sql(source, qualified(source.table))}) WHERE said IS NOT NULL"
    )


def _said_at_sql(source: Source) -> str:
    """Return the SQL of when a row was said: no later than it came, whatever clock dated it; null without a date."""
    seen_at = f"({source.seen_at or 'NULL'})"
    return f"CASE WHEN {seen_at} >= {_FIRST_DATE} THEN least({seen_at}, _loaded_at) END"


def _slots(source: Source, absent: AbsentColumns) -> Iterator[str]:
    """Yield what a row says by each identifier of its source, as SQL: a struct, null where it says nothing."""
    seen: Counter[str] = Counter()
    is_whole = describes_record(source)
    for position, carried in enumerate(source.identifiers):
        seen[carried.type] += 1
        slot = carried.type if seen[carried.type] == 1 else f"{carried.type} {seen[carried.type]}"
        every = carried.every or position == 0 or carried.alias
        value = f"CAST({carried.value} AS VARCHAR)"
        clears = is_whole and not every
        yield _statement_sql(
            says_sql(source, carried.value, absent) if clears else f"{value} IS NOT NULL",
            slot=literal(slot), own=_own_sql(source, position), every=str(every), alias=str(carried.alias),
            type=literal(carried.type), value=value, region=f"CAST({source.region} AS VARCHAR)",
        )  # fmt: skip


def _statement_sql(condition: str, **values: str) -> str:
    cells = ", ".join(f"{name!r}: CAST({values[name]} AS {kind})" for name, kind in _STATEMENT.items())
    return f"CASE WHEN {condition} THEN {{{cells}}} END"


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


def _person_statement(source: Source, absent: AbsentColumns) -> Iterator[str]:
    """Yield what a row says of its record's person, as `_slots` does, of sources that say something of one.

    An empty field of a row that describes its record is '': it clears the field. Null says nothing of it.
    """
    typed = {name: f"TRY_CAST({value} AS {PERSON_FIELDS[name]})" for name, value in person_of(source).items()}
    if typed:
        cells = ", ".join(
            f"{identifier(name)} := {_person_cell_sql(source, value, absent)}"
            for name, value in typed.items()
        )
        yield _statement_sql(
            " OR ".join(f"{value} IS NOT NULL" for value in typed.values()),
            slot=literal(PERSON), own="false", every="false", alias="false",
            type=literal(PERSON), value=f"to_json(struct_pack({cells}))", region="NULL",
        )  # fmt: skip


def _person_cell_sql(source: Source, value: str, absent: AbsentColumns) -> str:
    text = f"CAST({value} AS VARCHAR)"
    if source.format == "ndjson" or not describes_record(source):
        return text
    cleared = f"coalesce({text}, '')"
    says = says_sql(source, value, absent)
    return cleared if says == "true" else f"CASE WHEN {says} THEN {cleared} END"


def _no_rows_sql(columns: dict[str, str]) -> str:
    cells = (f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
    return f"SELECT {', '.join(cells)} WHERE false"
