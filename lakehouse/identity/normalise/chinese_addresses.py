"""Chinese addresses: region code, road and number, estate, and the numbers of building, entrance and room."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lakehouse.identity.normalise.address_form import NO_ADDRESS, PostalAddress
from lakehouse.identity.normalise.policy import AddressPolicy
from lakehouse.identity.normalise.regions import find_region

_BLANKS: Final = dict.fromkeys(map(ord, " \t\r\n\u3000,，。.、;；:：·"))
_ASIDE: Final = re.compile(r"\([^)]*\)|【[^】]*】|\[[^\]]*\]")
_DIGITS: Final = str.maketrans("〇零一二三四五六七八九", "00123456789")
_NUMERALS: Final = re.compile(r"[〇零一二三四五六七八九十]{1,5}(?=号|栋|幢|座|楼|单元|室|层|弄)")
_OFFICE: Final = re.compile(r"^[^\d路街]{0,8}?(?:街道办事处|街道|镇|乡|开发区|高新区|园区)")
_VILLAGE: Final = re.compile(r"^[^\d路街]{1,8}?(?:村|社区)")
_ROAD: Final = re.compile(
    r"^([^\d号]{1,14}?(?:大道|大街|胡同|路|街|巷|(?:弄|道|里)(?=\d|$))(?:[东西南北中]段)?(?![区园苑城])|[^\d号]{1,10}?\d+(?:路|街|大道|弄|巷))"
)
_NUMBER: Final = re.compile(r"^(?:([\d-]+)弄)?(\d+(?:-\d+)?)(?:号院?(?!楼|栋|幢)|弄|$)")
_ROOM_NUMBERS: Final = re.compile(r"\d+|[a-z](?=座|栋|幢|区|单元|室|楼|-|\d)")


def chinese_address(text: str) -> PostalAddress:
    """Return the parts of an address in Chinese; what cannot be told is ''. Never an exception.

    `文三路100号3栋2单元501室` and `文三路100号3-2-501` are alike: the numbers behind the house number are the unit.
    """
    plain = unicodedata.normalize("NFKC", text[: AddressPolicy.longest_address]).lower()
    plain = _ASIDE.sub("", plain).translate(_BLANKS)
    if not plain:
        return NO_ADDRESS
    region, rest = find_region(plain)
    rest = _OFFICE.sub("", rest) or rest
    road, rest = _first(_ROAD, rest)
    if not road:
        rest = _VILLAGE.sub("", rest) or rest
    rest = _arabic(rest)
    number = ""
    found = _NUMBER.match(rest) if road else None
    if found:
        number = "-".join(filter(None, found.groups()))
        rest = rest[found.end() :]
    unit = "-".join(_ROOM_NUMBERS.findall(rest))
    estate = re.split(r"\d|[a-z](?=座|栋|幢)", rest, maxsplit=1)[0].strip("-号楼栋幢座室层")
    return PostalAddress(region=region, street=road, number=number, unit=unit, estate=estate)


def _first(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """Return what a text begins with by a pattern, '' for nothing, and the rest."""
    found = pattern.match(text)
    return (found.group(0), text[found.end() :]) if found else ("", text)


def _arabic(text: str) -> str:
    """Return a text whose Chinese numerals below a hundred are digits, where they number something."""
    return _NUMERALS.sub(lambda found: _digits(found.group()), text)


def _digits(numeral: str) -> str:
    tens, ten, ones = numeral.partition("十")
    return ((tens or "一") + (ones or "零") if ten else numeral).translate(_DIGITS)
