"""May two names be one person's? By sound and shape, order, initials, short forms and slips; examples: `persons`."""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib.resources import files

from rapidfuzz.distance import OSA, JaroWinkler

from lakehouse.identity.normalise.name_form import PersonName
from lakehouse.identity.normalise.policy import NamePolicy
from lakehouse.identity.normalise.sounds import KANA, characters_alike, syllables_of


def names_alike(one: PersonName, other: PersonName) -> bool:
    """Return whether two names may be one person's, by themselves; symmetric.

    What says neither a full name nor a family name (Anna, 快乐的猪) denies nothing, unless fields say of both which
    the given names are.
    """
    if _differ(one.gender, other.gender) or _differ(one.generation, other.generation):
        return False
    if _other_given_names(one, other):
        return False
    if not _says_family(one) or not _says_family(other):
        return True
    if one.han and other.han:
        return _chinese_alike(one, other)
    if one.han or other.han:
        return _scripts_alike(*((one, other) if one.han else (other, one)))
    return _words_alike(one.words, other.words)


def are_paired(one: str, other: str) -> bool:
    """Return whether one word is a man's form of a name, and the other a woman's."""
    men, women = _paired_names()
    return _share(men, women, one, other) or _share(men, women, other, one)


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _other_given_names(one: PersonName, other: PersonName) -> bool:
    """Return whether fields of given names say two of them; of Western names only."""
    if one.han or other.han or not one.given or not other.given or (one.full and other.full):
        return False
    return not _words_alike(tuple(one.given.split()), tuple(other.given.split()))


def same_sound(one: PersonName, other: PersonName) -> bool:
    """Return whether two names have the same syllables, in whatever order and script."""
    return bool(one.syllables) and one.syllables == other.syllables


def _says_family(name: PersonName) -> bool:
    return name.full or bool(name.family)


def _chinese_alike(one: PersonName, other: PersonName) -> bool:
    if one.form == other.form or (
        one.full and other.full and (same_sound(one, other) or _anagrams(one, other))
    ):
        return True
    if not one.family or not other.family:  # a name of another people, around a dot
        return _subset(one.syllables, other.syllables) or _subset(other.syllables, one.syllables)
    if _unlike(one.family, other.family):
        return False
    return not one.given or not other.given or _given_alike(one.given, other.given)


def _anagrams(one: PersonName, other: PersonName) -> bool:
    return sorted("".join(one.words)) == sorted("".join(other.words))


def _given_alike(one: str, other: str) -> bool:
    """Return whether Chinese given names may be one, misspelt, or one without a character of the other."""
    if len(one) == len(other):
        unlike = sum(not characters_alike(*pair) for pair in zip(one, other, strict=True))
        return unlike <= (NamePolicy.unlike_characters if len(one) > 1 else 0)
    shorter, longer = sorted((one, other), key=len)
    rest = iter(longer)
    return all(any(characters_alike(character, candidate) for candidate in rest) for character in shorter)


def _unlike(one: str, other: str) -> bool:
    return len(one) != len(other) or not all(map(characters_alike, one, other))


def _scripts_alike(han: PersonName, latin: PersonName) -> bool:
    """Return whether a Chinese name and one in other letters may be one: by pinyin, or by the surname (Tony Zhang)."""
    if KANA.search("".join(latin.words)):  # how characters are read in Japanese nobody can tell
        return True
    if latin.syllables:
        return _subset(latin.syllables, han.syllables) or (
            not han.given and _subset(han.syllables, latin.syllables)
        )
    return bool(han.family) and "".join(syllables_of(han.family, "")) in latin.words


def _subset(few: tuple[str, ...], many: tuple[str, ...]) -> bool:
    left = list(many)
    for part in few:
        if part not in left:
            return False
        left.remove(part)
    return True


def _words_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether each word of the shorter name stands for a word of the longer one, whatever the order."""
    if "".join(one) == "".join(other):
        return True
    few, many = sorted((one, other), key=len)
    left = sorted(many)
    for word in sorted(few, key=len, reverse=True):
        found = word if word in left else next((each for each in left if _word_alike(word, each)), None)
        if found is None:
            return False
        left.remove(found)
    return True


@lru_cache(maxsize=NamePolicy.remembered_words)
def _word_alike(one: str, other: str) -> bool:
    """Return whether two words of names may be one: an initial, a beginning, a slip, or a likeness of long words.

    Names that differ by whom they are given to are two people's: Paul and Paula may share a phone.
    """
    shorter, longer = sorted((one, other), key=len)
    if are_paired(one, other):
        return False
    stands_for = len(shorter) == 1 or len(shorter) >= NamePolicy.shortened_from
    if stands_for and longer.startswith(shorter):
        return True
    if len(shorter) < 2:  # noqa: PLR2004 - another initial
        return False
    if OSA.distance(one, other, score_cutoff=1) <= 1:
        if len(one) != len(other):
            return len(shorter) >= NamePolicy.added_from
        least = NamePolicy.swapped_from if sorted(one) == sorted(other) else NamePolicy.replaced_from
        return len(one) >= least
    similar = JaroWinkler.similarity(one, other)
    return len(shorter) >= NamePolicy.similar_from and similar >= NamePolicy.similar_word


def _share(men: dict[str, set[int]], women: dict[str, set[int]], man: str, woman: str) -> bool:
    return not men.get(man, _NO_ROWS).isdisjoint(women.get(woman, _NO_ROWS))


_NO_ROWS: frozenset[int] = frozenset()


@cache
def _paired_names() -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    """Return the rows of `paired_names.csv` that each word stands in, of men's forms and of women's."""
    text = (files("lakehouse.identity.normalise") / "paired_names.csv").read_text("utf-8")
    sides: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
    for number, row in enumerate(csv.DictReader(text.splitlines())):
        for side, column in zip(sides, ("masculine", "feminine"), strict=True):
            for word in row[column].split("|"):
                side.setdefault(word, set()).add(number)
    return sides
