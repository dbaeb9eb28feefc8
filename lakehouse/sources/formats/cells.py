"""What a cell of a workbook says, as text: numbers as a person sees them, dates as ISO 8601, all else as it stands.

A workbook holds dates as numbers of days; only the number format of a cell says that a date is meant. Rules: ECMA-376
part 1, 18.8.30 (formats), 18.17.4.1 (dates), 22.9.2.19 (escapes in strings).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

# Built-in number formats; from 27 on, the language decides what exactly they show
_DATE_FORMATS = {*range(14, 18), 22, *range(27, 37), *range(50, 59)}
_TIME_FORMATS = {*range(18, 23), 45, 46, 47}
# What of a custom format shows no part of a date: quoted text, escapes, spaces, colours, conditions
_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)
_ZEROS = re.compile("0{2,}(?:;@)?")  # of a number that is an id, such as a code of post: 01067
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_INTEGER = re.compile(r"-?[0-9]+")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows of no zone
_EPOCH_BEFORE_LEAP_BUG = datetime(1899, 12, 31)  # noqa: DTZ001
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_LEAP_BUG: Final = 60  # the serial number of 1900-02-29, which there never was (ECMA-376, 18.17.4.1)
_NO_DAY: Final = "1900-02-29"  # what a workbook shows there, and no reader of days takes for one
_SERIAL_END: Final = 2_958_466  # the day after 9999-12-31, the last that a workbook shows
_INTEGER_END: Final = 1e15  # a workbook keeps 15 digits
_MONEY_DIGITS: Final = 13  # digits of an amount below a hundred billion, in cents
_SECOND: Final = 1_000  # milliseconds, as the ones below
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

Format = Callable[[str], str]


def format_of(number: int, code: str | None, *, from_1904: bool = False) -> Format:
    """Return how a cell's number becomes text. `number`, `code`: its number format, and what that is if custom."""
    if code is None:
        shows_date, shows_time = number in _DATE_FORMATS, number in _TIME_FORMATS
    else:
        shows_date, shows_time = _shown_by(code)
    if code is not None and _ZEROS.fullmatch(code):
        return _with_zeros(code.count("0"))
    if not (shows_date or shows_time):
        return plain_number
    return _moment_format(shows_date=shows_date, shows_time=shows_time, from_1904=from_1904)


def _with_zeros(digits: int) -> Format:
    """Return the text of a whole number with zeros before it, so many digits in all."""

    def text_of(text: str) -> str:
        shown = plain_number(text)
        return shown.zfill(digits) if shown.isdecimal() else shown

    return text_of


def _shown_by(code: str) -> tuple[bool, bool]:
    """Tell whether a custom format shows a date, and whether it shows a time; m is a minute beside h or s."""
    letters = set(_NOISE.sub("", code).split(";")[0].lower())
    shows_time = not letters.isdisjoint("hs")
    shows_month = "m" in letters and not shows_time
    return shows_month or not letters.isdisjoint("yd"), shows_time


def plain_number(text: str) -> str:
    """Return a number as a person sees it: without what binary fractions add to one of few digits.

    0.30000000000000004 is 0.3, which somebody has computed. A number of more digits than a sum of money has is what the
    file says, to the last one.
    """
    if _INTEGER.fullmatch(text):
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if value.is_integer() and abs(value) < _INTEGER_END:
        return str(int(value))
    shown = f"{value:.15g}"
    is_same = float(shown) == value
    is_short = len(shown.partition("e")[0].strip("-0.").replace(".", "")) <= _MONEY_DIGITS
    return shown if is_same or is_short else repr(value)


def string(text: str) -> str:
    """Return a string with the characters that XML cannot hold, which stand there as _x000D_."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def boolean(text: str) -> str:
    """Return true or false."""
    return {"1": "true", "0": "false"}.get(text, text)


def _moment_format(*, shows_date: bool, shows_time: bool, from_1904: bool) -> Format:
    """Return the text of a day, a time or both; what the format hides of a number is shown all the same."""

    def text_of(text: str) -> str:
        serial = _serial(text)
        if serial is None:
            return plain_number(text)
        milliseconds = round(serial * _DAY)
        is_within_day_0 = milliseconds < _DAY and not from_1904
        if not shows_date or is_within_day_0:
            return _duration(milliseconds)
        if milliseconds // _DAY == _LEAP_BUG and not from_1904:
            return _NO_DAY
        try:
            moment = _epoch(serial, from_1904=from_1904) + timedelta(milliseconds=milliseconds)
        except OverflowError:
            return plain_number(text)
        if not shows_time and milliseconds % _DAY == 0:
            return moment.date().isoformat()
        return moment.isoformat(timespec="milliseconds" if milliseconds % _SECOND else "seconds")

    return text_of


def _serial(text: str) -> float | None:
    """Return the number of days that a cell holds; None for what is none that a workbook shows."""
    try:
        serial = float(text)
    except ValueError:
        return None
    return serial if 0 <= serial < _SERIAL_END else None


def _epoch(serial: float, *, from_1904: bool) -> datetime:
    """Return the moment that a serial number of days counts from."""
    if from_1904:
        return _EPOCH_1904
    return _EPOCH if serial >= _LEAP_BUG else _EPOCH_BEFORE_LEAP_BUG


def _duration(milliseconds: int) -> str:
    """Return hours, minutes and seconds of a number of milliseconds; hours may be more than 24."""
    hours, rest = divmod(milliseconds, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, rest = divmod(rest, _SECOND)
    fraction = f".{rest:03}" if rest else ""
    return f"{hours:02}:{minutes:02}:{seconds:02}{fraction}"
