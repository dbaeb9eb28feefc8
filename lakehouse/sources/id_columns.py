"""Which columns of a source hold ids, by what the definition does with them, and what such a column says of no id.

A column holds ids if it is the source's key alone, or is called so (`id`, `…_id`, `…_ids`), or if a record of core gets
its id, a reference to another record, or its customer's number from it; and if it is an identifier of people, or names
what the identifiers belong to. E-mails and phones have normal forms of their own; of them only placeholders are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.engine.ids import CONTACT_TYPES, SALESFORCE, Level
from lakehouse.sources.mappable_entities import CARRIED_ADDRESSES, ENTITIES, VIEWS, WHOSE
from lakehouse.tables.entities.references import REFERENCES

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceColumn

_SALESFORCE_FORMAT = "salesforce_id"
_CALLED_ID = re.compile(r"(^|_)ids?$")
# What is called otherwise may hold names, as where a system knows its customers by name alone
_CALLED_NUMBER = re.compile(r"(^|_)(ids?|no|number|code|key|uid|uuid|guid|openid|unionid)$")
_CALLED_NAME = re.compile(r"(^|_)(name|title)$")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_CONDITION = re.compile(r"\bWHEN\b.*?\bTHEN\b", re.IGNORECASE | re.DOTALL)
# What is taken out of JSON is a value of its own: the column holds no ids
_JSON = re.compile(r"\b[A-Za-z_]\w*\s*->>?|CAST\(\s*\w+\s+AS\s+JSON\b", re.IGNORECASE)
_DIGEST = re.compile(r"\b(md5|sha1|sha256|hash)\s*\(", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONSTANT = re.compile(r"\s*'(?P<text>[^']*)'\s*")
_OF_CONTACTS: Level = "record"
_REFERRING = {(reference.entity, reference.column) for reference in REFERENCES}


@dataclass(frozen=True)
class IdColumn:
    """What is known of a column that holds ids: what its placeholders name none of, and whose ids they are."""

    level: Level
    salesforce: bool = False


def find(source: Source) -> dict[str, IdColumn]:
    """Return the columns that hold ids, by name. A column that reads its text in another way is none of them."""
    uses = _Uses.of(source)
    found = {}
    for column in source.columns:
        is_used_so = column.name not in uses.contacts and uses.makes_id(column.name)
        if _may_hold_ids(column) and (is_used_so or column.formats):
            is_salesforce = (
                uses.is_salesforce(column.name)
                if not column.formats
                else _SALESFORCE_FORMAT in column.formats
            )
            found[column.name] = IdColumn(uses.level(column.name), is_salesforce)
    return found


def as_read(column: SourceColumn, found: IdColumn | None) -> SourceColumn:
    """Return a column with the format of its ids, if it holds some and names none itself."""
    if found is None or column.formats:
        return column
    return column.model_copy(update={"formats": (_SALESFORCE_FORMAT if found.salesforce else "id",)})


def guards(source: Source) -> dict[str, Level]:
    """Return the stored columns in which a placeholder counts as null, by name: ids, and e-mails and phones of people.

    Of hashes nobody can tell: what was a placeholder has none.
    """
    readable = {column.name for column in source.columns if _is_plain_text(column) and not column.hashed}
    contacts = dict.fromkeys(sorted(readable & _Uses.of(source).contacts), _OF_CONTACTS)
    return contacts | {name: found.level for name, found in source.ids.items() if name in readable}


def id_targets(entity: str) -> tuple[str, ...]:
    """Return the columns of an entity, as a mapping gives them, that hold ids; `identifier_value` is one of them."""
    return tuple(name for name in VIEWS[entity] if _is_id_target(entity, name))


def constant_type(mapping: Mapping[str, str]) -> str | None:
    """Return the type of identifier by which a mapping looks all its customers up; None where rows differ."""
    constant = _CONSTANT.fullmatch(mapping.get("identifier_type", ""))
    return constant["text"] if constant else None


def _is_id_target(entity: str, name: str) -> bool:
    return (
        (_CALLED_ID.search(name) is not None and VIEWS[entity][name] == "VARCHAR")
        or _refers(entity, name)
        or (name in WHOSE and name != "identifier_type")
        or (entity in ("consents", CARRIED_ADDRESSES) and name == "record")
    )


def _refers(entity: str, name: str) -> bool:
    return (entity, name) in _REFERRING


def _may_hold_ids(column: SourceColumn) -> bool:
    return _is_plain_text(column) and set(column.formats) <= {"id", _SALESFORCE_FORMAT}


def _is_plain_text(column: SourceColumn) -> bool:
    return column.type == "string" and column.json_type in (None, "string") and not column.dropped


@dataclass(frozen=True)
class _Uses:
    """What a definition does with its columns, each a set of their names."""

    source: str
    keys: tuple[str, ...]
    contacts: frozenset[str]
    people: frozenset[str]
    references: frozenset[str]
    records: frozenset[str]
    salesforce: frozenset[str]
    others: frozenset[str]  # identifiers of other types than Salesforce's

    @classmethod
    def of(cls, source: Source) -> _Uses:
        names = frozenset(column.name for column in source.columns)
        whose = _columns_of(names, [*_numbers_looked_up(source), source.record or ""])
        salesforce = _columns_of(names, _identifiers(source, is_salesforce_type))
        others = _columns_of(
            names,
            _identifiers(source, lambda kind: kind not in CONTACT_TYPES and not is_salesforce_type(kind)),
        )
        return cls(
            source=source.source,
            keys=source.key or ((source.dedupe.column,) if source.dedupe else ()),
            contacts=_columns_of(names, _identifiers(source, CONTACT_TYPES.__contains__)),
            people=whose | salesforce | others,
            references=_columns_of(names, _mapped(source, _refers)),
            records=_columns_of(names, _mapped(source, _is_id_target)),
            salesforce=salesforce,
            others=others,
        )

    def makes_id(self, name: str) -> bool:
        """Return whether the values of a column are ids, or parts of one."""
        return (
            self.keys == (name,)
            or _CALLED_ID.search(name) is not None
            or name in self.people | self.references | self.records
        )

    def level(self, name: str) -> Level:
        """Return what a placeholder in a column names none of."""
        is_key = self.keys == (name,) and not _CALLED_NAME.search(name)
        if not (is_key or _CALLED_NUMBER.search(name)):
            return "anything"  # it may be a name
        if name in self.people:
            return "person"
        is_position = len(self.keys) > 1 and name in self.keys and name not in self.references
        return "anything" if is_position else "record"

    def is_salesforce(self, name: str) -> bool:
        """Return whether the ids of a column are Salesforce's."""
        if name in self.salesforce:
            return True
        return self.source.startswith(SALESFORCE) and name not in self.others


