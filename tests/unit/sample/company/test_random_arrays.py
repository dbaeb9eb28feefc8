"""Seeded draws and small array operations."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.sample.company.random_arrays import choose, position_in_group, random_stream, scramble


@pytest.mark.parametrize("multiplier", [387_420_489, 179_424_673, 122_949_823, 86_028_121, 15_485_863])
def test_scrambled_ids_never_meet(multiplier: int) -> None:
    """A permutation: all of 0..9999 come once, and in no order of their own."""
    scrambled = scramble(np.arange(10_000), multiplier, 10_000)
    assert sorted(scrambled) == list(range(10_000))
    assert len(set(scramble(np.arange(100_000), multiplier, 10**9))) == 100_000


def test_streams_of_parts_and_chunks_are_apart() -> None:
    """The same part of the same chunk draws the same; any other draws something else."""
    draws = {
        (seed, part, n): random_stream(seed, part, n).random()
        for seed in (1, 2)
        for part in "ab"
        for n in (0, 1)
    }
    assert len(set(draws.values())) == 8
    assert random_stream(1, "a").random() == draws[1, "a", 0]


def test_choices_follow_their_weights() -> None:
    """A draw falls into the part of [0, 1) that belongs to its choice."""
    assert choose(np.array([0.0, 0.19, 0.2, 0.69, 0.7, 0.999]), (2, 5, 3)).tolist() == [0, 0, 1, 1, 2, 2]


def test_rows_are_counted_within_their_group() -> None:
    """Counting starts anew with each group, also where there are none."""
    assert position_in_group(np.array([3, 3, 5, 5, 5, 9])).tolist() == [0, 1, 0, 1, 2, 0]
    assert position_in_group(np.array([], np.int64)).tolist() == []
