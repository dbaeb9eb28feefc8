"""Names of people, in a form that compares: what is a title, what a family name, how it sounds.

A name comes as one field or as given and family name, in any script, width, case and order. What nobody can tell stays
open: which word of `Wei Zhang` is the family name is no part of the form, the words are.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from lakehouse.identity.normalise.chinese_names import chinese_name, chinese_parts
from lakehouse.identity.normalise.name_form import NO_NAME, PersonName
from lakehouse.identity.normalise.name_text import name_words, plain_name, word_table
from lakehouse.identity.normalise.policy import NamePolicy
from lakehouse.identity.normalise.sounds import HAN, split_syllables


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
    return _from_one(next(filter(None, fields), ""))


def _from_one(text: str) -> PersonName:
    """Return the name that stands in one field."""
    plain = plain_name(text)
    if not plain:
        return NO_NAME
    if HAN.search(plain):
        return chinese_name(plain)
    surname, _, rest = plain.partition(",")
    if rest.strip():
        return _from_parts(rest, surname)
    return _western(name_words(plain))


def _from_parts(given: str, family: str) -> PersonName:
    """Return the name whose two parts stand apart; both hold something."""
    first, last = plain_name(given), plain_name(family)
    if not first or not last:
        return _from_one(given if first else family)
    if HAN.search(first + last):
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
    )


def _syllables(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sorted syllables of words that are all pinyin; else none."""
    split = [split_syllables(word) for word in words]
    return tuple(sorted(sound for sounds in split for sound in sounds)) if all(split) else ()
