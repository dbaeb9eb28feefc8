"""Days and moments as people and programs write them.

A format is named by letters: `yyyy/m/d`, `d-m-yy`, `yyyy年m月d日`, with `hh:mm` behind it for a moment.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_TIME = (
    r"(?P<time>(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<second>:\d{2})?(?P<fraction>[.,]\d{1,9})?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_CHINESE_TIME = r"(?P<chinese>(?:上午|下午|凌晨|中午|晚上)?\s*\d{1,2}[时点]\d{1,2}分(?:\d{1,2}秒)?)"
_BEHIND = rf"(?:(?P<t>[T ,]\s*|\s+)?(?:{_TIME}|{_CHINESE_TIME}))?"
_NUMERIC = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<c>\d{{1,4}}){_BEHIND}", re.ASCII
)
_HAN_DATE = re.compile(
    rf"(?P<a>\d{{2}}|\d{{4}})年(?P<b>\d{{1,2}})月(?P<c>\d{{1,2}})[日号]{_BEHIND}", re.ASCII
)
_NUMERALS = re.compile(
    r"([〇零○一二三四五六七八九]{2}|[〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})[日号]"
)
_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_NAME = rf"(?P<month>{_NAMES})[a-z]*\.?"
_DAY_FIRST = re.compile(
    rf"(?:[a-z]{{3,9}}\.?,?\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]{_NAME},?[ -](?P<year>\d{{4}}|\d{{2}}){_BEHIND}",
    re.ASCII | re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"(?:[a-z]{{3,9}}\.?,?\s+)?{_NAME} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){_BEHIND}",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})Z?)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 60_000  # 1954 to 2064
_EPOCH = re.compile(r"(\d{10})(\d{3})?(?:\.\d+)?", re.ASCII)
_EPOCHS = range(631_152_000, 4_102_444_800)  # 1990 to 2099, in seconds
_YEARS = range(1800, 2200)
_MONTHS = 12
_DIGITS = {sign: place for place, signs in enumerate(("〇零○", *"一二三四五六七八九")) for sign in signs}


class Moment(NamedTuple):
    """A day or a moment. Of one whose order nobody knows, the format has `?` for day and month."""

    format: str
    type: str  # date, timestamptz
    year: int


def moment(text: str) -> Moment | None:
    """Return how a day or a moment is written; None for what is none, or no day of the calendar."""
    if len(text) > 60 or not any(sign.isdigit() or sign in _DIGITS for sign in text):  # noqa: PLR2004 - no date is longer
        return None
    for pattern, read in (
        (_NUMERIC, _numeric),
        (_HAN_DATE, _han),
        (_DAY_FIRST, _named),
        (_MONTH_FIRST, _named),
        (_COMPACT, _compact),
        (_NUMERALS, _numerals),
    ):
        if found := pattern.fullmatch(text):
            return read(found)
    return None


def serial(text: str) -> Moment | None:
    """Return the day of a spreadsheet's number of days since 1899-12-30; only a column that holds days should ask."""
    if not _SERIAL.fullmatch(text) or not _FIRST_SERIAL <= float(text) < _LAST_SERIAL:
        return None
    kind = "timestamptz" if "." in text else "date"
    return Moment(
        "Excel serial", kind, date.fromordinal(date(1899, 12, 30).toordinal() + int(float(text))).year
    )


