"""Columns that only together are one of core: street and postal code, given and family name, country and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lakehouse.sources.suggest.evidence import Seen, is_aside
from lakehouse.sources.suggest.target_columns import index
from lakehouse.sources.suggest.words import Name, alike, name_of, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED = 0.93
ADDRESS, NAME, REGION = "address", "name", "region_code"
_COUNTRY = ("country", "country_code")


@dataclass(frozen=True)
class Part:
    """A column as a part of a canonical one. `partner` is the place of the column that it makes no sense without."""

    column: str
    role: str
    why: str
    partner: int | None = None


def parts(entity: str, columns: Sequence[Seen], taken: Mapping[int, str]) -> dict[int, Part]:
    """Return which columns are parts, by their place; `taken` says which canonical column the others became."""
    free = {place: seen for place, seen in enumerate(columns) if place not in taken}
    of = index(entity).targets
    found: dict[int, Part] = {}
    if ADDRESS in of:
        found |= _of_address(columns, free, taken)
    if NAME in of and "first_name" not in of:
        of_name = {place: seen for place, seen in enumerate(columns) if taken.get(place, NAME) == NAME}
        found |= _of_name(of_name)
    if REGION in of and REGION not in taken.values():
        found |= _of_region(entity, columns, free, taken)
    return found


def _of_address(
    columns: Sequence[Seen], free: Mapping[int, Seen], taken: Mapping[int, str]
) -> dict[int, Part]:
    """Return the postal code, the second line and the area of the address that was found."""
    street = next((place for place, column in taken.items() if column == ADDRESS), None)
    if street is None:
        return {}
    kind = _kind_of_address(columns[street].header)
    return {
        place: Part(ADDRESS, role, "a part of the address", street)
        for place, role in _named(free, ADDRESS)
        if _kind_of_address(free[place].header) == kind
        and (role != "line2" or "1" in name_of(columns[street].header).words)
    }


def _kind_of_address(header: str) -> str:
    words = name_of(header).words
    kinds: dict[str, str] = vocabulary()["addresses"]
    return next((kinds[word] for word in words if word in kinds), "")


def _of_name(free: Mapping[int, Seen]) -> dict[int, Part]:
    found = {role: place for place, role in reversed(_named(free, NAME))}
    if len(found) < len(_roles(NAME)):
        return {}
    first, last = found["first_name"], found["last_name"]
    return {
        place: Part(NAME, role, "a part of the name", other)
        for place, role, other in ((first, "first_name", last), (last, "last_name", first))
    }


def _of_region(
    entity: str, columns: Sequence[Seen], free: Mapping[int, Seen], taken: Mapping[int, str]
) -> dict[int, Part]:
    """Return a state's code and the country's, where both are codes: US and CA are US-CA."""
    states = [place for place, _ in _named(free, REGION) if "code" in free[place].things]
    for state in sorted(states, key=lambda place: is_aside(columns[place].header, entity)):
        kind = _kind_of_address(columns[state].header)
        for place, seen in enumerate(columns):
            mapped = taken.get(place) in _COUNTRY or (place in free and _is_country(seen))
            if mapped and "country_code" in seen.things and _kind_of_address(seen.header) == kind:
                why = "with the country's code the region's"
                found = {state: Part(REGION, "state", why, place)}
                return found | ({place: Part(REGION, "country", why, state)} if place in free else {})
    return {}


def _is_country(seen: Seen) -> bool:
    return "country" in name_of(seen.header).words or "国家" in name_of(seen.header).han


def _named(free: Mapping[int, Seen], column: str) -> list[tuple[int, str]]:
    return [(place, role) for place, seen in free.items() for role in _role(seen.header, column)]


def _role(header: str, column: str) -> Iterator[str]:
    name = name_of(header)
    without = Name(words=tuple(word for word in name.words if word not in vocabulary()["addresses"]))
    for role, names in _roles(column).items():
        if any(max(alike(name, one), alike(without, one)) >= _NAMED for one in names):
            yield role
            return


@lru_cache(maxsize=8)
def _roles(column: str) -> dict[str, tuple[Name, ...]]:
    """Return the parts of a canonical column with their names."""
    return {
        role: tuple(name_of(word) for word in (*told.get("en", ()), *told.get("zh", ())))
        for role, told in vocabulary()["parts"][column].items()
    }
