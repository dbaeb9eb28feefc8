"""Sixty seeds: whatever is drawn of faults and schedules, the invariants 1 to 4 of the design hold at the end."""

from __future__ import annotations

from typing import Any

import pytest

_TRACED = 40  # seeds of which every step is kept
_played: dict[int, dict[str, Any]] = {}


def play(simulation: Any, seed: int) -> dict[str, Any]:
    """Play a seed, or return how it went when it was played before: it takes a second."""
    if seed not in _played:
        _played[seed] = simulation.play(seed=seed, trace=seed < _TRACED)
    return _played[seed]


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_lost_and_nothing_twice(simulation, seed):
    """Once faults stop, each file is in once, each message once a week, and what is bad is set aside and counted."""
    played = play(simulation, seed)
    assert played["wrong"] == [], f"see it again: python -m tests.simulation --seed {seed} -v"


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_a_seed_replays_the_same_schedule(simulation, seed):
    """Every step of every process, and every fault, comes at the same place again."""
    first, second = play(simulation, seed), simulation.play(seed=seed, trace=True)
    assert first["trace"] == second["trace"]
    assert len(first["trace"]) > 100


@pytest.mark.parametrize(
    "case",
    [
        " drowsy",  # a process sleeps before its commit and wakes up late
        " asleep",  # or after it, and its answer is lost; its snapshot may have expired by then
        " refused",  # or is a refusal
        "a night has passed",  # in which all that is not new expired
        "a nap is over",
        "others hear of a part of the batch",  # another writer commits a strict part of ours
        "a path comes twice in a batch",
        "core.order_copies came late",  # a model, of which two runs work at once, and one wakes up later
        "core.order_copies rolled back",  # so that its watermark goes back
        "clock is set",
    ],
)
def test_the_cases_that_others_met_come_up(simulation, case):
    """Which seeds draw a case changes with any step more or less; each comes up in one of the first forty."""
    traces = (play(simulation, seed)["trace"] for seed in range(_TRACED))
    assert any(case in step for trace in traces for step in trace)
