"""A lost race is planned anew, and what a service refuses is sent again, as often as the policy says."""

from __future__ import annotations

import pytest

from lakehouse import retrying
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.retrying import RetryPolicy, resend_rejected, retry_on_conflict


def failing(times, error=CommitConflict):
    """Return work that fails so often, and the list of its tries."""
    tries = []

    def work():
        tries.append(len(tries))
        if len(tries) <= times:
            raise error(f"try {len(tries)}")
        return "done"

    return work, tries


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_lost_race_is_tried_again(times) -> None:
    """The first success is the answer; each lost race is told with its number."""
    work, tries = failing(times)
    lost = []
    assert retry_on_conflict(work, RetryPolicy(4), on_conflict=lambda n, _: lost.append(n)) == "done"
    assert len(tries) == times + 1
    assert lost == list(range(1, times + 1))


def test_the_last_conflict_is_raised() -> None:
    """After `attempts` tries nobody tries again, and every lost race was told."""
    work, tries = failing(9)
    lost = []
    with pytest.raises(CommitConflict, match="try 3"):
        retry_on_conflict(work, RetryPolicy(3), on_conflict=lambda n, _: lost.append(n))
    assert (len(tries), lost) == (3, [1, 2, 3])


def test_other_errors_are_raised_at_once() -> None:
    """What trying again does not change is not tried again."""
    work, tries = failing(1, Terminal)
    with pytest.raises(Terminal):
        retry_on_conflict(work, RetryPolicy(3))
    assert len(tries) == 1


def test_waits_double_up_to_the_longest(monkeypatch) -> None:
    """Waits are between half and all of 1, 2, 4, 4 … times the first; nobody waits after the last try."""
    slept = []
    monkeypatch.setattr(retrying.time, "sleep", slept.append)
    work, _ = failing(9)
    with pytest.raises(CommitConflict):
        retry_on_conflict(work, RetryPolicy(5, first_wait_seconds=0.1, longest_wait_seconds=0.4))
    assert len(slept) == 4
    assert all(
        longest / 2 <= wait <= longest for wait, longest in zip(slept, [0.1, 0.2, 0.4, 0.4], strict=True)
    )


def test_rejected_items_are_sent_again() -> None:
    """Only what was not taken is sent again; what nobody takes is returned."""
    sent = []

    def send(items):
        sent.append(list(items))
        return [item for item in items if item > len(sent)]

    assert list(resend_rejected(send, [1, 2, 3], RetryPolicy(5))) == []
    assert sent == [[1, 2, 3], [2, 3], [3]]
    assert list(resend_rejected(lambda items: items, [7], RetryPolicy(2))) == [7]
