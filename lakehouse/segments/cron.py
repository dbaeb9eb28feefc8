"""Times that come again, by the clock on the wall of the business: cron's five fields, and `every 6 hours`. Pure.

The clock is set forward and back. A time that it leaves out counts as if it had not been set; one that it shows twice
counts the first time, unless the schedule is of each hour: then both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Of each field: what people call it, the least and the greatest number, and the names of the numbers from the least.
_FIELDS: Final = (
    ("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day", 1, 31, ()), ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)  # fmt: skip
_RANGE: Final = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d+))?")
_EVERY: Final = re.compile(r"(?:(\d+) +)?(minute|hour|day|week|month)s?", re.IGNORECASE)
_LONGEST_DAYS: Final = 366 * 8 + 1  # 29 February comes after eight years, where a century has none


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, days of the month, months and weekdays (0 is Sunday) at which something is due.

    Where days and weekdays are both named, either will do, as cron has it. `each_hour` says that no hour is named.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool = True
    any_weekday: bool = True
    each_hour: bool = False

    def latest(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """Return the last time, in UTC, up to a moment; None where none was for eight years."""
        today = moment.astimezone(zone).date()
        # a time that the clock left out counts later than it says, perhaps on the day after
        for back in range(-1, _LONGEST_DAYS):
            found = [at for at in self._times_of(today - timedelta(days=back), zone) if at <= moment]
            if found:
                return max(found)
        return None

    def following(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """Return the first time, in UTC, after a moment; None where none is within eight years."""
        today = moment.astimezone(zone).date()
        for ahead in range(-1, _LONGEST_DAYS):
            found = [at for at in self._times_of(today + timedelta(days=ahead), zone) if at > moment]
            if found:
                return min(found)
        return None

    def _times_of(self, day: date, zone: tzinfo) -> set[datetime]:
        if not self._is_of(day):
            return set()
        return {
            at
            for hour in self.hours
            for minute in self.minutes
            for at in self._moments(datetime.combine(day, time(hour, minute), zone))
        }

    def _is_of(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return in_month and in_week
        return in_month or in_week

    def _moments(self, wall: datetime) -> list[datetime]:
        first, second = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        exists = first.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None)
        if not exists:
            return [] if self.each_hour else [first]
        return [first, second] if self.each_hour else [first]


def read_cron(text: str) -> Cron:
    """Return what five fields say; ValueError names the field that is wrong."""
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            f"{text!r} is no cron: it has five fields, minute hour day month weekday, such as '0 6 * * mon'"
        )
    sets = [_numbers(part, *each) for part, each in zip(parts, _FIELDS, strict=True)]
    weekdays = frozenset(number % 7 for number in sets[4])
    cron = Cron(
        sets[0], sets[1], sets[2], sets[3], weekdays,
        any_day=parts[2].startswith("*"), any_weekday=parts[4].startswith("*"), each_hour=parts[1] == "*",
    )  # fmt: skip
    if cron.following(datetime(2000, 1, 1, tzinfo=UTC), UTC) is None:
        raise ValueError(f"{text!r} never comes: no month of these has such a day")
    return cron


def read_every(text: str) -> Cron:
    """Return what `30 minutes`, `6 hours`, `day`, `week` or `month` say, counted from midnight; ValueError for others.

    Weeks begin on Monday. Parts of an hour or a day must divide it: else the last one of each would be shorter.
    """
    found = _EVERY.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(f"{text!r} is no such time: say 30 minutes, 6 hours, day, week or month")
    number, unit = int(found[1] or 1), found[2].lower()
    greatest = {"minute": 60, "hour": 24}.get(unit, 1)
    if not 0 < number <= greatest or greatest % number:
        allowed = ", ".join(str(each) for each in range(1, greatest + 1) if greatest % each == 0)
        raise ValueError(
            f"every {text}: the number of {unit}s is one of {allowed}; others say it with `cron`"
        )
    if unit == "minute":
        return read_cron("0 * * * *" if number == greatest else f"*/{number} * * * *")
    if unit == "hour":
        return read_cron("0 * * * *" if number == 1 else f"0 */{number} * * *")
    return read_cron({"day": "0 0 * * *", "week": "0 0 * * mon", "month": "0 0 1 * *"}[unit])


def _numbers(text: str, name: str, least: int, greatest: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        matched = _RANGE.fullmatch(part)
        if matched is None:
            raise ValueError(f"{name}: {part!r} is no number, range or step")
        first, last, step = matched.groups()
        if first == "*":
            begin, end = least, greatest
            if last is not None:
                raise ValueError(f"{name}: {part!r} is no number, range or step")
        else:
            begin = _number(first, name, least, names)
            end = _number(last, name, least, names) if last else (greatest if step else begin)
        if not least <= begin <= end <= greatest or (step is not None and int(step) == 0):
            raise ValueError(f"{name}: {part!r} is not within {least} and {greatest}, the smaller one first")
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, name: str, least: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + least
    if not text.isdecimal():
        known = f", nor one of {', '.join(names)}" if names else ""
        raise ValueError(f"{name}: {text!r} is no number{known}")
    return int(text)
