"""What is wrong or doubtful about a source definition, beyond what reading it tells: against the contracts of core."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ValidationError

from lakehouse.sources.definition import Check, Dedupe, FullExport, Identifier, Source, SourceColumn
from lakehouse.sources.detect import name_hints
from lakehouse.sources.mappable_entities import EACH, ENTITIES, TOGETHER, WHERE, record_key
from lakehouse.tables import entities
from lakehouse.tables.contract import DUCK_TYPES

Level = Literal["error", "warning"]
_PERSONAL = {"email", "phone", "chinese_id", "name", "address", "ip", "wechat_id", "birthday"}
_CONSENT = ("record", "purpose", "channel", "granted")  # consents have no contract of their own
_TYPES = {"text": "string", "varchar": "string", "str": "string", "integer": "int", "bigint": "long", "bool": "boolean",
          "timestamp": "timestamptz", "datetime": "timestamptz", "number": "decimal(18,2)", "decimal": "decimal(18,2)",
          "numeric": "decimal(18,2)", "money": "decimal(18,2)"}  # fmt: skip
_PEOPLE = ("contacts", "leads")  # who is nobody's customer without an identifier


@dataclass(frozen=True)
class Finding:
    """Something to say of a definition: an error stops it, a warning is for a person to weigh."""

    level: Level
    file: str
    field: str
    message: str


def read(text: str, where: str) -> tuple[Source | None, list[Finding]]:
    """Return a definition, or None and all that is wrong with it; names that nobody knows come with those alike."""
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, [Finding("error", where, "the whole file", f"not YAML: {_first(error)}")]
    if not isinstance(told, dict):
        return None, [
            Finding("error", where, "the whole file", "not a mapping: `source:`, `entity:`, … are missing")
        ]
    found = [Finding("error", where, field, message) for field, message in _unknown(told)]
    try:
        return (None, found) if found else (Source.model_validate(told), [])
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            field = ".".join(str(part) for part in one["loc"]) or "the whole file"
            found.append(Finding("error", where, field, one["msg"].removeprefix("Value error, ")))
    return None, found


def _first(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})" if mark else str(problem)


def hint(name: str, known: Collection[str]) -> str:
    """Return what a name may have been meant to be, as the end of a sentence."""
    near = get_close_matches(str(name), list(known), 1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _unknown(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield field and message for each word that no definition knows."""
    yield from _words(told, Source, "")
    for place, column in enumerate(_dicts(told.get("columns"))):
        field = f"columns.{column.get('name', place)}"
        yield from _words(column, SourceColumn, f"{field}.")
        kind = str(column.get("type", "string"))
        if kind.partition("(")[0] not in {*DUCK_TYPES, "decimal"} or kind == "decimal":
            better = _TYPES.get(kind.lower())
            near = f"; did you mean {better}?" if better else hint(kind, (*DUCK_TYPES, "decimal(18,2)"))
            yield f"{field}.type", f"no type {kind}{near}"
    parts: tuple[tuple[str, type[BaseModel]], ...]
    parts = (("checks", Check), ("identifiers", Identifier), ("dedupe", Dedupe), ("full_export", FullExport))
    for name, model in parts:
        for place, one in enumerate(_dicts(told.get(name))):
            yield from _words(one, model, f"{name}.{place}." if isinstance(told[name], list) else f"{name}.")
    yield from _unknown_of_core(told.get("core"))


def _unknown_of_core(core: Any) -> Iterator[tuple[str, str]]:
    for entity, mapping in core.items() if isinstance(core, dict) else ():
        if entity not in ENTITIES:
            yield f"core.{entity}", f"no entity of this name{hint(entity, ENTITIES)}"
            continue
        for one in mapping if isinstance(mapping, list) else [mapping]:
            known = [*ENTITIES[entity], WHERE, EACH, TOGETHER]
            for name in one if isinstance(one, dict) else ():
                if name not in known:
                    yield f"core.{entity}.{name}", f"{entity} has no such column{hint(name, known)}"


def _dicts(told: Any) -> list[dict[str, Any]]:
    """Return the mappings in a list, or the one that stands alone; what else is wrong, reading tells."""
    return [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]


