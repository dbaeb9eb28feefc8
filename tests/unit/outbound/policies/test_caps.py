"""How often one person is written to, over all syncs, retries and people: the ledger against the plain rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.outbound.policies import caps
from lakehouse.outbound.policies.caps import Contacted, reason_of_cap, remembered, reserve
from lakehouse.outbound.policies.definition import Cap
from lakehouse.outbound.policies.reasons import Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def at(hours_ago: float, key: str = "k", sync: str = "news", *, settled: bool = True) -> Contacted:
    return Contacted(NOW - timedelta(hours=hours_ago), key, sync, settled)


@pytest.mark.parametrize(
    ("known", "by_people", "reason"),
    [
        ([], [], None),
        ([at(1)], [], None),
        ([at(1, "a"), at(2, "b")], [], Reason("cap", "b", NOW - timedelta(hours=2) + WEEK)),
        ([at(1, "a")], [at(5, "call-7", "")], Reason("cap", "call-7", NOW - timedelta(hours=5) + WEEK)),
        ([at(1, "a"), at(2, "b"), at(3, "c")], [], Reason("cap", "b", NOW - timedelta(hours=2) + WEEK)),
        ([at(1, "a"), at(7 * 24, "b")], [], None),
        ([at(1, "a"), at(7 * 24 - 0.01, "b")], [], Reason("cap", "b", NOW + timedelta(seconds=36))),
        ([at(0, "a", "other", settled=False), at(0, "b")], [], Reason("cap", "a", NOW + WEEK)),
    ],
)  # fmt: skip
def test_two_a_week_whoever_wrote_them(known, by_people, reason):
    """Other syncs and people count; the reason names the contact that has to grow old, and when it has."""
    assert reserve(known, at(0, "mine"), by_people, Cap(most=2, days=7))[1] == reason


def test_a_retry_counts_once():
    """The same row again, or, where nobody knows whether it was sent, the next try of the same sync."""
    cap = Cap(most=1, days=7)
    first = at(5, "run-1", settled=False)
    assert reserve([first], at(0, "run-1"), (), cap) == ([at(0, "run-1")], None)
    assert reserve([first], at(0, "run-2"), (), cap) == ([at(0, "run-2")], None)
    assert reserve([first], at(0, "run-2", "other"), (), cap)[1] is not None
    long_ago, since = at(8 * 24, "run-1", settled=False), at(1, "b", "other")
    assert reserve([long_ago, since], at(0, "run-2"), (), cap)[1] == Reason("cap", "b", since.at + WEEK)
    assert reserve(caps.settle([first], "run-1"), at(0, "run-2"), (), cap)[1] is not None
    assert reserve(caps.withdraw([first], "run-1"), at(0, "run-2"), (), cap)[1] is None


def test_what_is_too_old_for_any_cap_is_forgotten():
    """The entries of a person stay few."""
    assert remembered([at(28 * 24), at(28 * 24 - 1, "young")], NOW) == [at(28 * 24 - 1, "young")]


@dataclass
class Plain:
    """The rule, read plainly: each message once, at its last try, unless it is known not to have been sent."""

    cap: Cap
    messages: dict[str, datetime] = field(default_factory=dict)
    by_people: list[datetime] = field(default_factory=list)

    def counted(self, now: datetime) -> int:
        times = [*self.messages.values(), *self.by_people]
        return sum(now - timedelta(days=self.cap.days) < moment <= now for moment in times)


steps = st.lists(
    st.tuples(
        st.sampled_from("abc"),  # the sync; "c" is a person who calls
        st.sampled_from(["sent", "failed", "lost", "lost and the same again"]),
        st.sampled_from([0.0, 1.0, 13.0, 24.0, 30.0]),  # hours since the step before
    ),
    max_size=22,
)


@tried(max_examples=120, deadline=None, database=None)
@given(steps, st.integers(1, 3), st.integers(1, 4))
def test_over_syncs_and_retries_nobody_is_written_to_more_often_than_the_cap_says(story, most, days):
    """Nor less often: a message is refused only while the cap is full, and may go at the moment that was told."""
    cap, now = Cap(most=most, days=days), NOW
    plain, entries = Plain(cap), list[Contacted]()
    pending: dict[str, tuple[str, str]] = {}  # by sync: the message whose fate is unknown, and its key
    for number, (sync, fate, hours) in enumerate(story):
        now += timedelta(hours=hours)
        calls = [Contacted(moment, f"call-{n}") for n, moment in enumerate(plain.by_people)]
        if sync == "c":
            plain.by_people.append(now)
            continue
        message, key = pending.pop(sync, (f"m{number}", ""))
        is_same_again = bool(key) and fate == "lost and the same again"
        key = key if is_same_again else f"run-{number}"
        has_place = message in plain.messages and plain.messages[message] > now - timedelta(days=days)
        entries, reason = reserve(entries, Contacted(now, key, sync), calls, cap)
        assert (reason is None) is (has_place or plain.counted(now) < most)
        if reason is not None:
            assert reason.until is not None
            others = [e for e in entries if e.key != key and (e.sync != sync or e.settled)]
            assert reason_of_cap(others, calls, reason.until, cap) is None
            assert reason_of_cap(others, calls, reason.until - timedelta(seconds=1), cap) is not None
            continue
        plain.messages[message] = now
        assert plain.counted(now) - len(plain.by_people) <= most
        if fate == "sent":
            entries = caps.settle(entries, key)
        elif fate == "failed":
            entries = caps.withdraw(entries, key)
            plain.messages.pop(message)
        else:
            pending[sync] = (message, key)
