"""Reads `core` of a source definition: writes `same` out, and says what is wrong with a mapping, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lakehouse.definitions import FieldsError, Location, nearest
from lakehouse.sources.mappable_entities import CHANGES, EACH, ENTITIES, SAME, TOGETHER, WHERE
from lakehouse.tables import entities

_KEYWORDS = (SAME, WHERE, EACH, TOGETHER)  # and `changes`, of entities that have records
_FROM_SOURCE = {"source", "time_zone"}  # every mapping has them, from its source
Problem = tuple[Location, str]


def read_core(core: Any, source_columns: Sequence[str] | None) -> Any:
    """Return `core` with `same` of each mapping written out as `name: name`; what is no mapping stays as it is.

    `source_columns` are those that a mapping may name under `same`; None where they are unknown. Raises FieldsError
    with everything that is wrong: entities and columns that do not exist, a column that is mapped twice.
    """
    if not isinstance(core, Mapping):
        return core
    problems: list[Problem] = []
    expanded: dict[Any, Any] = {}
    for entity, mappings in core.items():
        if entity not in ENTITIES:
            problems.append(((entity,), f"no entity of this name{nearest(str(entity), list(ENTITIES))}"))
        elif isinstance(mappings, (list, tuple)):
            listed = [((entity, number), mapping) for number, mapping in enumerate(mappings)]
            problems += [
                problem for where, mapping in listed for problem in _check(where, mapping, source_columns)
            ]
            expanded[entity] = [_expand(mapping) for mapping in mappings]
        else:
            problems += _check((entity,), mappings, source_columns)
            expanded[entity] = _expand(mappings)
    if problems:
        raise FieldsError(*problems)
    return expanded


def _expand(mapping: Any) -> Any:
    """Return a mapping with the columns that `same` lists, as `name: name`."""
    if not isinstance(mapping, Mapping):
        return mapping
    same = mapping.get(SAME)
    listed = {name: name for name in same} if isinstance(same, (list, tuple)) else {}
    return listed | {name: sql for name, sql in mapping.items() if name != SAME}


def _check(where: Location, mapping: Any, source_columns: Sequence[str] | None) -> Iterator[Problem]:
    """Yield what is wrong with one mapping; `where` says which it is, the entity first."""
    if not isinstance(mapping, Mapping):
        yield where, "not a mapping of columns to SQL"
        return
    entity = str(where[0])
    known = [*ENTITIES[entity], *_KEYWORDS, *((CHANGES,) if entity in entities.BY_NAME else ())]
    for name, sql in mapping.items():
        if name not in known:
            yield (*where, name), f"{entity} has no such column{nearest(str(name), known)}"
        elif name != SAME and not isinstance(sql, str):
            yield (*where, name), "not SQL: write it in quotes, such as '42'"
    same_problems = list(_check_same(where, mapping, source_columns))
    yield from same_problems
    if not same_problems:
        yield from _check_together(where, _expand(mapping))


def _check_same(
    where: Location, mapping: Mapping[str, Any], source_columns: Sequence[str] | None
) -> Iterator[Problem]:
    """Yield what is wrong with the columns that come from the source's columns of the same name."""
    if SAME not in mapping:
        return
    here = (*where, SAME)
    entity, names = str(where[0]), mapping[SAME]
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        yield here, "not a list of columns, such as [city, country]"
        return
    for position, name in enumerate(names):
        if name in names[:position]:
            yield here, f"{name} stands twice; keep one"
        elif name in mapping:
            yield here, f"{name} is mapped by a line of its own, too; keep one"
        elif name not in ENTITIES[entity]:
            yield here, f"{entity} has no column {name}{nearest(name, list(ENTITIES[entity]))}"
        elif source_columns is not None and name not in source_columns:
            yield here, f"the source has no column {name}{nearest(name, list(source_columns))}"


def _check_together(where: Location, mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the columns that `together` names and the mapping does not give."""
    named = {name.strip() for name in str(mapping.get(TOGETHER, "source")).split(",")}
    if unmapped := named - mapping.keys() - _FROM_SOURCE:
        yield (*where, TOGETHER), f"names what is not mapped: {', '.join(sorted(unmapped))}"
