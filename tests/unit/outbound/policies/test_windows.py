"""When a person may be written to, in every zone they may be in, also in nights in which a clock is set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.outbound.policies.definition import QuietHours
from lakehouse.outbound.policies.reasons import Reason
from lakehouse.outbound.policies.windows import open_windows, reason_of_hour

BERLIN, SHANGHAI, NEW_YORK, AUCKLAND, GUAM = map(
    ZoneInfo, ("Europe/Berlin", "Asia/Shanghai", "America/New_York", "Pacific/Auckland", "Pacific/Guam")
)
NIGHT = QuietHours.model_validate({"from": "21:00", "until": "08:00"})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def reason(now: str, *zones: ZoneInfo, hours: QuietHours = NIGHT, best: int | None = None) -> Reason | None:
    windows = open_windows(hours, zones, SHANGHAI, best, moment(now).date())
    return reason_of_hour(windows, "zone", moment(now))


@pytest.mark.parametrize(
    ("now", "zones", "until"),
    [
        pytest.param("2026-03-02T10:00", [BERLIN], None, id="noon in Berlin"),
        pytest.param("2026-03-02T20:00", [BERLIN], "2026-03-03T07:00", id="nine in the evening"),
        pytest.param("2026-03-02T19:59", [BERLIN], None, id="a minute before"),
        pytest.param("2026-03-03T06:59", [BERLIN], "2026-03-03T07:00", id="a minute before eight"),
        pytest.param("2026-03-03T07:00", [BERLIN], None, id="eight"),
        pytest.param("2026-03-28T22:00", [BERLIN], "2026-03-29T06:00", id="of summer time, an hour shorter"),
        pytest.param("2026-10-24T22:00", [BERLIN], "2026-10-25T07:00", id="of winter time, an hour longer"),
        pytest.param("2026-03-02T07:00", [BERLIN, NEW_YORK], "2026-03-02T13:00", id="in both zones"),
        pytest.param("2026-03-02T19:00", [BERLIN, NEW_YORK], None, id="and are"),
        pytest.param("2026-03-02T14:00", [BERLIN, AUCKLAND], "2026-03-02T19:00", id="a short window"),
        pytest.param("2026-03-02T11:30", [BERLIN, NEW_YORK, GUAM], "2026-03-02T13:00", id="never all, but two"),
        pytest.param("2026-03-02T14:00", [BERLIN, NEW_YORK, GUAM], None, id="which is in Europe and America"),
    ],
)  # fmt: skip
def test_nobody_is_written_to_at_night(now, zones, until):
    """Withheld until the night is over where the person is, to the minute."""
    found = reason(now, *zones)
    assert found == (None if until is None else Reason("quiet_hours", "zone", moment(until)))


@pytest.mark.parametrize(
    ("start", "until", "opens"),
    [
        ("22:00", "02:30", "2026-10-25T01:30"),  # half past two comes twice: the second time it is over
        ("02:30", "08:00", "2026-10-25T07:00"),  # the first time it begins
    ],
)
def test_where_a_clock_is_set_back_the_night_is_the_longer_one(start, until, opens):
    """At a quarter to three in Berlin, the first of two."""
    hours = QuietHours.model_validate({"from": start, "until": until})
    assert reason("2026-10-25T00:45", BERLIN, hours=hours) == Reason("quiet_hours", "zone", moment(opens))


@pytest.mark.parametrize(
    ("now", "best", "until"),
    [
        ("2026-03-02T10:00", 19, "2026-03-02T11:00"),  # 19:00 in Shanghai is 11:00 UTC
        ("2026-03-02T11:59", 19, None),
        ("2026-03-02T12:00", 19, "2026-03-03T11:00"),
        ("2026-03-02T10:00", None, None),  # nothing is known of the person
        ("2026-03-02T10:00", 3, None),  # an hour that is always quiet is not waited for
    ],
)
def test_the_best_hour_is_waited_for(now, best, until):
    """In the business's zone, since that is whose hours the mart has."""
    hours = NIGHT.model_copy(update={"best_hour": True})
    found = reason(now, SHANGHAI, hours=hours, best=best)
    assert found == (None if until is None else Reason("quiet_hours", "zone", moment(until)))


def test_after_the_last_window_it_is_asked_anew_at_once():
    """The plan is too old to say: nothing is sent, and the next plan knows."""
    windows = open_windows(NIGHT, (BERLIN,), SHANGHAI, None, date(2026, 3, 2))
    late = moment("2026-03-20T10:00")
    assert reason_of_hour(windows, "zone", late) == Reason("quiet_hours", "zone", late)
    assert reason_of_hour((), "", late) == Reason("quiet_hours", "", late)


zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
     "Africa/Casablanca", "Pacific/Apia", "Asia/Shanghai", "America/Santiago"]
).map(ZoneInfo)  # fmt: skip
minutes = st.integers(0, 24 * 60 - 1)


def is_quiet(now: datetime, zone: ZoneInfo, start: int, until: int) -> bool:
    """The plain rule: what the clock on the wall says."""
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return start <= minute < until if start < until else minute >= start or minute < until


def sets_a_clock(now: datetime, zone: ZoneInfo) -> bool:
    nearby = [now + timedelta(hours=hours) for hours in range(-26, 27)]
    return len({moment.astimezone(zone).utcoffset() for moment in nearby}) > 1


def awake(now: datetime, places: list[ZoneInfo], hours: QuietHours) -> int:
    return sum(not is_quiet(now, zone, hours.start, hours.until) for zone in places)


@tried(max_examples=150, deadline=None, database=None)
@given(
    st.integers(0, 2 * 366 * 24 * 60),
    st.lists(zones, min_size=1, max_size=3, unique=True), minutes, minutes,
)  # fmt: skip
def test_no_clock_on_any_wall_is_in_quiet_hours(minute, places, start, until):
    """Within a window, and where one opens; where no clock is set, there is a window whenever all are awake."""
    if start == until:
        return
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    hours = QuietHours(start=start, until=until)
    windows = open_windows(hours, tuple(places), UTC, None, now.date())
    found = reason_of_hour(windows, "", now)
    opening = [awake(datetime.fromtimestamp(begin, UTC), places, hours) for begin, _ in windows]
    steady = not any(sets_a_clock(now + timedelta(days=day), zone) for zone in places for day in range(5))
    if max(opening) == len(places):
        assert found is not None or awake(now, places, hours) == len(places)
        assert not steady or found is None or awake(now, places, hours) < len(places)
        assert set(opening) == {len(places)}
    elif steady:
        quarters = [now.replace(hour=0, minute=0) + timedelta(minutes=15 * n) for n in range(96)]
        assert max(awake(moment, places, hours) for moment in quarters) <= max(opening) < len(places)
    if found is not None and found.until != now:
        assert found.until > now
