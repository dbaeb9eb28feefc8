"""The columns of the canonical entities that a file's column may become, with the names that they go by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.sources.suggest.words import Name, name_of, names_of, vocabulary
from lakehouse.tables import entities
from lakehouse.tables.contract import Column, Contract

WHOSE = "identifier_value"  # the column that says whose record it is
PEOPLE = ("contacts", "accounts", "leads")  # whose own id says whose record it is
BY_PEOPLE = ("owner_id", "user_id", "manager_id")  # where a name often stands for the id
_NOT_SUGGESTED = ("customer_id", "valid_from", "valid_to")
_OF_SOURCE = ("source", "time_zone")  # the source's own, unless the vocabulary says what files call them
_CLOCK = {"updated_at": "timestamptz", "deleted": "boolean"}  # what a mapping may give to every entity


@dataclass(frozen=True)
class Target:
    """A column of a canonical entity, with the names it goes by; `weak` ones may mean something else too.

    `is_record_id`: it numbers the records; `single_key`: one column alone numbers the entity's records.
    """

    entity: str
    column: str
    type: str
    names: tuple[Name, ...]
    weak: tuple[Name, ...] = ()
    is_record_id: bool = False
    single_key: bool = False

    @property
    def is_reference(self) -> bool:
        """Tell whether it names a record of another kind."""
        return (self.column.endswith("_id") or self.column == WHOSE) and not self.is_record_id


@lru_cache(maxsize=1)
def candidate_entities() -> tuple[str, ...]:
    """Return the entities that a file may be suggested to be: those that the vocabulary has names for."""
    return tuple(name for name in vocabulary()["entities"] if name in ENTITIES)


@lru_cache(maxsize=64)
def entity_names(entity: str) -> tuple[Name, ...]:
    """Return what an entity is called, the longest names first."""
    called = vocabulary()["entities"][entity]["called"]
    texts = (*called.get("en", ()), *called.get("zh", ()), entity.replace("_", " "))
    names = {name_of(text) for text in texts}
    return tuple(sorted(names, key=lambda name: (-len(name.han) - len(name.words), name.han, name.words)))


@lru_cache(maxsize=64)
def unmapped_names(entity: str) -> frozenset[Name]:
    """Return names that often stand in files of an entity, and have no place in it."""
    return frozenset(names_of(vocabulary()["entities"][entity].get("beside", {})))


@lru_cache(maxsize=64)
def targets(entity: str) -> tuple[Target, ...]:
    """Return the columns of an entity that a file's column may become, with all their names."""
    synonyms = _Synonyms.read(entity)
    columns = [column for column in synonyms.contract.columns if synonyms.may_name(column.name)]
    named = [synonyms.target(column) for column in columns]
    if synonyms.tells_whose:
        named.append(synonyms.whose(named))
    names = {target.column for target in named}
    named += [synonyms.clock(column) for column in _CLOCK if column not in names]
    return tuple(named)


@dataclass(frozen=True)
class _Synonyms:
    """What the vocabulary says of an entity: its own columns' names, and those of columns that several entities have.

    `record_id` is the column that alone numbers the records, empty where several do. `claimed`: which column a name of
    the entity's own is of; there it is no other's.
    """

    entity: str
    contract: Contract
    record_id: str
    own: Mapping[str, Any]
    record_id_names: Mapping[str, Any]
    shared: Mapping[str, Any]
    claimed: Mapping[Name, str]

    @classmethod
    def read(cls, entity: str) -> _Synonyms:
        contract = entities.BY_NAME[entity]
        _, *key = record_key(contract)  # the first is the source
        listed = vocabulary()["entities"][entity]
        record_id = key[0] if len(key) == 1 else ""
        own = listed.get("columns", {})
        claimed = dict.fromkeys(names_of(listed["record"]), record_id) if record_id else {}
        for column, table in own.items():
            for name in names_of(table):
                claimed.setdefault(name, column)
        return cls(entity, contract, record_id, own, listed["record"], vocabulary()["columns"], claimed)

    @property
    def single_key(self) -> bool:
        return bool(self.record_id)

    @property
    def tells_whose(self) -> bool:
        """Tell whether a column of its files may say whose record it is."""
        return self.entity not in PEOPLE and any(
            column.name == "customer_id" for column in self.contract.columns
        )

    def may_name(self, column: str) -> bool:
        """Tell whether a column of the contract may be suggested."""
        return column not in _NOT_SUGGESTED and (column not in _OF_SOURCE or column in self.own)

    def target(self, column: Column) -> Target:
        """Return a column of the contract with its names, the entity's own first."""
        if column.name == self.record_id:
            own, shared, plain = self.record_id_names, {}, {}
        else:
            own, shared = self.own.get(column.name, {}), self.shared.get(column.name, {})
            plain = {} if column.name in _OF_SOURCE else _plain_names(column)
        names = names_of(own)
        for name in names_of(plain, shared):
            if self._is_free(name, column.name) and name not in names:
                names = (*names, name)
        return Target(
            self.entity,
            column.name,
            column.type,
            names,
            weak=tuple(name for name in _weak_names(own, shared) if name not in names),
            is_record_id=column.name == self.record_id,
            single_key=self.single_key,
        )

    def whose(self, others: list[Target]) -> Target:
        """Return the column that says whose record it is; names that others go by are none of its."""
        own, common = self.own.get(WHOSE, {}), vocabulary()["whose"]
        taken = {*self.claimed, *(name for target in others for name in target.names)}
        names = names_of(own) + tuple(name for name in names_of(common) if name not in taken)
        weak = _weak_names(own, common)
        return Target(self.entity, WHOSE, "string", names, weak, single_key=self.single_key)

    def clock(self, column: str) -> Target:
        """Return a column that a mapping may give to every entity."""
        common = tuple(name for name in names_of(self.shared[column]) if self._is_free(name, column))
        return Target(self.entity, column, _CLOCK[column], names_of(self.own.get(column, {})) + common)

    def _is_free(self, name: Name, column: str) -> bool:
        return self.claimed.get(name, column) == column


def _plain_names(column: Column) -> dict[str, list[str]]:
    """Return a column's own name and what its Chinese description begins with."""
    return {"en": [column.name.replace("_", " ")], "zh": [re.sub(r"[（，：].*", "", column.zh)]}


def _weak_names(*tables: Mapping[str, Any]) -> tuple[Name, ...]:
    return names_of(*({"en": table.get("weak", [])} for table in tables))


def spellings(target: Target, names: tuple[Name, ...]) -> Iterator[Name]:
    """Yield names, and each as that of a moment, an id or a person where the column is one: owner, owner id."""
    yield from names
    endings = [("id", "编号")] if target.is_record_id or target.is_reference else []
    if endings and target.column in BY_PEOPLE:
        endings.append(("name", "姓名"))
    for name in names:
        if target.type in ("date", "timestamptz") and name.words and name.words[-1] != "time":
            yield Name(words=(*name.words, "time"))
        for english, han in endings:
            yield from _with_ending(name, english, han)


def _with_ending(name: Name, english: str, han: str) -> Iterator[Name]:
    if name.words and not name.folded & {"id", "name"}:
        yield Name(words=(*name.words, english))
    elif name.han and not name.han.endswith(("编号", "名", "名称")):
        yield Name(han=name.han + han)
