"""The columns of the canonical entities that a file's may become, with the names they go by, found by their words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.sources.suggest.words import LETTERS, LOOSE, Name, alike, name_of, vocabulary, without
from lakehouse.tables import entities

WHOSE = "identifier_value"  # the column that says whose record it is
PEOPLE = ("contacts", "accounts", "leads")  # whose own id it is that says so
_WEAK = 0.8
_CODE_FOR_ID = 0.85  # a coupon's id is hardly its code
_LATER = (
    1e-4  # what a name is worth less than the one before it: of two columns the better called one is taken
)
_OWN = 0.98  # a name that is the synonym once the entity's own name is taken away
WHOLE = 0.78  # a name that the list has whole, as a weak one at least, is not taken apart
_NOT_SUGGESTED = ("customer_id", "valid_from", "valid_to")
_MOMENTS = ("date", "timestamptz")
BY_PEOPLE = ("owner_id", "user_id", "manager_id")  # where a name often stands for the id
_LEAST_HAN = 4  # signs, with those for the number
_IF_NAMED = ("source", "time_zone")  # the source's own, unless the table of words says what a file calls them
_CLOCK = {"updated_at": "timestamptz", "deleted": "boolean"}  # what a mapping may give to every entity


@dataclass(frozen=True)
class Target:
    """A column of a canonical entity, with the names it goes by; `weak` ones may mean something else too.

    `record`: it numbers the records, `single`: and does so alone.
    """

    entity: str
    column: str
    type: str
    names: tuple[Name, ...]
    weak: tuple[Name, ...] = ()
    record: bool = False
    single: bool = False

    @property
    def reference(self) -> bool:
        """Tell whether it names a record of another kind."""
        return (self.column.endswith("_id") or self.column == WHOSE) and not self.record


@lru_cache(maxsize=1)
def candidates() -> tuple[str, ...]:
    """Return the entities that a file may be suggested to be: those that the table of synonyms has names for."""
    return tuple(name for name in vocabulary()["entities"] if name in ENTITIES)


@lru_cache(maxsize=64)
def called(entity: str) -> tuple[Name, ...]:
    """Return how an entity is called, the longest names first."""
    told = vocabulary()["entities"][entity]["called"]
    found = {name_of(word) for word in (*told.get("en", ()), *told.get("zh", ()), entity.replace("_", " "))}
    return tuple(sorted(found, key=lambda name: (-len(name.han) - len(name.words), name.han, name.words)))


@lru_cache(maxsize=64)
def beside(entity: str) -> frozenset[Name]:
    """Return what often stands in files of an entity, and has no place in it."""
    return frozenset(_names(vocabulary()["entities"][entity].get("beside", {})))


@lru_cache(maxsize=64)
def targets(entity: str) -> tuple[Target, ...]:
    """Return the columns of an entity that a file's may become, with all their names."""
    contract = entities.BY_NAME[entity]
    key = record_key(contract)
    single = len(key[1:]) == 1
    told, common = vocabulary()["entities"][entity], vocabulary()["columns"]
    listed = told.get("columns", {})
    claimed = _claimed(entity, "" if not single else key[-1])
    found = []
    for column in contract.columns:
        if column.name in _NOT_SUGGESTED or (column.name in _IF_NAMED and column.name not in listed):
            continue
        record = column.name == key[-1] and single
        own = told["record"] if record else listed.get(column.name, {})
        shared = {} if record else common.get(column.name, {})
        plain = {"en": [column.name.replace("_", " ")], "zh": [re.sub(r"[（，：].*", "", column.zh)]}
        names = _names(own)
        names += tuple(
            name
            for name in _names({} if record or column.name in _IF_NAMED else plain, shared)
            if claimed.get(name, column.name) == column.name and name not in names
        )
        weak = _names({"en": own.get("weak", [])}, {"en": shared.get("weak", [])})
        weak = tuple(name for name in weak if name not in names)
        found.append(Target(entity, column.name, column.type, names, weak, record, single))
    if entity not in PEOPLE and any(column.name == "customer_id" for column in contract.columns):
        whose = vocabulary()["whose"]
        own = listed.get(WHOSE, {})
        others = {*claimed, *(name for target in found for name in target.names)}
        names = _names(own) + tuple(name for name in _names(whose) if name not in others)
        weak = _names({"en": own.get("weak", [])}, {"en": whose["weak"]})
        found.append(Target(entity, WHOSE, "string", names, weak, single=single))
    given = {target.column for target in found}
    for name, kind in _CLOCK.items():
        if name not in given:
            names = tuple(one for one in _names(common[name]) if claimed.get(one, name) == name)
            found.append(Target(entity, name, kind, _names(listed.get(name, {})) + names))
    return tuple(found)


