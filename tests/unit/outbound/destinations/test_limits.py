"""What a destination allows: a rate, a quota of its own day, and rest after failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.outbound.destinations import limits
from lakehouse.outbound.destinations.definition import Quota, Rate
from lakehouse.outbound.destinations.limits import Limits, Spent
from lakehouse.outbound.policy import LimitPolicy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
TEN_A_SECOND = Limits(Rate(requests=10, seconds=1))


@tried(max_examples=100, deadline=None, database=None)
@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 40), st.floats(0.5, 20))
def test_no_span_has_more_requests_than_the_rate_says(pauses, requests, seconds):
    """Whenever workers ask: oracle is the count of the requests that left within any span of the rate's length."""
    allowed, spent, now, left = Limits(Rate(requests=requests, seconds=seconds)), Spent(), NOW, []
    for pause in pauses:
        now += pause
        before = spent
        spent, slot = limits.take(spent, allowed, now)
        if slot is None:
            assert spent == before  # a place that nobody waits for is not taken
            assert spent.next_at > now + LimitPolicy.slot_patience_seconds
            continue
        left.append(slot)
    assert left == sorted(left)
    for first in left:
        assert sum(first <= moment < first + seconds for moment in left) <= requests


def test_without_a_rate_nothing_waits():
    """Only the requests of the day are counted."""
    spent = Spent()
    for number in range(3):
        spent, slot = limits.take(spent, Limits(), NOW)
        assert (slot, spent.used) == (NOW, number + 1)


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [("UTC", "2026-03-02T00:00+00:00"), ("Asia/Shanghai", "2026-03-02T00:00+08:00"),
     ("America/New_York", "2026-03-02T00:00-05:00")],
)  # fmt: skip
def test_a_days_requests_come_back_when_the_day_turns_where_the_destination_is(zone, midnight):
    """Until then it is closed, and says so; the next day begins with all of them."""
    allowed, spent = Limits(quota=2, zone=zone), Spent()
    for _ in range(2):
        spent, slot = limits.take(spent, allowed, NOW)
        assert slot == NOW
    spent, slot = limits.take(spent, allowed, NOW)
    turns = datetime.fromisoformat(midnight).timestamp()
    closed = limits.closed_of(spent, NOW)
    assert (closed.why, closed.until.timestamp(), slot) == ("quota", turns, None)
    assert closed.until.strftime("%Y-%m-%d %H:%M") in closed.reason
    assert limits.take(spent, allowed, turns - 1) == (spent, None)
    spent, slot = limits.take(spent, allowed, turns)
    assert (slot, spent.used) == (turns, 1)


def test_a_day_may_have_25_hours():
    """Clocks are set back in the night to Sunday; the quota is that of the long day."""
    long_day = datetime.fromisoformat("2026-10-25T00:30:00+02:00").timestamp()
    assert Limits(zone="Europe/Berlin").next_day(long_day) - long_day == 24.5 * 3600


def test_failures_in_a_row_close_a_destination_for_longer_each_time():
    """One answer in between forgets them; what it is closed for ends by itself."""
    spent, now, pauses = Spent(), NOW, []
    for _ in range(9):
        spent = limits.after_failure(spent, now)
        closed = limits.closed_of(spent, now)
        pauses.append(0 if closed is None else round((closed.until.timestamp() - now) / 60))
        now = max(now, spent.closed_until)
        assert limits.closed_of(spent, now) is None
    assert pauses == [0, 0, 1, 2, 4, 8, 15, 15, 15]


def test_a_failure_of_who_was_at_it_already_makes_no_pause_longer():
    """Two workers fail at once: that is one failure more, and the same pause."""
    spent = limits.close(Spent(failures=3), "failures", NOW + 60)
    assert limits.after_failure(spent, NOW + 1).closed_until == NOW + 60


@pytest.mark.parametrize("field", ["next_at", "closed_until"])
def test_what_was_written_before_a_clock_was_set_back_keeps_nobody(field):
    """A moment that is farther ahead than anything may be is over."""
    spent = Spent(**{field: NOW + timedelta(days=3).total_seconds()}, closed_by="quota")
    after, slot = limits.take(spent, TEN_A_SECOND, NOW)
    assert slot == NOW
    assert after.next_at == NOW + TEN_A_SECOND.apart


def test_zones_are_known_where_the_system_has_no_database(monkeypatch):
    """As on a runtime without one; a name that is none is told."""

    def none(name):
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(limits, "ZoneInfo", none)
    there = datetime.fromtimestamp(NOW, limits.zone_of("Asia/Shanghai"))
    assert there.utcoffset() == timedelta(hours=8)
    with pytest.raises(ValueError, match="there is no time zone 'Asia/Shanghigh'"):
        Quota(requests=1, zone="Asia/Shanghigh")
