"""May two records be one person, by their names and birth dates? `contradicts` is the veto of clusters.

| left | right | |
|---|---|---|
| 张伟 | 张炜, 章伟, 伟张, Zhang Wei, 张先生, 张 | may be one: by sound or shape, order, form of address |
| 王小明 | 王明 | may be one: a character is missing |
| 王强 | 李娜, 王丽, 李先生 | contradict: one character is half the name, and a surname says much |
| 王小明 | 王小红 | contradict: brothers and sisters share a character (`NamePolicy.unlike_characters`) |
| 张先生 | 张女士, 李先生 | contradict: what a form of address says counts |
| Anna Holt | A. Holt, Anna, Holt Anna, Hanna Holt, Anna Maria Holt, Ms Holt | may be one |
| Anna Holt | Ben Holt, B. Holt | contradict |
| Jon Holt | John Holt, Jonathan Holt | may be one: a slip, a short form |
| Tim Holt, Jane Holt | Tom Holt, June Holt | contradict: a letter of three or four (`NamePolicy.replaced_from`) |
| Jane Holt, 1980-02-01 | June Holt, 1980-02-01 | may be one: a letter, and born on one day |
| Paul Holt | Paula Holt | contradict: one name as men and as women have it (`paired_names.csv`) |
| John Holt Sr | John Holt Jr | contradict; John Holt may be either, unless birth dates contradict |
| 김민수, 田中さくら | 김영희, 田中ゆき | contradict: parted as Korean and Japanese names are |
| Anna Holt | Anna Berg | contradict, unless both were born on one day: a married name |
| Anna Holt, 1980-02-01 | Hanna Holt, 1955-07-09 | contradict: names differ, and birth dates by more than a slip |
| 张伟, 1980-02-01 | 张先生, 1955-07-09 | contradict: half a name is not the same name |
| Anna Holt, 1980-02-01 | Anna Holt, 1955-07-09 | may be one: a birth date alone is often wrong |
| Anna, 快乐的猪 | Ben Holt, 张伟 | may be one: half a name or a nickname denies nothing |
| Anna (given name) | Ben (given name), Ben Holt in two fields | contradict: a field says that it is no nickname |
| 匿名, nothing | anything | may be one |
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from lakehouse.identity.normalise.name_form import NO_NAME, PersonName
from lakehouse.identity.normalise.names import person_name
from lakehouse.identity.normalise.names_alike import are_paired, names_alike, same_sound
from lakehouse.identity.normalise.policy import NamePolicy

# what forms write where nobody said when
_NO_BIRTH_DATES: Final = frozenset({"1900-01-01", "1970-01-01", "0001-01-01", "1899-12-30", "1899-12-31"})


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What one record says of a person that could deny another record: a name, and a birth date in ISO form or ''."""

    name: PersonName = NO_NAME
    birth_date: str = ""


@lru_cache(maxsize=NamePolicy.remembered_names)
def person_facts(
    name: str | None = None,
    given_name: str | None = None,
    family_name: str | None = None,
    birth_date: str | None = None,
) -> PersonFacts | None:
    """Return what a record says, None where it says nothing; equal arguments give the same object.

    `birth_date` is ISO text; a time after it, and dates that stand for none (1900-01-01), do not count.
    """
    read = person_name(name, given_name, family_name)
    born = (birth_date or "").strip()[:10]
    born = "" if born in _NO_BIRTH_DATES else born
    return None if read is NO_NAME and not born else PersonFacts(read, born)


def contradicts(left: PersonFacts | None, right: PersonFacts | None) -> bool:
    """Return whether two records cannot be one person; symmetric. See the table above for what is decided."""
    if left is right or left is None or right is None:
        return False
    one, other = left.name, right.name
    if one.words == other.words and one.gender == other.gender and one.generation == other.generation:
        return False
    if not names_alike(one, other):
        return not _married(left, right) and not _misspelt(left, right)
    return _names_differ(one, other) and _dates_contradict(left.birth_date, right.birth_date)


def _names_differ(one: PersonName, other: PersonName) -> bool:
    """Return whether two names are not the same words or characters; a romanised name is the same."""
    if one.generation != other.generation:
        return True
    if not one.words or not other.words or one.form == other.form:
        return False
    return one.han == other.han or not same_sound(one, other)


def _married(left: PersonFacts, right: PersonFacts) -> bool:
    """Return whether two people of one given name were born on one day: one of them may have married."""
    same_day = bool(left.birth_date) and left.birth_date == right.birth_date
    return same_day and _given_names_alike(left.name, right.name)


def _misspelt(left: PersonFacts, right: PersonFacts) -> bool:
    """Return whether two people were born on one day whose names differ by a letter, which is a slip then."""
    one, other = left.name, right.name
    if not left.birth_date or left.birth_date != right.birth_date or not _two_western(one, other):
        return False
    if len(one.words) != len(other.words):
        return False
    pairs = [pair for pair in zip(sorted(one.words), sorted(other.words), strict=True) if pair[0] != pair[1]]
    return len(pairs) == 1 and OSA.distance(*pairs[0]) == 1 and not are_paired(*pairs[0])


def _two_western(one: PersonName, other: PersonName) -> bool:
    """Return whether both are full names in other letters than Chinese, of no other gender or generation."""
    full = one.full and other.full and not one.han and not other.han
    return full and one.gender == other.gender and one.generation == other.generation


def _given_names_alike(one: PersonName, other: PersonName) -> bool:
    """Return whether given names are one, so that the family name may be a married one; of Western names only."""
    if not _two_western(one, other):
        return False
    first = [name.given.split() or name.words[:1] for name in (one, other)]
    return first[0][0] == first[1][0]


def _dates_contradict(one: str, other: str) -> bool:
    """Return whether two birth dates are more than a slip apart: a digit, two that changed places, day and month."""
    if not one or not other or one == other:
        return False
    if one[:4] == other[:4] and one[5:7] == other[8:10] and one[8:10] == other[5:7]:
        return False
    return OSA.distance(one.replace("-", ""), other.replace("-", ""), score_cutoff=1) > 1
