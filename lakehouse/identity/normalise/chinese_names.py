"""Names in Chinese characters: surname, given name, and the words that people are addressed by."""

from __future__ import annotations

from typing import Final

from lakehouse.identity.normalise.name_form import NO_NAME, PersonName
from lakehouse.identity.normalise.name_text import word_table
from lakehouse.identity.normalise.policy import NamePolicy
from lakehouse.identity.normalise.sounds import HAN, surnames, syllables_of

_COMPOUND: Final = 2  # characters of the longest surname
_TITLE_LENGTHS: Final = (3, 2)
# those that half of China bears and that are no word of given names: 小王 is a form of address, 小明 is not
_COMMON_SURNAMES: Final = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗郑谢唐许邓冯韩曹曾彭董潘蔡余杜魏苏吕丁任姚沈钟姜崔谭范汪陆廖"
)


def chinese_name(plain: str, family: str = "") -> PersonName:
    """Return the name that a field's Chinese characters make; what stands beside them in other letters is left out.

    `family`: the family name, where a field of its own says so and the text begins with it.
    """
    pieces = [piece for piece in ("".join(HAN.findall(part)) for part in plain.split("·")) if piece]
    if len(pieces) > 1:
        return _around_a_dot(pieces)
    text, title, gender = _without_title(pieces[0])
    if not text or text in word_table()["placeholder"]:
        return NO_NAME
    surname, given = _parted(text, family)
    sounds = tuple(sorted(syllables_of(surname, given or text[len(surname) :])))
    return PersonName((text,), surname, given, han=True, syllables=sounds, title=title, gender=gender)


def chinese_parts(given: str, family: str) -> tuple[str, str]:
    """Return the whole name and its family name, of two fields that may be the wrong way round, or doubled."""
    first, last = ("".join(field.replace(",", " ").split()) for field in (given, family))
    if first in surnames() and last not in surnames():
        first, last = last, first
    doubled = len(first) > len(last) and first.startswith(last)
    return (first if doubled else last + first), last


def _around_a_dot(pieces: list[str]) -> PersonName:
    """Return a name of another people, as Chinese writes it: 买买提·吐尔逊."""
    sounds = tuple(sorted(sound for piece in pieces for sound in syllables_of("", piece)))
    return PersonName(tuple(pieces[: NamePolicy.most_words]), han=True, syllables=sounds)


def _parted(text: str, family: str) -> tuple[str, str]:
    """Return family and given name; both '' for what begins with no surname, or is too long for a name."""
    surname = family if family and text.startswith(family) else surname_of(text)
    longest = NamePolicy.longest_chinese + (len(surname) == _COMPOUND)
    if not surname or len(text) > longest:
        return "", ""
    return surname, text[len(surname) :]


def surname_of(text: str) -> str:
    """Return the surname that a Chinese name begins with; '' where it begins with none."""
    for length in range(_COMPOUND, 0, -1):
        if text[:length] in surnames():
            return text[:length]
    return ""


def _without_title(text: str) -> tuple[str, str, str]:
    """Return a Chinese name without the word of address at one of its ends, that word, and the gender it says."""
    table = word_table()
    for length in _TITLE_LENGTHS:
        title = text[-length:]
        if title in table["han_title"]:
            return text[:-length], title, table["han_title"][title]
    before, last = text[:-1], text[-1:]
    if last in table["after_surname"] and before in surnames():
        return before, last, table["after_surname"][last]
    if before in table["before_surname"] and last in _COMMON_SURNAMES:  # 小王
        return last, before, ""
    return text, "", ""
