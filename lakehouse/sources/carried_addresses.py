"""Which addresses records have, of whatever source: `mapped.carried_addresses`.

It follows from a source's `identifiers`, of which the first names the record and some are addresses (`ADDRESS_TYPES`),
and from its `consents`, where these name the record otherwise. A row is one place for an address in one version of a
record: `identifier_type` says what it is, `identifier_value` holds its normal form, null where the place is empty,
`slot` names the place, `said` is false where the version says nothing of it, as where the file lacks the column. All of
a record's addresses are there, whether or not its own source says anything of consent: another one may state
what the record allows, as `POST /v1/consent` does. `lends` is false where only a refusal is about the address: of rows
that are about something else than the record which another source describes, and of a record whose type is not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lakehouse.engine.channels import ADDRESS_TYPES
from lakehouse.sources.mappable_entities import CLOCK, EACH, RECORD_TYPE, WHERE
from lakehouse.sources.record_names import RecordNames, of_rows, states_of_records
from lakehouse.sources.says import AbsentColumns, describes_record, says_sql

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

_OF_RECORD = ("source", "record", *CLOCK, WHERE)


def mappings(source: Source, absent: AbsentColumns, names: RecordNames) -> Sequence[Mapping[str, str]]:
    """Return the mappings of `carried_addresses` that a source's identifiers and consents come to, each once.

    `RECORD_TYPE` of one says of which type its records are named to be.
    """
    carried = [each for each in source.identifiers if each.type in ADDRESS_TYPES]
    made: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for of_record, is_whole in _records(source, names):
        for number, each in enumerate(carried):
            values = {
                **of_record,
                "identifier_type": f"'{each.type}'",
                "identifier_value": each.value,
                # of two entities that speak of one record, what one has later leaves the other's place alone
                "slot": f"'{source.entity} {number}'",
                "said": says_sql(source, each.value, absent) if is_whole else f"({each.value}) IS NOT NULL",
            }
            made.setdefault(tuple(sorted(values.items())), values)
    return list(made.values())


def has_any(source: Source) -> bool:
    """Return whether records of a source have addresses."""
    return any(each.type in ADDRESS_TYPES for each in source.identifiers)


def _records(source: Source, names: RecordNames) -> Iterator[tuple[dict[str, str], bool]]:
    """Yield how rows name the record that they are of, and its clock; and whether an empty cell clears a place."""
    for mapping in of_rows(source):
        of_record = {name: mapping[name] for name in _OF_RECORD if name in mapping}
        if EACH in mapping:
            # it is of the list's elements: rows without a list have addresses, too
            of_record.pop(WHERE, None)
        yield of_record | {"lends": "true"}, True
    if source.identifiers and not states_of_records(source):
        named = (source.source, source.identifiers[0].type)
        own, is_whole = _own_record(source), describes_record(source)
        lends = {"lends": "true" if is_whole or named not in names.described else "false"}
        if named not in names.others:
            yield own | lends, is_whole
            return
        yield own | lends | {RECORD_TYPE: f"'{named[1]}'"}, is_whole
        if source.source not in {system for system, _ in names.plain}:
            yield own | {"lends": "false"}, is_whole


def _own_record(source: Source) -> dict[str, str]:
    """Return the record that the source's first identifier names, and its clock: as core has it, else `seen_at`.

    A row that is about something else, as an order, may be deleted without its record being gone.
    """
    own = source.identifiers[0].value
    clock = [name for name in CLOCK if name != "deleted" or describes_record(source)]
    of_record = {"record": own} | ({"updated_at": source.seen_at} if source.seen_at else {})
    for entity in source.core:
        for mapping in source.mappings(entity):
            if mapping.get("identifier_value") == own and EACH not in mapping:
                return of_record | {name: mapping[name] for name in clock if name in mapping}
    return of_record
