"""A hundred seeds: whatever is drawn of faults and schedules, the invariants 1 to 4 of the design hold at the end."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("seed", range(100))
def test_nothing_is_lost_and_nothing_twice(simulation, seed):
    """Once faults stop, each file is in once, each message once a week, and what is bad is set aside and counted."""
    played = simulation.play(seed=seed)
    assert played["wrong"] == [], f"see it again: python -m tests.simulation --seed {seed} -v"


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_a_seed_replays_the_same_schedule(simulation, seed):
    """Every step of every process, and every fault, comes at the same place again."""
    first, second = (simulation.play(seed=seed, trace=True) for _ in range(2))
    assert first["trace"] == second["trace"]
    assert len(first["trace"]) > 100