def epoch(text: str) -> Moment | None:
    """Return the moment of seconds or milliseconds since 1970; only a column that holds moments should ask."""
    found = _EPOCH.fullmatch(text)
    if found is None or int(found[1]) not in _EPOCHS:
        return None
    return Moment("epoch ms" if found[2] else "epoch s", "timestamptz", 1970 + int(found[1]) // 31_556_952)


def _numeric(found: re.Match[str]) -> Moment | None:
    a, b, c, mark = found["a"], found["b"], found["c"], found["mark"]
    if len(a) == 4:  # noqa: PLR2004 - a year
        if len(c) > 2:  # noqa: PLR2004 - a day
            return None
        letters = f"yyyy{mark}{_width('m', b, c)}{mark}{_width('d', c, b)}"
        return _checked(found, letters, (int(a), int(b), int(c)))
    if len(a) > 2 or len(c) not in (2, 4):  # noqa: PLR2004
        return None
    year = int(c) if len(c) == 4 else _century(int(c))  # noqa: PLR2004
    first, second = int(a), int(b)
    day, month = (second, first) if second > _MONTHS else (first, second)
    order = "d{0}m" if first > _MONTHS else "m{0}d" if second > _MONTHS else "?{0}?"
    return _checked(found, f"{order.format(mark)}{mark}{'y' * len(c)}", (year, month, day))


def _width(letter: str, text: str, other: str) -> str:
    """Return m or mm: two where both numbers always have two digits."""
    return letter * 2 if len(text) == len(other) == 2 else letter  # noqa: PLR2004


def _century(year: int) -> int:
    return year + (2000 if year < 70 else 1900)  # noqa: PLR2004 - as POSIX and spreadsheets do


def _han(found: re.Match[str]) -> Moment | None:
    year = int(found["a"]) if len(found["a"]) == 4 else _century(int(found["a"]))  # noqa: PLR2004
    letters = f"{'y' * len(found['a'])}年m月d日"
    return _checked(found, letters, (year, int(found["b"]), int(found["c"])))


def _named(found: re.Match[str]) -> Moment | None:
    month = _NAMES.split("|").index(found["month"].lower()) + 1
    year = int(found["year"]) if len(found["year"]) == 4 else _century(int(found["year"]))  # noqa: PLR2004
    letters = "d mmm yyyy" if found.re is _DAY_FIRST else "mmm d, yyyy"
    return _checked(found, letters, (year, month, int(found["day"])))


def _compact(found: re.Match[str]) -> Moment | None:
    day = (int(found[1]), int(found[2]), int(found[3]))
    if not _exists(*day):
        return None
    if not found[4]:
        return Moment("yyyymmdd", "date", day[0])
    inside = int(found[4]) < 24 and int(found[5]) < 60 and int(found[6]) < 60  # noqa: PLR2004
    return Moment("yyyymmddhhmmss", "timestamptz", day[0]) if inside else None


def _numerals(found: re.Match[str]) -> Moment | None:
    year = int("".join(str(_DIGITS[sign]) for sign in found[1]))
    year = year if len(found[1]) == 4 else _century(year)  # noqa: PLR2004
    month, day = _spelled(found[2]), _spelled(found[3])
    return Moment("二〇〇〇年一月一日", "date", year) if _exists(year, month, day) else None


def _spelled(text: str) -> int:
    """Return a number below 100 in Chinese numerals; 0 for what is none."""
    tens, ten, ones = text.partition("十")
    if "十" in ones or len(tens) > 1 or len(ones) > 1:
        return 0
    units = _DIGITS.get(ones, 0) if ones else 0
    return (_DIGITS.get(tens, 1) * 10 + units) if ten else _DIGITS[text]


def _checked(found: re.Match[str], letters: str, day: tuple[int, int, int]) -> Moment | None:
    """Return the moment where there is such a day, and such a time on it."""
    if not _exists(*day):
        return None
    if found["chinese"]:
        return Moment(f"{letters} h时m分", "timestamptz", day[0])
    if not found["time"]:
        return Moment(letters, "date", day[0])
    if int(found["hour"]) > 24 or int(found["minute"]) > 59 or int((found["second"] or ":0")[1:]) > 60:  # noqa: PLR2004
        return None
    time = "hh:mm" + (":ss" if found["second"] else "") + (".fff" if found["fraction"] else "")
    time += (" am/pm" if found["half"] else "") + (
        "" if not found["zone"] else "Z" if found["zone"].isalpha() else "±zz"
    )
    return Moment(f"{letters}{'T' if found['t'] == 'T' else ' '}{time}", "timestamptz", day[0])


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day).year in _YEARS
    except ValueError:
        return False
