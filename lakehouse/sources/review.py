"""What is wrong or doubtful about a source definition: as it reads, and by the contracts of core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lakehouse.definitions import find_line, nearest, read_yaml
from lakehouse.sources.definition import Source
from lakehouse.sources.detect import name_hints
from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.sources.read_contracts import columns_left_out
from lakehouse.tables import entities
from lakehouse.tables.contract import Column, Contract

Level = Literal["error", "warning"]
Remark = tuple[Level, str, str]  # level, field and message of a finding
_PERSONAL = {"email", "phone", "chinese_id", "name", "address", "ip", "wechat_id", "birthday"}
_PERSONAL_NUMBERS = {"birthday", "phone", "chinese_id"}  # what a column that is no text may still be
_CONSENT = ("record", "purpose", "channel", "granted")  # consents have no contract of their own
_NO_MONEY = ("quantity", "minimum", "value", "on_hand", "reserved", "ordered")  # decimals without a currency
_PEOPLE = ("contacts", "leads")  # who is nobody's customer without an identifier


@dataclass(frozen=True)
class Finding:
    """Something to say of a definition: an error stops it, a warning is for a person to weigh.

    `line` counts from 1; 0 where a file has no such line.
    """

    level: Level
    file: str
    field: str
    message: str
    line: int = 0


def read(text: str, where: str) -> tuple[Source | None, list[Finding]]:
    """Return a definition, or None and all that is wrong with it."""
    source, problems = read_yaml(text, Source)
    return source, [
        Finding("error", where, problem.field, problem.message, problem.line) for problem in problems
    ]


def with_lines(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Return findings with the lines of the text at which their fields stand."""
    return [replace(finding, line=find_line(text, finding.field, Source)) for finding in findings]


def weigh(source: Source, where: str, identifier_types: Collection[str]) -> list[Finding]:
    """Return what is missing or doubtful in a definition; `identifier_types` are those of all definitions."""
    types = {*identifier_types, *(identifier.type for identifier in source.identifiers)}
    remarks: list[Remark] = []
    for entity in source.core:
        for mapping in source.mappings(entity):
            remarks += _review_mapping(entity, mapping, types)
    remarks += _review_personal_columns(source)
    remarks += _review_columns_left_out(source)
    remarks += _review_purpose(source)
    return [Finding(level, where, field, message) for level, field, message in remarks]


def _review_purpose(source: Source) -> Iterator[Remark]:
    """Yield why the rows of a source may be of no use."""
    if not source.core:
        yield "warning", "core", "nothing is mapped: the rows stay in the raw table and no model sees them"
    people = [entity for entity in _PEOPLE if entity in source.core]
    if people and not source.identifiers:
        message = f"{people[0]} without identifiers are nobody's: name record, seen_at, and such as e-mail and phone"
        yield "warning", "identifiers", message


def _review_columns_left_out(source: Source) -> Iterator[Remark]:
    left_out = ", ".join(column.name for column in columns_left_out(source))
    if left_out:
        yield "warning", "columns", f"the shipped definition has {left_out}, too: models read null there"


def _review_mapping(
    entity: str, mapping: Mapping[str, str], identifier_types: Collection[str]
) -> Iterator[Remark]:
    field = f"core.{entity}"
    contract = entities.BY_NAME.get(entity)
    for name in record_key(contract) if contract else _CONSENT:
        if name not in ("source", *mapping):
            message = f"missing: it is of what names a record of {entity}; map a column to it"
            yield "error", f"{field}.{name}", message
    yield from _review_customer(entity, mapping, identifier_types)
    if "updated_at" not in mapping:
        message = "missing: of two versions of a record the one loaded later counts"
        yield "warning", f"{field}.updated_at", message
    if contract is not None:
        yield from _review_partition(field, mapping, contract)
        yield from _review_currency(field, mapping, contract)


def _review_partition(field: str, mapping: Mapping[str, str], contract: Contract) -> Iterator[Remark]:
    for part in contract.partition:
        if part.column not in mapping:
            yield "warning", f"{field}.{part.column}", f"missing: {field} is partitioned by it"


def _review_currency(field: str, mapping: Mapping[str, str], contract: Contract) -> Iterator[Remark]:
    columns = {column.name: column for column in contract.columns}
    if "currency" not in columns or "currency" in mapping:
        return
    money = [name for name in mapping if _is_money(columns.get(name))]
    if money:
        names = ", ".join(money)
        message = f"missing: nobody knows what {names} is in; map a column, or write it, such as \"'CNY'\""
        yield "warning", f"{field}.currency", message


def _is_money(column: Column | None) -> bool:
    return column is not None and column.type.startswith("decimal") and column.name not in _NO_MONEY


def _review_customer(
    entity: str, mapping: Mapping[str, str], identifier_types: Collection[str]
) -> Iterator[Remark]:
    """Yield what keeps a mapping from finding its customer."""
    if "identifier_type" not in ENTITIES[entity]:
        return
    field = f"core.{entity}.identifier_type"
    type_sql = mapping.get("identifier_type", "")
    value_sql = mapping.get("identifier_value", "")
    literal = type_sql[1:-1] if type_sql[:1] == type_sql[-1:] == "'" else ""
    if not type_sql and not value_sql:
        yield "warning", field, "missing: no customer_id can be looked up; say whose record it is"
    elif not type_sql:
        yield "error", field, "missing: without it identifier_value says nothing"
    elif not value_sql:
        yield "error", f"core.{entity}.identifier_value", "missing: without it identifier_type says nothing"
    elif literal and literal not in identifier_types:
        hint = nearest(literal, sorted(identifier_types)) if identifier_types else ""
        yield "warning", field, f"no definition has identifiers of the type {literal}{hint}"


def _review_personal_columns(source: Source) -> Iterator[Remark]:
    """Yield columns that look personal, or that become a personal column of core, without the tag."""
    becomes_personal = _personal_targets(source)
    for column in source.columns:
        if column.pii:
            continue
        field = f"columns.{column.name}.pii"
        targets = becomes_personal.get(column.name, set())
        if True in targets:
            yield "warning", field, "core holds it as personal data: write pii: true"
            continue
        hints = (name_hints.hints(column.origin) | name_hints.hints(column.name)) & _PERSONAL
        if column.type != "string":
            hints &= _PERSONAL_NUMBERS
        if column.origin.lower() == "name" or targets == {False}:
            hints -= {"name"}
        if hints:
            words = " or ".join(sorted(hints)).replace("_", " ")
            yield (
                "warning",
                field,
                f"{column.origin!r} looks like {words}: write pii: true if it is somebody's",
            )


def _personal_targets(source: Source) -> dict[str, set[bool]]:
    """Return by the SQL of a mapping whether the columns of core that it becomes are personal."""
    targets: dict[str, set[bool]] = {}
    for entity in source.core:
        contract = entities.BY_NAME.get(entity)
        personal = {column.name for column in contract.columns if column.pii} if contract else set()
        for mapping in source.mappings(entity):
            for name, sql in mapping.items():
                targets.setdefault(sql, set()).add(name in personal)
    return targets