def _words(told: Mapping[str, Any], model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    known = [field.alias or name for name, field in model.model_fields.items()]
    for name in told:
        if name not in known and name not in model.model_fields:
            yield f"{prefix}{name}", f"no such word here{hint(name, known)}"


def weigh(source: Source, where: str, identifier_types: Collection[str]) -> list[Finding]:
    """Return what is missing or doubtful in a definition; `identifier_types` are those of all definitions."""
    found = [
        Finding(level, where, field, message)
        for entity in source.core
        for mapping in source.mappings(entity)
        for level, field, message in _mapping(entity, mapping, {*identifier_types, *_types(source)})
    ]
    found += [Finding("warning", where, field, message) for field, message in _personal(source)]
    if not source.core:
        found.append(
            Finding(
                "warning",
                where,
                "core",
                "nothing is mapped: the rows stay in the raw table and no model sees them",
            )
        )
    people = [entity for entity in _PEOPLE if entity in source.core]
    if people and not source.identifiers:
        why = f"{people[0]} without identifiers are nobody's: name record, seen_at, and such as e-mail and phone"
        found.append(Finding("warning", where, "identifiers", why))
    return found


def _types(source: Source) -> set[str]:
    return {one.type for one in source.identifiers}


def _mapping(
    entity: str, mapping: Mapping[str, str], identifier_types: Collection[str]
) -> Iterator[tuple[Level, str, str]]:
    field = f"core.{entity}"
    contract = entities.BY_NAME.get(entity)
    for name in record_key(contract) if contract else _CONSENT:
        if name not in ("source", *mapping):
            what = f"missing: it is of what names a record of {entity}; map a column to it"
            yield "error", f"{field}.{name}", what
    yield from _customer(entity, mapping, identifier_types)
    if "updated_at" not in mapping:
        what = "missing: of two versions of a record the one loaded later counts"
        yield "warning", f"{field}.updated_at", what
    if contract is None:
        return
    for part in contract.partition:
        if part.column not in mapping:
            yield "warning", f"{field}.{part.column}", f"missing: core.{entity} is partitioned by it"
    columns = {column.name: column for column in contract.columns}
    money = [name for name in mapping if name in columns and _money(name, columns[name].type)]
    if money and "currency" in columns and "currency" not in mapping:
        what = f"missing: nobody knows what {', '.join(money)} is in; map a column, or write it, such as \"'CNY'\""
        yield "warning", f"{field}.currency", what


def _customer(
    entity: str, mapping: Mapping[str, str], identifier_types: Collection[str]
) -> Iterator[tuple[Level, str, str]]:
    """Yield what keeps a mapping from finding its customer."""
    field = f"core.{entity}.identifier_type"
    kind, value = (mapping.get(name, "") for name in ("identifier_type", "identifier_value"))
    if "identifier_type" not in ENTITIES[entity]:
        return
    if not (kind or value):
        yield "warning", field, "missing: no customer_id can be looked up; say whose record it is"
    elif not kind:
        yield "error", field, "missing: without it identifier_value says nothing"
    elif not value:
        yield "error", f"core.{entity}.identifier_value", "missing: without it identifier_type says nothing"
    elif kind[:1] == kind[-1:] == "'" and kind[1:-1] not in identifier_types:
        near = hint(kind[1:-1], sorted(identifier_types)) if identifier_types else ""
        yield "warning", field, f"no definition has identifiers of the type {kind}{near}"


def _money(name: str, kind: str) -> bool:
    return kind.startswith("decimal") and name not in (
        "quantity",
        "minimum",
        "value",
        "on_hand",
        "reserved",
        "ordered",
    )


def _personal(source: Source) -> Iterator[tuple[str, str]]:
    """Yield columns whose name looks personal, or that become a personal column of core, without the tag."""
    becomes: dict[str, set[bool]] = {}
    for entity in source.core:
        contract = entities.BY_NAME.get(entity)
        pii = {column.name: column.pii for column in contract.columns} if contract else {}
        for mapping in source.mappings(entity):
            for name, expression in mapping.items():
                becomes.setdefault(expression, set()).add(pii.get(name, False))
    for column in source.columns:
        if column.pii:
            continue
        hints = (name_hints.hints(column.origin) | name_hints.hints(column.name)) & _PERSONAL
        if column.type != "string":
            hints &= {"birthday", "phone", "chinese_id"}
        if column.origin.lower() == "name" or becomes.get(column.name) == {False}:
            hints -= {"name"}
        if True in becomes.get(column.name, set()):
            yield f"columns.{column.name}.pii", "core holds it as personal data: write pii: true"
        elif hints:
            words = " or ".join(sorted(hints)).replace("_", " ")
            yield (
                f"columns.{column.name}.pii",
                f"{column.origin!r} looks like {words}: write pii: true if it is somebody's",
            )
