"""Composite columns: of core they are one, of a file several, such as street and postal code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lakehouse.sources.suggest.evidence import FileColumn, is_of_other_address
from lakehouse.sources.suggest.name_index import name_index
from lakehouse.sources.suggest.policy import ConfidencePolicy
from lakehouse.sources.suggest.similarity import similarity
from lakehouse.sources.suggest.words import Name, name_of, names_of, vocabulary

ADDRESS, NAME, REGION = "address", "name", "region_code"
_COUNTRY = ("country", "country_code")
_REGION_REASON = "with the country's code the region's"


@dataclass(frozen=True)
class CompositePart:
    """A column as a part of a canonical one. `partner`: the index of the column that it makes no sense without."""

    column: str
    role: str
    why: str
    partner: int | None = None


Parts = dict[int, CompositePart]  # by the index of the file's column


def find_parts(entity: str, columns: Sequence[FileColumn], taken: Mapping[int, str]) -> Parts:
    """Return the columns that are parts, by their index; `taken` says which canonical column the others became."""
    free = {index: column for index, column in enumerate(columns) if index not in taken}
    targets = name_index(entity).targets
    parts: Parts = {}
    if ADDRESS in targets:
        parts |= _address_parts(columns, free, taken)
    if NAME in targets and "first_name" not in targets:
        free_or_name = {
            index: column for index, column in enumerate(columns) if taken.get(index, NAME) == NAME
        }
        parts |= _name_parts(free_or_name)
    if REGION in targets and REGION not in taken.values():
        parts |= _region_parts(entity, columns, free, taken)
    return parts


def _address_parts(
    columns: Sequence[FileColumn], free: Mapping[int, FileColumn], taken: Mapping[int, str]
) -> Parts:
    """Return the postal code, the second line and the area of the address that was found."""
    street = next((index for index, column in taken.items() if column == ADDRESS), None)
    if street is None:
        return {}
    header = columns[street].header
    parts: Parts = {}
    for index, role in _roles_of(free, ADDRESS):
        if _address_kind(free[index].header) != _address_kind(header):
            continue
        if role == "line2" and "1" not in name_of(header).words:
            continue
        parts[index] = CompositePart(ADDRESS, role, "a part of the address", street)
    return parts


def _address_kind(header: str) -> str:
    """Return which of several addresses a header is of, such as billing; empty where it does not say."""
    kinds: dict[str, str] = vocabulary()["addresses"]
    return next((kinds[word] for word in name_of(header).words if word in kinds), "")


def _name_parts(free: Mapping[int, FileColumn]) -> Parts:
    """Return given and family name, where there are both."""
    index_of = {role: index for index, role in reversed(_roles_of(free, NAME))}
    if len(index_of) < len(_role_names(NAME)):
        return {}
    first, last = index_of["first_name"], index_of["last_name"]
    return {
        first: CompositePart(NAME, "first_name", "a part of the name", last),
        last: CompositePart(NAME, "last_name", "a part of the name", first),
    }


def _region_parts(
    entity: str,
    columns: Sequence[FileColumn],
    free: Mapping[int, FileColumn],
    taken: Mapping[int, str],
) -> Parts:
    """Return a state's code and its country's, where both are codes: US and CA are US-CA."""
    states = [index for index, _ in _roles_of(free, REGION) if "code" in free[index].entity_hints]
    states.sort(key=lambda index: is_of_other_address(columns[index].header, entity))
    countries = [
        index
        for index, column in enumerate(columns)
        if _is_country_code(column, taken.get(index), is_free=index in free)
    ]
    for state in states:
        kind = _address_kind(columns[state].header)
        for country in countries:
            if _address_kind(columns[country].header) != kind:
                continue
            parts = {state: CompositePart(REGION, "state", _REGION_REASON, country)}
            if country in free:
                parts[country] = CompositePart(REGION, "country", _REGION_REASON, state)
            return parts
    return {}


def _is_country_code(column: FileColumn, became: str | None, *, is_free: bool) -> bool:
    """Tell whether a column that `became` a canonical one, or is free, holds codes of countries."""
    if "country_code" not in column.entity_hints:
        return False
    return became in _COUNTRY or (is_free and _says_country(column.header))


def _says_country(header: str) -> bool:
    name = name_of(header)
    return "country" in name.words or "国家" in name.han


def _roles_of(free: Mapping[int, FileColumn], column: str) -> list[tuple[int, str]]:
    """Return which columns, by their index, have a role in a composite column."""
    return [
        (index, role) for index, free_column in free.items() for role in _role(free_column.header, column)
    ]


def _role(header: str, column: str) -> Iterator[str]:
    """Yield the role that a header names in a composite column, if it does."""
    name = name_of(header)
    words = tuple(word for word in name.words if word not in vocabulary()["addresses"])
    spellings = (name, Name(words=words))
    for role, synonyms in _role_names(column).items():
        best = max(similarity(spelling, synonym) for spelling in spellings for synonym in synonyms)
        if best >= ConfidencePolicy.high:
            yield role
            return


@lru_cache(maxsize=8)
def _role_names(column: str) -> dict[str, tuple[Name, ...]]:
    """Return the roles in a composite column with their names."""
    return {role: names_of(names) for role, names in vocabulary()["parts"][column].items()}
