"""What speaks for a column being a certain one of the canonical model: its name, and what its values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from lakehouse.sources.detect import headers
from lakehouse.sources.detect.columns import Described
from lakehouse.sources.entities import ENTITIES, record_key
from lakehouse.sources.suggest.words import Name, alike, name_of, narrowed, vocabulary, without
from lakehouse.tables import entities

WHOSE = "identifier_value"  # the column that says whose record it is
_PEOPLE = ("contacts", "accounts", "leads")  # whose own id it is that says so
_WEAK = 0.8
_OWN = 0.98  # a name that is the synonym once the entity's own name is taken away
_NARROWED = 0.85  # a name with more than a unit in brackets
_COMMON = 0.9  # a name without what many headers of the file begin with
_SOMEBODY_ELSES = 0.55
_MOST = 0.5  # share of values
_BITS = 2  # distinct values of yes and no
_FEW_ROWS = 20  # in which every value may differ by chance
_NUMBERS = ("int", "long", "double", "decimal")
_MOMENTS = ("date", "timestamptz")
# Columns whose values have a look of their own, and the kinds of personal data that are it.
_LOOKS = {
    "email": ("email",),
    "phone": ("phone", "damaged_phone"),
    "address": ("address",),
    "name": ("name",),
}
_MUST = ("email", "phone")
_KINDS_OF_THINGS = {
    "currency": ("currency", -1.0),
    "gender": ("gender", -0.3),
    "website": ("url", -0.3),
    "url": ("url", -0.3),
}
_NEVER_TEXT = ("date", "timestamptz", "boolean")
_WORDS = ("name", "city", "country", "status", "stage", "title", "subject", "body")
_BY_PEOPLE = (
    "owner_id",
    "user_id",
    "place_id",
    "store_id",
    "manager_id",
    "campaign_id",
)  # where names stand for ids


@dataclass(frozen=True)
class Seen:
    """A column of a file: its header, what a sample says of it, and whether every row has a value of its own.

    `filled`: rows with a value, `rows`: of the file, `distinct`: values. `loads`: the share of the sample's values
    that ingest would read as `found.type` with these `formats`; `ambiguous`: days whose order no value tells.
    """

    header: str
    found: Described
    rows: int = 0
    filled: int = 0
    distinct: int = 0
    key: bool = False
    loads: float = 1.0
    formats: tuple[str, ...] = ()
    ambiguous: bool = False

    @property
    def things(self) -> tuple[str, ...]:
        """Return what its values are that is nobody's: see `detect.things`."""
        return self.found.things

    @property
    def personal(self) -> dict[str, float]:
        """Return which personal data its values are, with their share."""
        return {one.kind: one.share for one in self.found.personal}

    @property
    def base(self) -> str:
        """Return its type without digits: decimal, not decimal(18,2)."""
        return self.found.type.partition("(")[0]


@dataclass(frozen=True)
class Target:
    """A column of a canonical entity, with the names it goes by; `weak` ones may mean something else too."""

    entity: str
    column: str
    type: str
    names: tuple[Name, ...]
    weak: tuple[Name, ...] = ()
    record: bool = False
    single: bool = False

    @cached_property
    def listed(self) -> tuple[tuple[float, Name, Name], ...]:
        """Return how much each name is worth, the name, and what is left of it without the entity's own."""
        own = called(self.entity)
        return tuple(
            (share, name, without(name, own))
            for names, share in ((self.names, 1.0), (self.weak, _WEAK))
            for name in names
        )

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
def beside(entity: str) -> tuple[Name, ...]:
    """Return what often stands in files of an entity, and has no place in it."""
    return _names(vocabulary()["entities"][entity].get("beside", {}))


@lru_cache(maxsize=64)
def targets(entity: str) -> tuple[Target, ...]:
    """Return the columns of an entity that a file's may become, with all their names."""
    contract = entities.BY_NAME[entity]
    key = record_key(contract)
    single = len(key[1:]) == 1
    told, common = vocabulary()["entities"][entity], vocabulary()["columns"]
    found = []
    for column in contract.columns:
        if column.name in ("source", "customer_id", "valid_from", "valid_to", "time_zone"):
            continue
        record = column.name == key[-1] and single
        own = told["record"] if record else told.get("columns", {}).get(column.name, {})
        shared = {} if record else common.get(column.name, {})
        plain = {"en": [column.name.replace("_", " ")], "zh": [re.sub(r"[（，].*", "", column.zh)]}
        names = _names(own, shared, {} if record else plain)
        weak = _names({"en": own.get("weak", [])}, {"en": shared.get("weak", [])})
        weak = tuple(name for name in weak if name not in names)
        found.append(Target(entity, column.name, column.type, names, weak, record, single))
    if entity not in _PEOPLE and any(column.name == "customer_id" for column in contract.columns):
        whose = vocabulary()["whose"]
        weak = _names({"en": whose["weak"]})
        found.append(Target(entity, WHOSE, "string", _names(whose), weak, single=single))
    if "updated_at" not in (target.column for target in found):
        found.append(Target(entity, "updated_at", "timestamptz", _names(common["updated_at"])))
    return tuple(found)


