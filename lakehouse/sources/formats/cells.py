"""What a cell of a workbook says, as text: numbers as a person sees them, dates as ISO 8601, all else as it stands.

A workbook holds dates as numbers of days; that one is meant says only the number format of the cell. Rules: ECMA-376
part 1, 18.8.30 (formats), 18.17.4.1 (dates), 22.9.2.19 (escapes in strings).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

_DATES = {*range(14, 18), 22, *range(27, 37), *range(50, 59)}  # from 27 on, the language decides what exactly
_TIMES = {*range(18, 23), 45, 46, 47}
_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WHOLE = re.compile(r"-?[0-9]+")
_LAST_DAY = 2_958_466  # the day after 9999-12-31
_LEAP_BUG = 60  # 1900-02-29, which there never was
_FIRST, _FIRST_BEFORE_BUG, _FIRST_1904 = (  # a workbook knows of no zone
    datetime(*day)  # noqa: DTZ001
    for day in ((1899, 12, 30), (1899, 12, 31), (1904, 1, 1))
)
_DAY = 86_400_000  # milliseconds
_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1_000
_EXACT = 1e15  # a workbook keeps 15 digits

Format = Callable[[str], str]


def format_of(number: int, code: str | None, *, from_1904: bool = False) -> Format:
    """Return how a cell's number becomes text. `number`, `code`: its number format, and what that is if custom."""
    if code is None:
        has_date, has_time = number in _DATES, number in _TIMES
        return _dated(has_date, has_time, from_1904) if has_date or has_time else plain_number
    letters = _NOISE.sub("", code).split(";")[0].lower()
    has_time = any(letter in letters for letter in "hs")
    has_date = any(letter in letters for letter in "yd") or ("m" in letters and not has_time)
    return _dated(has_date, has_time, from_1904) if has_date or has_time else plain_number


def plain_number(text: str) -> str:
    """Return a number with the 15 digits that a workbook keeps, without what binary fractions add to it."""
    if _WHOLE.fullmatch(text):
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return f"{value:.15g}"


def string(text: str) -> str:
    """Return a string with the characters that XML cannot hold, which stand there as _x000D_."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def boolean(text: str) -> str:
    """Return true or false."""
    return {"1": "true", "0": "false"}.get(text, text)


def _dated(has_date: bool, has_time: bool, from_1904: bool) -> Format:
    """Return the text of a day, a time or both; what the format hides of a number is shown all the same."""

    def text_of(text: str) -> str:
        try:
            serial = float(text)
        except ValueError:
            return text
        if not 0 <= serial < _LAST_DAY:
            return plain_number(text)
        total = round(serial * _DAY)
        if not has_date or (total < _DAY and not from_1904):
            return _duration(total)
        first = _FIRST_1904 if from_1904 else _FIRST if serial >= _LEAP_BUG else _FIRST_BEFORE_BUG
        try:
            moment = first + timedelta(milliseconds=total)
        except OverflowError:
            return plain_number(text)
        if not has_time and total % _DAY == 0:
            return moment.date().isoformat()
        return moment.isoformat(timespec="milliseconds" if total % _SECOND else "seconds")

    return text_of


def _duration(total: int) -> str:
    """Return hours, minutes and seconds of a number of milliseconds; hours may be more than 24."""
    hours, rest = divmod(total, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, rest = divmod(rest, _SECOND)
    return f"{hours:02}:{minutes:02}:{seconds:02}" + (f".{rest:03}" if rest else "")
