"""A slot is computed for once, one that was missed afterwards, and no segment before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lakehouse.segments import schedule
from lakehouse.segments.definition import Segment, Segments
from lakehouse.segments.schedule import Clock, Schedule, next_slots

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)


def weekly(**said: object) -> Segment:
    content = {"name": "s", "title": "S", "doc": "D", "where": "true", "schedule": {"every": "hour"}, **said}
    return Segment.model_validate({name: value for name, value in content.items() if value is not None})


def look(segment: Segment, noted: schedule.Slots, now: datetime, **fired: str) -> tuple[schedule.Slots, bool]:
    """Look once; return what is noted then, as it is after it was written down, and whether the segment is due."""
    slots, due = next_slots(Segments((segment,)), noted, Clock(now, UTC, fired), now)
    return schedule.from_json(schedule.as_json(slots)), due == ["s"]


@settings(max_examples=80, deadline=None)
@given(steps=st.lists(st.integers(-50, 400), min_size=1, max_size=30))
def test_each_slot_is_due_once_whenever_one_looks(steps):
    """Of those that were missed the last one is, once; a clock that was set back brings none again."""
    now, noted = BEGIN, {}
    noted, due = look(weekly(), noted, now)
    assert not due
    ran_for = [now]
    for minutes in steps:
        now += timedelta(minutes=minutes)
        hour = now.replace(minute=0)
        noted, due = look(weekly(), noted, now)
        assert due == (hour > ran_for[-1].replace(minute=0))
        if due:
            ran_for.append(now)
        assert not look(weekly(), noted, now)[1]


@pytest.mark.parametrize(
    "change", [{"schedule": {"cron": "0 6 * * *"}}, {"schedule": {"every": "6 hours"}}, {"name": "t"}]
)
def test_another_schedule_waits_for_its_own_next_time(change):
    """Its times before that were another's."""
    noted, _ = look(weekly(), {}, BEGIN)
    later = BEGIN + timedelta(days=2)
    segment = weekly(**change)
    slots, due = next_slots(Segments((segment,)), noted, Clock(later, UTC), later)
    assert (due, set(slots)) == ([], {segment.name})


def test_another_condition_waits_for_the_next_time_too():
    """A file that is saved between two slots changes nobody's membership."""
    noted, _ = look(weekly(), {}, BEGIN)
    assert not look(weekly(where="false"), noted, BEGIN)[1]
    assert look(weekly(where="false"), noted, BEGIN + timedelta(hours=1))[1]


def test_one_that_could_not_be_asked_is_due_again_once_it_is_mended():
    """Not at each look: it would fail each time."""
    noted, _ = look(weekly(), {}, BEGIN)
    later = BEGIN + timedelta(hours=1)
    broken, mended = weekly(where="no_such > 1"), weekly(where="orders > 1")
    slots, due = next_slots(Segments((broken,)), noted, Clock(later, UTC), later)
    assert due == ["s"]
    noted = schedule.failed(slots, Segments((broken,)), due)
    assert not look(broken, noted, later)[1]
    noted, due_again = look(mended, noted, later)
    assert due_again
    assert not look(mended, noted, later)[1]


def test_one_whose_file_is_wrong_misses_no_slot():
    """It stays noted, and is due when it can be read again."""
    noted, _ = look(weekly(), {}, BEGIN)
    later = BEGIN + timedelta(hours=1)
    noted, due = next_slots(Segments((), {"s": "not YAML"}), noted, Clock(later, UTC), later)
    assert (due, set(noted)) == ([], {"s"})
    assert look(weekly(), noted, later)[1]


def test_a_trigger_is_due_with_each_news_of_its_rule():
    """Not with those of others, nor with what there was before."""
    segment = weekly(schedule=None, trigger="win_back")
    noted, due = look(segment, {}, BEGIN, win_back="2026-03-01T00:00:00+00:00")
    assert not due
    assert not look(segment, noted, BEGIN, win_back="2026-03-01T00:00:00+00:00", birthday="2026-03-02")[1]
    noted, due = look(segment, noted, BEGIN, win_back="2026-03-01T00:00:00.5+00:00")
    assert due
    assert not look(segment, noted, BEGIN, win_back="2026-03-01T00:00:00.5+00:00")[1]


def test_times_are_those_of_the_business():
    """The same words in another zone are another schedule."""
    noted, _ = look(weekly(), {}, BEGIN)
    assert noted["s"].when == "every hour UTC"
    assert schedule.next_time(weekly(), BEGIN, UTC) == BEGIN + timedelta(hours=1)


@pytest.mark.parametrize(
    "said", [{}, {"cron": "0 6 * * *", "every": "day"}, {"cron": "6"}, {"every": "5 hours"}]
)
def test_what_is_no_schedule_is_refused(said):
    """One of the two, that can be read."""
    with pytest.raises(ValidationError):
        Schedule.model_validate(said)