def is_salesforce_type(kind: str | None) -> bool:
    """Return whether identifiers of a type are ids of a Salesforce organisation."""
    return kind is not None and kind.startswith(SALESFORCE)


def _mappings(source: Source) -> Iterator[Mapping[str, str]]:
    for entity in source.core:
        yield from source.mappings(entity)


def _identifiers(source: Source, is_asked: Callable[[str], bool]) -> Iterator[str]:
    """Yield the SQL of the identifiers of the types that are asked for."""
    return (each.value for each in source.identifiers if is_asked(each.type))


def _numbers_looked_up(source: Source) -> Iterator[str]:
    """Yield the SQL of what mappings look customers up by, e-mails and phones apart."""
    for mapping in _mappings(source):
        if constant_type(mapping) not in CONTACT_TYPES:
            yield mapping.get("identifier_value", "")


def _mapped(source: Source, is_asked: Callable[[str, str], bool]) -> Iterator[str]:
    """Yield the SQL of the canonical columns that are asked for, by entity and name."""
    for entity in source.core:
        for mapping in source.mappings(entity):
            for name, sql in mapping.items():
                if name in ENTITIES[entity] and name not in WHOSE and is_asked(entity, name):
                    yield sql


def _columns_of(names: frozenset[str], expressions: Iterable[str]) -> frozenset[str]:
    """Return the columns that values of some SQL are made of; those of conditions and digests are none."""
    found: set[str] = set()
    for sql in expressions:
        if not _DIGEST.search(sql):
            found.update(_WORD.findall(_JSON.sub(" ", _CONDITION.sub(" ", _TEXT.sub(" ", sql)))))
    return names & found
