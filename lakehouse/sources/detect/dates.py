"""Reads days and moments as people and programs write them.

A format is named by letters: `yyyy/m/d`, `d-m-yy`, `yyyy年m月d日`, with `hh:mm` behind it for a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from lakehouse.sources.detect.policy import DatePolicy
from lakehouse.sources.policy import CenturyPolicy

_TIME = (
    r"(?P<time>(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<second>:\d{2})?(?P<fraction>[.,]\d{1,9})?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_CHINESE_TIME = r"(?P<chinese>(?:上午|下午|凌晨|中午|晚上)?\s*\d{1,2}[时点]\d{1,2}分(?:\d{1,2}秒)?)"
_TIME_PART = rf"(?:(?P<t>[T ,]\s*|\s+)?(?:{_TIME}|{_CHINESE_TIME}))?"
_NUMERIC = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<c>\d{{1,4}}){_TIME_PART}", re.ASCII
)
_HAN_DATE = re.compile(
    rf"(?P<a>\d{{2}}|\d{{4}})年(?P<b>\d{{1,2}})月(?P<c>\d{{1,2}})[日号]{_TIME_PART}", re.ASCII
)
_NUMERALS = re.compile(
    r"([〇零○一二三四五六七八九]{2}|[〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})[日号]"
)
_MONTH_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH_NAME = rf"(?P<month>{_MONTH_NAMES})[a-z]*\.?"
_DAY_FIRST = re.compile(
    rf"(?:[a-z]{{3,9}}\.?,?\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]{_MONTH_NAME},?[ -]"
    rf"(?P<year>\d{{4}}|\d{{2}}){_TIME_PART}",
    re.ASCII | re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"(?:[a-z]{{3,9}}\.?,?\s+)?{_MONTH_NAME} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){_TIME_PART}",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})Z?)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"(\d{10})(\d{3})?(?:\.\d+)?", re.ASCII)
_SERIAL_START: Final = date(1899, 12, 30)  # day 0 of spreadsheets
_EPOCH_YEAR: Final = 1970
_YEAR_SECONDS: Final = 31_556_952  # of a year of the Gregorian calendar, on average
_MONTHS: Final = 12
_YEAR_DIGITS: Final = 4
_DAY_DIGITS: Final = 2
_DIGITS = {sign: digit for digit, signs in enumerate(("〇零○", *"一二三四五六七八九")) for sign in signs}


class Moment(NamedTuple):
    """A day or a moment. Where day and month cannot be told apart, the format has `?` for both."""

    format: str
    type: str  # date, timestamptz
    year: int


def moment(text: str) -> Moment | None:
    """Return how a day or a moment is written; None for other texts, and for what is no day of the calendar."""
    if len(text) > DatePolicy.most_characters:
        return None
    if not any(sign.isdigit() or sign in _DIGITS for sign in text):
        return None
    for pattern, read in _READERS:
        if match := pattern.fullmatch(text):
            return read(match)
    return None


def serial_day(text: str) -> Moment | None:
    """Return the day of a spreadsheet's number of days since 1899-12-30; only a column that holds days should ask."""
    if not _SERIAL.fullmatch(text):
        return None
    if not DatePolicy.first_serial_day <= float(text) < DatePolicy.serial_day_end:
        return None
    day = date.fromordinal(_SERIAL_START.toordinal() + int(float(text)))
    return Moment("Excel serial", "timestamptz" if "." in text else "date", day.year)


def epoch_moment(text: str) -> Moment | None:
    """Return the moment of seconds or milliseconds since 1970; only a column that holds moments should ask."""
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    seconds = int(match[1])
    if not DatePolicy.first_epoch_second <= seconds < DatePolicy.epoch_second_end:
        return None
    return Moment(
        "epoch ms" if match[2] else "epoch s", "timestamptz", _EPOCH_YEAR + seconds // _YEAR_SECONDS
    )


