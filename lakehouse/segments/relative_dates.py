"""Days and windows as people say them: `90 days ago`, `in 7 days`, `start of month`, the last `3 months`. Pure.

All of them look from a day, `as_of`; SQL is made of the day itself, so that it asks no clock.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Final

from lakehouse.engine.escape import literal

_PARAMETER: Final = re.compile(r"\$([a-z][a-z0-9_]*)")
_UNIT: Final = r"(day|week|month|quarter|year)s?"
_PERIOD: Final = re.compile(rf"(\d{{1,5}}) +{_UNIT}|{_UNIT}", re.IGNORECASE)
_AGO: Final = re.compile(rf"(\d{{1,5}}) +{_UNIT} +ago", re.IGNORECASE)
_AHEAD: Final = re.compile(rf"in +(\d{{1,5}}) +{_UNIT}", re.IGNORECASE)
_START: Final = re.compile(r"start of (?:the )?(week|month|quarter|year)", re.IGNORECASE)
_NAMED: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}
SAYS_DAY: Final = "say a day as 2026-03-01, today, 90 days ago, in 7 days or start of month"


def parameter_name(value: Any) -> str:
    """Return the parameter that a value is, as `$days` is; "" for any other. `$$days` is the text `$days`."""
    found = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def day_sql(value: Any, as_of: date | None) -> str:
    """Return the SQL of the day that a value names, seen from `as_of`; ValueError for what names none."""
    if isinstance(value, datetime):
        raise ValueError(f"{value} is a time: {SAYS_DAY}")  # noqa: TRY004 - as of any value that names no day
    if isinstance(value, date):
        return f"DATE {literal(value.isoformat())}"
    text = " ".join(value.split()).lower() if isinstance(value, str) else ""
    today = _today(as_of)
    if text in _NAMED:
        return f"({today} + {_NAMED[text]})"
    if found := _AGO.fullmatch(text):
        return _moved(today, -int(found[1]), found[2])
    if found := _AHEAD.fullmatch(text):
        return _moved(today, int(found[1]), found[2])
    if found := _START.fullmatch(text):
        return f"CAST(date_trunc({literal(found[1])}, {today}) AS DATE)"
    try:
        return f"DATE {literal(date.fromisoformat(text).isoformat())}"
    except ValueError:
        raise ValueError(f"{value!r} is no day: {SAYS_DAY}") from None


def wrong_period(value: Any) -> str:
    """Return what is wrong with the length of a window; "" where it is one."""
    try:
        _period(value)
    except ValueError as error:
        return str(error)
    return ""


def window_sql(operator: str, value: Any, day: str, as_of: date | None) -> str:
    """Return the condition that a day, given as SQL, is in a window: `in_last` or `in_next` of a length.

    Today is the first day of both: the last 90 days are as many days, of which today is one. Months end as the calendar
    has them.
    """
    number, unit = _period(value)
    today = _today(as_of)
    if operator == "in_last":
        return f"({day} > {_moved(today, -number, unit)} AND {day} <= {today})"
    return f"({day} >= {today} AND {day} < {_moved(today, number, unit)})"


def _period(value: Any) -> tuple[int, str]:
    """Return number and unit of a length; a plain number is days."""
    if isinstance(value, int) and not isinstance(value, bool):
        number, unit = value, "day"
    else:
        found = _PERIOD.fullmatch(" ".join(value.split())) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"{value!r} is no length of time: say 90 days, 3 months or 1 year")
        number, unit = int(found[1] or 1), (found[2] or found[3]).lower()
    if not 0 < number <= 99_999:  # noqa: PLR2004 - as the pattern
        raise ValueError(f"{value!r} is no length of time: it must be one day at least")
    return number, unit


def _today(as_of: date | None) -> str:
    return f"DATE {literal(as_of.isoformat())}" if as_of else "CAST(NULL AS DATE)"


def _moved(today: str, number: int, unit: str) -> str:
    if unit in {"day", "week"}:
        return f"({today} {number * (7 if unit == 'week' else 1):+d})"
    months = {"month": 1, "quarter": 3, "year": 12}[unit] * number
    return f"CAST({today} + to_months({months}) AS DATE)"
