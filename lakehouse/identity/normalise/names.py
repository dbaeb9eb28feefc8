"""Names of people, in a form that compares: what is a title, what a family name, how it sounds.

A name comes as one field or as given and family name, in any script, width, case and order. What nobody can tell stays
open: which word of `Wei Zhang` is the family name is no part of the form, the words are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal

from lakehouse.identity.normalise.chinese_names import chinese_name, chinese_parts
from lakehouse.identity.normalise.name_form import NO_NAME, PersonName
from lakehouse.identity.normalise.name_text import name_words, plain_name, word_table
from lakehouse.identity.normalise.policy import NamePolicy
from lakehouse.identity.normalise.sounds import HAN, KANA, split_syllables

# in Japanese characters and kana are parted without a blank (田中さくら); in Korean nothing is (김민수)
_JAPANESE_PARTS: Final = re.compile(rf"{HAN.pattern}+|(?:(?!{HAN.pattern}).)+")
_KOREAN: Final = re.compile(r"[\uac00-\ud7a3]{3,4}")
_KOREAN_COMPOUNDS: Final = frozenset({"남궁", "황보", "제갈", "사공", "선우", "독고", "서문", "동방"})


@lru_cache(maxsize=NamePolicy.remembered_names)
def person_name(name: str | None, given: str | None = None, family: str | None = None) -> PersonName:
    """Return a name from one field, or from given and family name, which count where both are there.

    `NO_NAME` for placeholders (匿名, test, n/a), for names of several people (`Anna & Ben`), for what holds no letter,
    and for more than `NamePolicy.longest_name` characters. Never an exception.
    """
    fields = [field if field and field.strip() else "" for field in (name, given, family)]
    if fields[1] and fields[2]:
        read = _from_parts(fields[1], fields[2])
        if read.full or not fields[0]:
            return read
    if fields[0]:
        return _from_one(fields[0])
    return _of_one_field(fields[1], "given") if fields[1] else _of_one_field(fields[2], "family")


def _of_one_field(text: str, part: Literal["given", "family"]) -> PersonName:
    """Return the name of a field for given, or for family names, where the other one is empty."""
    read = _from_one(text)
    if len(read.words) != 1 or read.han or read.family:
        return read
    return replace(read, given=read.words[0]) if part == "given" else replace(read, family=read.words[0])


def _from_one(text: str) -> PersonName:
    """Return the name that stands in one field."""
    plain = plain_name(text)
    if not plain:
        return NO_NAME
    if HAN.search(plain) and not KANA.search(plain):
        return chinese_name(plain)
    surname, _, rest = plain.partition(",")
    if rest.strip() and rest.strip() not in word_table()["generation"]:
        return _from_parts(rest, surname)
    return _western(_parted(name_words(plain)))


def _parted(words: list[str]) -> list[str]:
    """Return words that are parted as Japanese and Korean names are."""
    if len(words) == 1 and _KOREAN.fullmatch(words[0]):
        family = 2 if words[0][:2] in _KOREAN_COMPOUNDS else 1
        return [words[0][:family], words[0][family:]]
    if not any(map(KANA.search, words)):
        return words
    return [part for word in words for part in _JAPANESE_PARTS.findall(word)]


def _from_parts(given: str, family: str) -> PersonName:
    """Return the name whose two parts stand apart; both hold something."""
    first, last = plain_name(given), plain_name(family)
    if not first or not last:
        return _of_one_field(given, "given") if first else _of_one_field(family, "family")
    if HAN.search(first + last) and not KANA.search(f"{first} {last}"):
        return chinese_name(*chinese_parts(first, last))
    surnames = name_words(last)
    name = _western([*name_words(first), *surnames])
    if not name.full:  # a title was all that stood in one part
        return name
    family_words = [word for word in surnames if word in name.words]
    given_words = [word for word in name.words if word not in family_words]
    return replace(name, family=" ".join(family_words), given=" ".join(given_words))


def _western(words: list[str]) -> PersonName:
    """Return the name that words make which are set apart by blanks; after a title one word is a family name."""
    table = word_table()
    words, generation = _without_generation(words)
    titles = [word for word in words if word in table["title"]]
    named = [word for word in words if word not in table["title"]]
    if not named or not table["several"].keys().isdisjoint(words[1:-1]):
        return NO_NAME
    kept = (named[0], *(word for word in named[1:] if word not in table["particle"]))[: NamePolicy.most_words]
    return PersonName(
        words=kept,
        family=kept[0] if titles and len(kept) == 1 else "",
        syllables=_syllables(kept),
        title=" ".join(titles),
        gender=next(filter(None, map(table["title"].__getitem__, titles)), ""),
        generation=generation,
    )


def _without_generation(words: list[str]) -> tuple[list[str], str]:
    """Return a name's words without the last one where that says a generation (Jr), and what it says."""
    says = word_table()["generation"].get(words[-1], "") if len(words) > 1 else ""
    return (words[:-1] if says else words), says


def _syllables(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sorted syllables of words that are all pinyin; else none."""
    split = [split_syllables(word) for word in words]
    return tuple(sorted(sound for sounds in split for sound in sounds)) if all(split) else ()
