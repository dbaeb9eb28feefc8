"""Chunks that one call delivers at once: never more than a destination's rate can use."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakehouse.outbound import turns
from lakehouse.outbound.destinations.definition import Rate


@pytest.mark.parametrize(
    ("rate", "at_once"),
    [
        (None, 1),
        (Rate(requests=20, seconds=60), 1),
        (Rate(requests=190, seconds=10), 4),
        (Rate(requests=90, seconds=1), 5),
    ],
)
def test_so_many_are_at_it_as_the_rate_can_use(rate, at_once):
    """And all of them are: each waits here until the others are there, too."""
    together = threading.Barrier(at_once)
    most, now, lock = [0], [0], threading.Lock()

    def deliver(_):
        with turns.turn(f"at once {rate}", rate):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            together.wait(timeout=20)
            with lock:
                now[0] -= 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(deliver, range(at_once * 3)))
    assert most == [at_once]


def test_who_waited_knows_for_how_long():
    """A claim counts from when it is made, not from when its message came."""
    began, ended = threading.Event(), threading.Event()

    def hold():
        with turns.turn("slow", None) as waited:
            began.set()
            assert not waited
            ended.wait(timeout=20)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        began.wait(timeout=20)
        threading.Timer(0.2, ended.set).start()
        with turns.turn("slow", None) as waited:
            assert waited.total_seconds() > 0
        held.result()


def test_a_turn_is_given_back_after_an_error():
    """Else a destination would stand still for as long as the process lives."""
    for _ in range(3):
        with pytest.raises(ValueError, match="no"), turns.turn("failing", None):
            raise ValueError("no")


def test_each_message_has_its_own_end():
    """What one raised is not raised for another, and all are done at the end."""
    done = []

    def deliver(body):
        if body == "bad":
            raise ValueError(body)
        done.append(body)

    with turns.begun(deliver, {"1": "a", "2": "bad", "3": "c"}) as wait_for:
        wait_for("1")
        with pytest.raises(ValueError, match="bad"):
            wait_for("2")
    assert sorted(done) == ["a", "c"]
