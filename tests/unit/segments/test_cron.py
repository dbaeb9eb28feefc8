"""Times that come again are those of the clock on the wall, also where that is set forward and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.segments.cron import read_cron, read_every

BERLIN, NEW_YORK, SHANGHAI = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Asia/Shanghai"),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "latest", "following"),
    [
        ("0 6 * * mon", SHANGHAI, "2026-03-04T00:00", "2026-03-01T22:00", "2026-03-08T22:00"),
        ("0 6 * * 1", SHANGHAI, "2026-03-01T22:00", "2026-03-01T22:00", "2026-03-08T22:00"),
        ("*/15 8-9 * * *", UTC, "2026-03-04T09:50", "2026-03-04T09:45", "2026-03-05T08:00"),
        ("0 0 1,15 * *", UTC, "2026-03-04T09:50", "2026-03-01T00:00", "2026-03-15T00:00"),
        ("0 0 13 * fri", UTC, "2026-03-04T09:50", "2026-02-27T00:00", "2026-03-06T00:00"),
        ("0 0 29 feb *", UTC, "2026-03-04T09:50", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("30 23 * jan-mar/2 sun,7", UTC, "2026-02-04T00:00", "2026-01-25T23:30", "2026-03-01T23:30"),
        ("5/20 0 * * *", UTC, "2026-02-04T12:00", "2026-02-04T00:45", "2026-02-05T00:05"),
        # the clock leaves out 2:30 on 29 March: it counts as if it had not been set
        ("30 2 * * *", BERLIN, "2026-03-29T12:00", "2026-03-29T01:30", "2026-03-30T00:30"),
        # and shows 2:30 twice on 25 October: the first time counts
        ("30 2 * * *", BERLIN, "2026-10-25T12:00", "2026-10-25T00:30", "2026-10-26T01:30"),
        # of each hour both count, and none is left out
        ("0 * * * *", NEW_YORK, "2026-11-01T06:30", "2026-11-01T06:00", "2026-11-01T07:00"),
        ("0 * * * *", NEW_YORK, "2026-11-01T05:30", "2026-11-01T05:00", "2026-11-01T06:00"),
    ],
)  # fmt: skip
def test_times_are_those_of_the_wall(cron, zone, moment, latest, following):
    """In the zone of the business, whatever day that is in UTC."""
    times = read_cron(cron)
    assert times.latest(at(moment), zone) == at(latest)
    assert times.following(at(moment), zone) == at(following)


@pytest.mark.parametrize(
    ("every", "count"),
    [("30 minutes", 48), ("hour", 24), ("6 hours", 4), ("day", 1), ("1 day", 1)],
)
def test_every_so_often_counts_from_midnight(every, count):
    """As many times a day; a day of 23 hours has as many fewer as it has fewer hours, where hours are not named."""
    times = read_every(every)
    begin = at("2026-03-09T16:00")  # midnight in Shanghai
    found = []
    while (moment := times.following(found[-1] if found else begin - timedelta(seconds=1),
     SHANGHAI)) < begin + timedelta(1):  # fmt: skip
        found.append(moment)
    assert len(found) == count
    assert found[0] == begin


def test_weeks_begin_on_monday_and_months_on_the_first():
    """At midnight of the business."""
    assert read_every("week").latest(at("2026-03-04T00:00"), SHANGHAI) == at("2026-03-01T16:00")
    assert read_every("month").latest(at("2026-03-31T15:59"), SHANGHAI) == at("2026-02-28T16:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 6 * *", "it has five fields"), ("60 6 * * *", "minute: '60' is not within 0 and 59"),
        ("0 6 * * mo", "weekday: 'mo' is no number, nor one of sun, mon"), ("0 6 31 2 *", "never comes"),
        ("0 6-2 * * *", "hour: '6-2' is not within 0 and 23, the smaller one first"), ("*/0 * * * *", "minute"),
        ("@daily", "it has five fields"), ("0 ? * * *", "hour: '?' is no number"), ("0 *-3 * * *", "hour: '*-3'"),
    ],
)  # fmt: skip
def test_what_is_no_cron_is_told_by_its_field(text, says):
    """Before anything waits for a time that never comes."""
    with pytest.raises(ValueError, match=re.escape(says)):
        read_cron(text)


@pytest.mark.parametrize(
    "text", ["7 minutes", "5 hours", "2 days", "0 hours", "soon", "", "1.5 hours", "-1 hour"]
)
def test_what_does_not_divide_a_day_is_refused(text):
    """The last one of each day would be shorter than the others."""
    with pytest.raises(ValueError, match=r"no such time|one of"):
        read_every(text)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CRONS = st.sampled_from(
    ["30 2 * * *", "*/20 * * * *", "0 */6 * * *", "15 1-3 * * sun", "0 0 1 * *", "59 23 * * 0-5/2"]
)


@settings(max_examples=60, deadline=None)
@given(cron=CRONS, zone=st.sampled_from([BERLIN, NEW_YORK, SHANGHAI, UTC]), moment=MOMENTS)
def test_times_follow_one_another(cron, zone, moment):
    """The latest up to a moment is the one before the next: no time is skipped, none comes twice."""
    times = read_cron(cron)
    latest = times.latest(moment, zone)
    following = times.following(latest, zone)
    assert latest <= moment < following
    assert times.latest(following, zone) == following
    assert times.latest(following - timedelta(microseconds=1), zone) == latest
