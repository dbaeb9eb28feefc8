"""Days and lengths as people say them; months end as the calendar has them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from lakehouse.segments.relative_dates import day_sql, parameter_name, window_sql, wrong_period

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", TODAY), ("Yesterday", date(2026, 3, 30)), ("tomorrow", date(2026, 4, 1)), ("1 month ago",
         date(2026, 2, 28)),
        ("in 1  month", date(2026, 4, 30)), ("13 months ago", date(2025, 2, 28)), ("2 weeks ago", date(2026, 3, 17)),
        ("start of week", date(2026, 3, 30)), ("start of the quarter", date(2026, 1, 1)), ("1 year ago", date(2025,
         3, 31)),
        ("2026-02-28", date(2026, 2, 28)), (date(2024, 2, 29), date(2024, 2, 29)),
    ],
)  # fmt: skip
def test_a_day_is_seen_from_today(said, day):
    """Whatever the case and the blanks."""
    with duckdb.connect() as con:
        assert con.execute(f"SELECT {day_sql(said, TODAY)}").fetchone() == (day,)
        assert con.execute(f"SELECT {day_sql('today', None)}").fetchone() == (None,)


@pytest.mark.parametrize(
    "said",
    ["soon", "90 days", "-3 days ago", 5, datetime(2026, 1, 1, tzinfo=UTC), "2026-02-30", "", None, True],
)
def test_what_is_no_day_is_refused(said):
    """With what to say."""
    with pytest.raises(ValueError, match="say a day as"):
        day_sql(said, TODAY)


@pytest.mark.parametrize(
    ("operator", "length", "first", "last"),
    [
        ("in_last", "7 days", date(2026, 3, 25), TODAY), ("in_last", 1, TODAY, TODAY), ("in_next", "week", TODAY,
         date(2026, 4, 6)),
        ("in_last", "1 month", date(2026, 3, 1), TODAY), ("in_next", "1 month", TODAY, date(2026, 4, 29)),
    ],
)  # fmt: skip
def test_a_window_has_as_many_days_as_it_says(operator, length, first, last):
    """Today is one of them."""
    with duckdb.connect() as con:
        days = con.execute(
            "SELECT min(d), max(d), count(*) FROM (SELECT unnest(generate_series(DATE '2026-01-01', DATE '2026-12-31', "
            f"INTERVAL 1 DAY))::DATE AS d) WHERE {window_sql(operator, length, 'd', TODAY)}"
        ).fetchone()
    assert days == (first, last, (last - first).days + 1)


@pytest.mark.parametrize(
    "length", ["", "90", "0 days", "3 fortnights", -1, 0, True, None, 1.5, "1e9 days", "100000 days"]
)
def test_what_is_no_length_is_told(length):
    """Before it is a window."""
    assert "is no length of time" in wrong_period(length)


def test_a_parameter_is_the_whole_of_a_value():
    """And nothing that a dollar stands in."""
    names = [parameter_name(each) for each in ("$days", "$Days", "$ days", "a$days", "$$days", "$5", 5, None)]
    assert names == ["days", "", "", "", "", "", "", ""]
