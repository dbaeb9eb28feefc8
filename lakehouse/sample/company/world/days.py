"""Two years of days, and the public holidays that fall into them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from lakehouse.sample.company.units import DAY, DAYS_A_WEEK
from lakehouse.sample.purchases.names import words

DAYS_BACK: Final = 730
_WORKDAYS_A_WEEK: Final = 5
_EPOCH = dt.date(1970, 1, 1)

# Days off and the weekend days worked for them, as the State Council announced them for each year:
# (first day, last day, name); only these years are known here.
_HOLIDAYS = (
    ("2024-01-01", "2024-01-01", "元旦"),
    ("2024-02-10", "2024-02-17", "春节"),
    ("2024-04-04", "2024-04-06", "清明节"),
    ("2024-05-01", "2024-05-05", "劳动节"),
    ("2024-06-08", "2024-06-10", "端午节"),
    ("2024-09-15", "2024-09-17", "中秋节"),
    ("2024-10-01", "2024-10-07", "国庆节"),
    ("2025-01-01", "2025-01-01", "元旦"),
    ("2025-01-28", "2025-02-04", "春节"),
    ("2025-04-04", "2025-04-06", "清明节"),
    ("2025-05-01", "2025-05-05", "劳动节"),
    ("2025-05-31", "2025-06-02", "端午节"),
    ("2025-10-01", "2025-10-08", "国庆节、中秋节"),
    ("2026-01-01", "2026-01-03", "元旦"),
    ("2026-02-15", "2026-02-23", "春节"),
    ("2026-04-04", "2026-04-06", "清明节"),
    ("2026-05-01", "2026-05-05", "劳动节"),
    ("2026-06-19", "2026-06-21", "端午节"),
    ("2026-09-25", "2026-09-27", "中秋节"),
    ("2026-10-01", "2026-10-07", "国庆节"),
)
_WORKED = frozenset(
    words(
        "2024-02-04 2024-02-18 2024-04-07 2024-04-28 2024-05-11 2024-09-14 2024-09-29 2024-10-12 2025-01-26 "
        "2025-02-08 2025-04-27 2025-09-28 2025-10-11 2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 "
        "2026-10-10"
    )
)


@dataclass(frozen=True)
class History:
    """The days that exports cover: from a Monday two years back to `until`, the last day.

    Day 0 is the first; moments of history are seconds since its beginning.
    """

    start: dt.date
    until: dt.date

    @classmethod
    def ending(cls, until: dt.date) -> History:
        """Return the history that ends with a day."""
        two_years_back = until - dt.timedelta(days=DAYS_BACK - 1)
        monday = two_years_back - dt.timedelta(days=two_years_back.weekday())
        return cls(monday, until)

    @property
    def days(self) -> int:
        """How many days it has; day 0 is `start`."""
        return (self.until - self.start).days + 1

    @property
    def weeks(self) -> int:
        """How many weeks, the last of which may be cut short by `until`."""
        return -(-self.days // DAYS_A_WEEK)

    @property
    def zero(self) -> int:
        """The beginning of day 0 in local seconds since 1970."""
        return (self.start - _EPOCH).days * DAY

    @property
    def end(self) -> int:
        """The end of the last day, in seconds since the beginning of day 0."""
        return self.days * DAY

    def date(self, day: int) -> dt.date:
        """Return the date of a day's number."""
        return self.start + dt.timedelta(days=day)


def holiday(day: dt.date) -> str | None:
    """Return the name of the public holiday a day belongs to, if any."""
    for first, last, name in _HOLIDAYS:
        if first <= day.isoformat() <= last:
            return name
    return None


def is_workday(day: dt.date) -> bool:
    """Tell whether offices work: a weekday that is no holiday, or a weekend day worked for one."""
    is_weekday = day.weekday() < _WORKDAYS_A_WEEK
    return day.isoformat() in _WORKED or (is_weekday and holiday(day) is None)
