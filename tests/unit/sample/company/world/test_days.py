"""History begins on a Monday, and the calendar is as announced."""

from __future__ import annotations

import datetime as dt

import pytest

from lakehouse.sample.company.world.days import History, holiday, is_workday


def test_history_is_two_years_of_weeks_from_monday() -> None:
    """The first day is a Monday; the last is the one named, even in the middle of a week."""
    history = History.ending(dt.date(2026, 6, 30))
    assert (history.start, history.days, history.weeks) == (dt.date(2024, 7, 1), 730, 105)
    other = History.ending(dt.date(2025, 12, 31))
    assert other.start.weekday() == 0
    assert 730 <= other.days <= 736
    assert other.date(other.days - 1) == dt.date(2025, 12, 31)


@pytest.mark.parametrize(
    ("day", "name", "works"),
    [
        ("2025-01-28", "春节", False),
        ("2025-01-26", None, True),  # a Sunday worked for it
        ("2025-10-08", "国庆节、中秋节", False),
        ("2026-06-27", None, False),  # a Saturday
        ("2026-06-30", None, True),
    ],
)
def test_the_calendar_knows_holidays_and_days_worked_for_them(
    day: str, name: str | None, works: bool
) -> None:
    """As the State Council announced them."""
    assert (holiday(dt.date.fromisoformat(day)), is_workday(dt.date.fromisoformat(day))) == (name, works)