def _numeric(match: re.Match[str]) -> Moment | None:
    """Read 2026-1-5, 5/1/26, 1.25.2026: year first, or day and month in either order."""
    left, middle, right, mark = match["a"], match["b"], match["c"], match["mark"]
    if len(left) == _YEAR_DIGITS:
        if len(right) > _DAY_DIGITS:
            return None
        letters = f"yyyy{mark}{_letters('m', middle, right)}{mark}{_letters('d', right, middle)}"
        return _with_time(match, letters, (int(left), int(middle), int(right)))
    if len(left) > _DAY_DIGITS or len(right) not in (_DAY_DIGITS, _YEAR_DIGITS):
        return None
    first, second = int(left), int(middle)
    if first > _MONTHS:
        order, day, month = f"d{mark}m", first, second
    elif second > _MONTHS:
        order, day, month = f"m{mark}d", second, first
    else:
        order, day, month = f"?{mark}?", first, second
    return _with_time(match, f"{order}{mark}{'y' * len(right)}", (_year(right), month, day))


def _letters(letter: str, text: str, other: str) -> str:
    """Return m or mm, d or dd: two letters where both numbers have two digits."""
    return letter * 2 if len(text) == len(other) == _DAY_DIGITS else letter


def _year(digits: str) -> int:
    """Return the year of four digits, or of two."""
    year = int(digits)
    if len(digits) == _YEAR_DIGITS:
        return year
    return year + (2000 if year <= CenturyPolicy.last_short_year else 1900)


def _han(match: re.Match[str]) -> Moment | None:
    letters = f"{'y' * len(match['a'])}年m月d日"
    return _with_time(match, letters, (_year(match["a"]), int(match["b"]), int(match["c"])))


def _with_month_name(match: re.Match[str]) -> Moment | None:
    month = _MONTH_NAMES.split("|").index(match["month"].lower()) + 1
    letters = "d mmm yyyy" if match.re is _DAY_FIRST else "mmm d, yyyy"
    return _with_time(match, letters, (_year(match["year"]), month, int(match["day"])))


def _compact(match: re.Match[str]) -> Moment | None:
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not _exists(year, month, day):
        return None
    if not match[4]:
        return Moment("yyyymmdd", "date", year)
    is_time = int(match[4]) < 24 and int(match[5]) < 60 and int(match[6]) < 60  # noqa: PLR2004 - hours, minutes, seconds
    return Moment("yyyymmddhhmmss", "timestamptz", year) if is_time else None


def _in_numerals(match: re.Match[str]) -> Moment | None:
    year = _year("".join(str(_DIGITS[sign]) for sign in match[1]))
    month, day = _numeral(match[2]), _numeral(match[3])
    return Moment("二〇〇〇年一月一日", "date", year) if _exists(year, month, day) else None


def _numeral(text: str) -> int:
    """Return a number below 100 in Chinese numerals; 0 for what is none."""
    tens, ten, ones = text.partition("十")
    if "十" in ones or len(tens) > 1 or len(ones) > 1:
        return 0
    if not ten:
        return _DIGITS[text]
    return _DIGITS.get(tens, 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)


def _with_time(match: re.Match[str], letters: str, day: tuple[int, int, int]) -> Moment | None:
    """Return the moment; None where there is no such day (year, month, day), or no such time on it.

    `letters` are the format of the day.
    """
    year = day[0]
    if not _exists(*day):
        return None
    if match["chinese"]:
        return Moment(f"{letters} h时m分", "timestamptz", year)
    if not match["time"]:
        return Moment(letters, "date", year)
    if not _is_time(match):
        return None
    separator = "T" if match["t"] == "T" else " "
    return Moment(f"{letters}{separator}{_time_letters(match)}", "timestamptz", year)


def _is_time(match: re.Match[str]) -> bool:
    """Tell whether hour, minute and second are of a day; 24:00 and leap seconds are."""
    seconds = (match["second"] or ":0")[1:]
    return int(match["hour"]) <= 24 and int(match["minute"]) <= 59 and int(seconds) <= 60  # noqa: PLR2004


def _time_letters(match: re.Match[str]) -> str:
    letters = "hh:mm"
    if match["second"]:
        letters += ":ss"
    if match["fraction"]:
        letters += ".fff"
    if match["half"]:
        letters += " am/pm"
    if match["zone"]:
        letters += "Z" if match["zone"].isalpha() else "±zz"
    return letters


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return DatePolicy.first_year <= date(year, month, day).year <= DatePolicy.last_year
    except ValueError:
        return False


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Moment | None]], ...] = (
    (_NUMERIC, _numeric),
    (_HAN_DATE, _han),
    (_DAY_FIRST, _with_month_name),
    (_MONTH_FIRST, _with_month_name),
    (_COMPACT, _compact),
    (_NUMERALS, _in_numerals),
)
