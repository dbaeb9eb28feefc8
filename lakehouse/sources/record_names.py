"""How a statement from elsewhere names another source's record: by the source and the record's id.

Ids of a CRM's leads and contacts may be the same numbers, so the id alone names the record only of the type that the
source states consents of, else of the one that is called after it (`acme_id`), else of its only one. A record of any
other type is `crm_lead:7`: its statement gives the type. Where no type is plain, the id alone names records of each: a
statement without a type then has nobody whom it could allow anything, and whoever refuses is not asked of what type
they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.engine import ids
from lakehouse.engine.channels import ADDRESS_TYPES
from lakehouse.engine.escape import literal, literals
from lakehouse.sources.mappable_entities import EACH, TOGETHER
from lakehouse.sources.says import describes_record

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

_ELEMENT = re.compile(r"\beach\b")


@dataclass(frozen=True, slots=True)
class RecordNames:
    """By system, as the first folder of its files: which types of its records are plain, and which others there are.

    `described` has the system and type of records that a source's rows describe, each a whole one.
    """

    plain: frozenset[tuple[str, str]] = frozenset()
    others: frozenset[tuple[str, str]] = frozenset()
    described: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, sources: Iterable[Source]) -> RecordNames:
        """Return how the records of all sources that have addresses are named."""
        carrying = [
            source for source in sources if any(each.type in ADDRESS_TYPES for each in source.identifiers)
        ]
        types: dict[str, set[str]] = defaultdict(set)
        stated: dict[str, set[str]] = defaultdict(set)
        for source in carrying:
            types[source.source].add(source.identifiers[0].type)
            if states_of_records(source):
                stated[source.source].add(source.identifiers[0].type)
        named = {(system, kind) for system, kinds in types.items() for kind in kinds}
        plain = {(system, kind) for system in types for kind in _plain(system, types[system], stated[system])}
        described = {(each.source, each.identifiers[0].type) for each in carrying if describes_record(each)}
        return cls(frozenset(plain), frozenset(named - plain), frozenset(described))

    def record_sql(self, source: str, kind: str, record: str) -> str:
        """Return the SQL of a record's name, of SQL of its source, the type of its id, and the id."""
        if not self.others:
            return record
        others = literals([f"{system} {name}" for system, name in sorted(self.others)])
        return f"CASE WHEN {source} || ' ' || {kind} IN {others} THEN {kind} || ':' || {record} ELSE {record} END"


def of_rows(source: Source) -> Iterator[Mapping[str, str]]:
    """Yield a source's mappings of consents that are its rows' own, not those of elements of lists."""
    return (mapping for mapping in source.mappings("consents") if not _is_of_elements(mapping))


def states_of_records(source: Source) -> bool:
    """Return whether rows of a source state consents that speak for the addresses of their record."""
    return any("address" not in mapping and "source" not in mapping for mapping in of_rows(source))


def whole_id_sql(kind: str, value: str) -> str:
    """Return the SQL of an id of any type: of Salesforce's, both spellings are the longer one."""
    is_salesforce = f"starts_with({kind}, {literal(ids.SALESFORCE)})"
    return f"CASE WHEN {is_salesforce} THEN {ids.salesforce_sql(value)} ELSE {value} END"


def _plain(system: str, types: set[str], stated: set[str]) -> set[str]:
    if stated:
        return stated
    return types & {f"{system}_id"} or (types if len(types) == 1 else set())


def _is_of_elements(mapping: Mapping[str, str]) -> bool:
    """Return whether the records that make a mapping's statements are elements of lists, not rows."""
    return TOGETHER in mapping or (EACH in mapping and _ELEMENT.search(mapping.get("record", "")) is not None)
