"""Finds the canonical columns that a header may name, by what it shares with their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lakehouse.sources.mappable_entities import record_key
from lakehouse.sources.suggest.policy import SimilarityPolicy, SynonymPolicy
from lakehouse.sources.suggest.similarity import similarity
from lakehouse.sources.suggest.target_columns import (
    WHOSE,
    Target,
    candidate_entities,
    entity_names,
    spellings,
    targets,
)
from lakehouse.sources.suggest.words import Name, name_of, strip_affix
from lakehouse.tables.entities import BY_NAME

_HAN_ID = "编号"


@dataclass(frozen=True)
class Entry:
    """A name of a target and what it is worth, 0 to 1. `stripped`: the entity's own name was taken away from it."""

    column: str
    name: Name
    worth: float
    stripped: bool = False


class NameIndex:
    """The names of an entity's columns, found by what they share with a header: a word, a sign, letter and length."""

    def __init__(self, entity: str) -> None:
        self.targets = {target.column: target for target in targets(entity)}
        self.names = {name for target in self.targets.values() for name in (*target.names, *target.weak)}
        self._entity_names = entity_names(entity)
        self._key = frozenset(record_key(BY_NAME[entity]))
        self._entries: list[Entry] = []
        self._entries_by_key: defaultdict[str, list[int]] = defaultdict(list)
        for target in self.targets.values():
            for entry in self._entries_of(target):
                self._add(entry)

    def scores(self, header: Name) -> dict[str, float]:
        """Return how much a header says that its column is each of the entity's, 0 to 1; without those that are 0.

        A header that none of the names is close to counts without the entity's own name, too.
        """
        scores: dict[str, float] = {}
        for entry in self._near(header):
            if not entry.stripped:
                _raise_score(scores, entry, similarity(header, entry.name))
        bare = strip_affix(header, self._entity_names)
        if bare is not header and max(scores.values(), default=0.0) < SynonymPolicy.known:
            for entry in self._near(bare):
                factor = 1.0 if entry.stripped else SynonymPolicy.without_entity_name
                _raise_score(scores, entry, factor * similarity(bare, entry.name))
        if _numbers_another(header, self._entity_names):
            return {
                name: score
                for name, score in scores.items()
                if name not in self._key or score >= SynonymPolicy.known
            }
        return scores

    def _entries_of(self, target: Target) -> Iterator[Entry]:
        for names, worth in ((target.names, 1.0), (target.weak, SynonymPolicy.weak)):
            for rank, name in enumerate(spellings(target, names)):
                ranked = worth * (1 - SynonymPolicy.per_rank * rank)
                yield Entry(target.column, name, ranked)
                bare = strip_affix(name, self._entity_names)
                if bare is not name:
                    yield Entry(
                        target.column, bare, ranked * SynonymPolicy.without_entity_name, stripped=True
                    )
        for name in _without_id(target):
            yield Entry(target.column, name, SynonymPolicy.weak)

    def _add(self, entry: Entry) -> None:
        for key in _keys(entry.name, length_difference=0):
            self._entries_by_key[key].append(len(self._entries))
        self._entries.append(entry)

    def _near(self, name: Name) -> list[Entry]:
        """Return the entries whose names may be alike, in the order in which they were added."""
        keys = _keys(name, length_difference=SimilarityPolicy.most_length_difference)
        numbers = {number for key in keys for number in self._entries_by_key.get(key, ())}
        return [self._entries[number] for number in sorted(numbers)]


@lru_cache(maxsize=64)
def name_index(entity: str) -> NameIndex:
    """Return the index of an entity's names."""
    return NameIndex(entity)


def _numbers_another(header: Name, own: tuple[Name, ...]) -> bool:
    """Tell whether a header is the id of another entity: `order_id` hints at orders, and is hardly an account's."""
    if header.words[-1:] != ("id",) or len(header.words) == 1:
        return False
    numbered = Name(words=header.words[:-1])
    return numbered not in own and numbered in _entities()


@lru_cache(maxsize=1)
def _entities() -> frozenset[Name]:
    return frozenset(name_of(entity.replace("_", " ")) for entity in candidate_entities())


def _raise_score(scores: dict[str, float], entry: Entry, alike: float) -> None:
    """Raise the score of an entry's column, where the entry makes it higher."""
    is_id = entry.column.endswith(("_id", WHOSE))
    if alike == SimilarityPolicy.other_id_word and not is_id:  # a coupon's id is hardly its code
        alike = SynonymPolicy.code_for_id
    score = entry.worth * alike
    if score > scores.get(entry.column, 0.0):
        scores[entry.column] = score


def _without_id(target: Target) -> Iterator[Name]:
    """Yield the names of a reference without the word for its number: it may be shown by its name."""
    if not target.is_reference:
        return
    for name in target.names:
        if name.words[-1:] == ("id",) and name.words[:-1]:
            yield Name(words=name.words[:-1])
        elif name.han.endswith(_HAN_ID) and len(name.han) >= SynonymPolicy.least_han_reference:
            yield Name(han=name.han.removesuffix(_HAN_ID))


def _keys(name: Name, *, length_difference: int) -> set[str]:
    """Return what two names that are alike share: words, signs; or the first letter, and about the length."""
    if name.han:
        return set(name.han)
    size = len(name.joined)
    lengths = range(size - length_difference, size + length_difference + 1)
    return {*name.folded, *(f"{name.joined[0]}{length}" for length in lengths)}