def _claimed(entity: str, record: str) -> dict[Name, str]:
    """Return which column each name is of that an entity has for itself: there it is none of another's."""
    told = vocabulary()["entities"][entity]
    found = dict.fromkeys(_names(told["record"]), record) if record else {}
    for column, own in told.get("columns", {}).items():
        for name in _names(own):
            found.setdefault(name, column)
    return found


def _names(*tables: dict[str, Any]) -> tuple[Name, ...]:
    listed = [name_of(word) for table in tables for word in (*table.get("en", ()), *table.get("zh", ()))]
    return tuple(dict.fromkeys(name for name in listed if not name.empty))


@dataclass(frozen=True)
class Entry:
    """A name of a target, how much it is worth, and whether the entity's own name was taken away from it."""

    column: str
    name: Name
    share: float
    short: bool = False


class Index:
    """The names of an entity's columns, found by what they share with a header: a word, a sign, letter and length."""

    def __init__(self, entity: str) -> None:
        self.own = called(entity)
        self.targets = {target.column: target for target in targets(entity)}
        self._entries: list[Entry] = []
        self.whole = {name for target in self.targets.values() for name in (*target.names, *target.weak)}
        self._by_part: defaultdict[str, list[int]] = defaultdict(list)
        for target in self.targets.values():
            for names, worth in ((target.names, 1.0), (target.weak, _WEAK)):
                for rank, name in enumerate(_spelt(target, names)):
                    share = worth * (1 - _LATER * rank)
                    self._add(Entry(target.column, name, share))
                    short = without(name, self.own)
                    if short is not name:
                        self._add(Entry(target.column, short, share * _OWN, short=True))
            for name in _without_id(target):
                self._add(Entry(target.column, name, _WEAK))

    def _add(self, entry: Entry) -> None:
        for part in _parts(entry.name, 0):
            self._by_part[part].append(len(self._entries))
        self._entries.append(entry)

    def find(self, name: Name) -> dict[str, float]:
        """Return how much a name says that its column is each of the entity's, of those it says anything of."""
        found: dict[str, float] = {}
        bare = without(name, self.own)
        for entry in self._near(name):
            if not entry.short:
                _better(found, entry, alike(name, entry.name))
        if bare is not name and max(found.values(), default=0.0) < WHOLE:
            for entry in self._near(bare):
                _better(found, entry, (1.0 if entry.short else _OWN) * alike(bare, entry.name))
        return found

    def _near(self, name: Name) -> list[Entry]:
        places = {place for part in _parts(name, LETTERS) for place in self._by_part.get(part, ())}
        return [self._entries[place] for place in sorted(places)]


def _spelt(target: Target, names: tuple[Name, ...]) -> Iterator[Name]:
    """Yield names, and each as that of a moment, of an id or of a person, where the column is one: owner, owner id."""
    yield from names
    for name in names:
        if target.type in _MOMENTS and name.words and name.words[-1] != "time":
            yield Name(words=(*name.words, "time"))
        if target.record or target.reference:
            for en, zh in (("id", "编号"), *((("name", "姓名"),) if target.column in BY_PEOPLE else ())):
                if name.words and not name.loose & {"id", "name"}:
                    yield Name(words=(*name.words, en))
                elif name.han and not name.han.endswith(("编号", "名", "名称")):
                    yield Name(han=name.han + zh)


def _without_id(target: Target) -> Iterator[Name]:
    """Yield the names of a reference without the word for its number: it may be shown by its name."""
    if target.reference:
        for name in target.names:
            if len(name.words) > 1 and name.words[-1] == "id":
                yield Name(words=name.words[:-1])
            elif name.han.endswith("编号") and len(name.han) >= _LEAST_HAN:
                yield Name(han=name.han.removesuffix("编号"))


def _better(found: dict[str, float], entry: Entry, score: float) -> None:
    if score == LOOSE and not entry.column.endswith(("_id", WHOSE)):
        score = _CODE_FOR_ID
    if score and (total := entry.share * score) > found.get(entry.column, 0.0):
        found[entry.column] = total


def _parts(name: Name, more: int) -> set[str]:
    """Return what two names that are alike share: words, signs; or a letter to begin with, and about their length."""
    if name.han:
        return set(name.han)
    size = len(name.joined)
    return {*name.loose, *(f"{name.joined[0]}{near}" for near in range(size - more, size + more + 1))}


@lru_cache(maxsize=64)
def index(entity: str) -> Index:
    """Return the index of an entity's names."""
    return Index(entity)
