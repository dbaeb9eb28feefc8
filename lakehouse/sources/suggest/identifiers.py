"""Whose record a row is: the identifiers that a draft takes from it, what they belong to, and when they were seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.sources.suggest.draft_columns import DraftColumn
from lakehouse.sources.suggest.policy import DraftPolicy
from lakehouse.sources.suggest.target_columns import PEOPLE, WHOSE
from lakehouse.tables import entities

_CLOCKS = ("updated_at", "created_at", "ordered_at", "occurred_at", "paid_at", "issued_at")
_EMAIL_HEADER = re.compile(r"mail|邮箱|邮件")
_PHONE_HEADER = re.compile(r"phone|mobile|手机|电话")
ByCore = Mapping[str, Sequence[DraftColumn]]  # the columns that core gets, by the canonical column


class DraftIdentifier(NamedTuple):
    """An identifier that a row carries: its type, the column it stands in, and whether it surely is the customer's."""

    type: str
    value: str
    sure: bool


class CoreColumn(NamedTuple):
    """What core gets of a file for one of its columns: SQL, and why that, or how sure it is."""

    column: str
    expression: str
    why: str


@dataclass(frozen=True)
class Owner:
    """Whose record a row is: the identifiers it carries, and what core gets to look its customer up by."""

    identifiers: tuple[DraftIdentifier, ...] = ()
    core: tuple[CoreColumn, ...] = ()


def find_owner(
    source: str, source_entity: str, entity: str, drafted: Sequence[DraftColumn], by_core: ByCore
) -> Owner:
    """Return whose record a row is; `source` and `source_entity` are the source key, `entity` the canonical one."""
    if "identifier_type" not in ENTITIES[entity]:
        return Owner()
    contacts = _contact_identifiers(drafted, own=entity in PEOPLE)
    number = _owner_number(source, entity, by_core)
    if number is None and contacts:
        number = _record_number(source, source_entity, entity, contacts, by_core)
        contacts = [contact._replace(sure=True) for contact in contacts]
    if number is None:
        return Owner(tuple(contacts) if entity in PEOPLE else ())
    kind, value, why = number
    own = DraftIdentifier(kind, value, sure=True)
    core = (CoreColumn("identifier_type", f"'{kind}'", why), CoreColumn(WHOSE, value, ""))
    return Owner((own, *contacts), core)


class _Number(NamedTuple):
    """A number to look a customer up by: its type, the column it stands in, and why that."""

    type: str
    value: str
    why: str


def _owner_number(source: str, entity: str, by_core: ByCore) -> _Number | None:
    """Return the number of the person that a row is, or of its customer."""
    kind, record_id = f"{source}_id", record_key(entities.BY_NAME[entity])[-1]
    if entity in PEOPLE and record_id in by_core:
        return _Number(kind, by_core[record_id][0].name, "")
    if WHOSE in by_core:
        return _Number(kind, by_core[WHOSE][0].name, "'user_id' where other systems know the number, too")
    if "contact_id" in by_core:
        return _Number(kind, by_core["contact_id"][0].name, "the contact it is about")
    return None


def _record_number(
    source: str, source_entity: str, entity: str, contacts: Sequence[DraftIdentifier], by_core: ByCore
) -> _Number | None:
    """Return the number of the row's own record, where only e-mails and phones on it say whose it is."""
    record_id = record_key(entities.BY_NAME[entity])[-1]
    if record_id not in by_core:
        return None
    types = " and ".join(sorted({contact.type for contact in contacts}))
    why = f"no customer's number: its {types} say whose it is"
    return _Number(f"{source}_{source_entity}_id", by_core[record_id][0].name, why)


def _contact_identifiers(drafted: Sequence[DraftColumn], *, own: bool) -> list[DraftIdentifier]:
    """Return the columns that hold e-mails and phones, whatever core makes of them."""
    contacts = []
    for column in drafted:
        kind = _contact_type(column)
        if kind:
            contacts.append(DraftIdentifier(kind, column.name, own))
    return contacts


def _contact_type(column: DraftColumn) -> str:
    """Return which identifier a column holds: email, phone, or empty for none."""
    if column.core in ("email", "phone") and column.is_mapped:
        return column.core
    if column.core or not column.pii or column.type != "string":
        return ""
    header = column.header.lower()
    if _EMAIL_HEADER.search(header):
        return "email"
    return "phone" if _PHONE_HEADER.search(header) else ""


def record_expression(source: str, source_entity: str, entity: str, by_core: ByCore) -> str:
    """Return the SQL that names what the identifiers belong to: the customer, else the record, else the row."""
    if entity not in PEOPLE:
        for core, word in ((WHOSE, "customer"), ("contact_id", "contacts")):
            if core in by_core:
                return f"'{source}:{word}:' || {by_core[core][0].name}"
    record_id = record_key(entities.BY_NAME[entity])[-1]
    if record_id in by_core:
        return f"'{source}:{source_entity}:' || {by_core[record_id][0].name}"
    return f"'{source}:{source_entity}:' || _file_id || ':' || _row"


def seen_at_expression(by_core: ByCore) -> str:
    """Return the SQL of when identifiers were seen: when the record changed or was made, else when it was loaded."""
    clocks = [by_core[core][0] for core in _CLOCKS if core in by_core]
    names = [column.name for column in clocks if column.type == "timestamptz"]
    if not names:
        return "_loaded_at"
    return f"coalesce({', '.join([*names[: DraftPolicy.seen_at_columns], '_loaded_at'])})"