def _names(*tables: dict[str, Any]) -> tuple[Name, ...]:
    listed = [name_of(word) for table in tables for word in (*table.get("en", ()), *table.get("zh", ()))]
    return tuple(dict.fromkeys(name for name in listed if not name.empty))


def by_name(header: str, target: Target, common: tuple[Name, ...] = ()) -> float:
    """Return how much a header says that its column is the target: 1 for one of its names, 0 for nothing.

    `common` is what many headers of the file begin with: see `words.beginnings`.
    """
    name = name_of(header)
    if name.empty:
        return 0.0
    bare = without(name, common)
    found = _named(name, target)
    found = found if bare is name else max(found, _COMMON * _named(bare, target))
    return _NARROWED * found if narrowed(header) else found


def _named(name: Name, target: Target) -> float:
    bare = without(name, called(target.entity))
    found = 0.0
    for share, synonym, short in target.listed:
        found = max(found, share * alike(name, synonym))
        if bare is not name:
            found = max(found, share * _OWN * alike(bare, synonym))
            if short is not synonym:
                found = max(found, share * _OWN * alike(bare, short))
    return found * _SOMEBODY_ELSES if found < 1 and _somebody_elses(name) else found


def of_somebody_else(header: str) -> bool:
    """Tell whether a header says that what stands below it is another's: a manager's e-mail."""
    return _somebody_elses(name_of(header))


def _somebody_elses(name: Name) -> bool:
    others, others_zh = vocabulary()["others"], vocabulary()["others_zh"]
    return any(word in others for word in name.words) or any(word in name.han for word in others_zh)


def by_values(seen: Seen, target: Target) -> float:
    """Return what the values say: 1 for the target, -1 against it, 0 for nothing either way."""
    if not seen.filled:
        return 0.0
    base = target.type.partition("(")[0]
    if base in _MOMENTS:
        return _moment(seen)
    if base in _NUMBERS:
        return 1.0 if seen.base in _NUMBERS else -1.0
    if base == "boolean":
        return 1.0 if seen.base == "boolean" else -0.3 if seen.distinct <= _BITS else -1.0
    return _text(seen, target)


def _moment(seen: Seen) -> float:
    if seen.base in _MOMENTS:
        return 1.0
    return -0.3 if any(shape.startswith(("epoch", "Excel")) for shape in seen.found.formats) else -1.0


def _text(seen: Seen, target: Target) -> float:
    personal, column = seen.personal, target.column
    if any(personal.get(kind, 0.0) >= _MOST for kind in _LOOKS.get(column, ())):
        return 1.0
    if column in _KINDS_OF_THINGS:
        kind, against = _KINDS_OF_THINGS[column]
        return 1.0 if kind in seen.things else against
    strange = any(personal.get(kind, 0.0) >= _MOST for kind in ("email", "phone", "chinese_id", "ip"))
    if column in _MUST or strange or seen.base in _NEVER_TEXT or "bank_card" in seen.things:
        return -1.0
    if target.record or target.reference:
        return _identity(seen, target)
    if seen.base in _NUMBERS and column in _WORDS:
        return -1.0
    return -0.5 if seen.base in ("decimal", "double") else 0.0


def _identity(seen: Seen, target: Target) -> float:
    """Say whether values may be ids: of records no two are the same, of what they refer to some are."""
    if seen.base in ("decimal", "double") and any("." in shape for shape in seen.found.formats):
        return -1.0
    many = seen.filled >= _FEW_ROWS
    if (
        target.record and not many and seen.distinct * 2 >= seen.filled
    ):  # a few rows may well be versions of one
        return 1.0 if seen.key else 0.0
    if target.record:
        return 1.0 if seen.key else 0.0 if seen.distinct >= 0.9 * seen.filled else -1.0
    if many and seen.key and target.single:
        return -0.5
    return 0.0 if target.column in _BY_PEOPLE or "code" in seen.things else -0.5


def hinted(header: str) -> bool:
    """Tell whether a header looks as if what stands below it were personal."""
    personal = {"email", "phone", "chinese_id", "name", "address", "ip", "wechat_id", "birthday"}
    return bool(headers.hints(header) & personal)
