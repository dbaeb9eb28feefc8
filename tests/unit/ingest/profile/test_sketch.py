"""Distinct values are counted, and keys recognised, in memory that does not grow with the file."""

from __future__ import annotations

import numpy as np

from lakehouse.ingest.profile.policy import SketchPolicy
from lakehouse.ingest.profile.sketch import HIGHEST_HASH, DistinctCount, UniqueCheck


def test_a_sketch_is_exact_and_then_close():
    """Up to 4,096 values to the last one, then within a few per cent; the same hashes again change nothing."""
    hashes = np.random.default_rng(5).integers(0, 1 << 63, 300_000, np.uint64) * np.uint64(2)
    few, many = DistinctCount(), DistinctCount()
    for _ in range(2):
        few.add(hashes[: SketchPolicy.kept_hashes - 1])
        for part in np.array_split(hashes, 7):
            many.add(part)
    assert few.estimate == SketchPolicy.kept_hashes - 1
    assert abs(many.estimate / 300_000 - 1) < 0.06


def test_unique_forgets_what_it_need_not_know(tmp_path):
    """Nothing remains on disk, neither of a key nor of a column that is none."""
    key, other = UniqueCheck(tmp_path, "key"), UniqueCheck(tmp_path, "other")
    for part in range(3):
        key.add(np.arange(part * 9, part * 9 + 9, dtype=np.uint64) << np.uint64(58))
        other.add(np.arange(9, dtype=np.uint64) + np.uint64(part))
    assert list(tmp_path.iterdir()) != []
    other.refute()
    other.add(np.arange(3, dtype=np.uint64))
    assert not other.is_unique()
    assert key.is_unique()
    assert list(tmp_path.iterdir()) == []


def test_hashes_beyond_the_highest_wanted_change_nothing(monkeypatch):
    """They may be left out before they are added."""
    monkeypatch.setattr(SketchPolicy, "kept_hashes", 3)
    count = DistinctCount()
    count.add(np.array([5, 9], np.uint64))
    assert (count.is_exact, count.highest_wanted, count.estimate) == (True, HIGHEST_HASH, 2)
    count.add(np.array([7, 30, 5], np.uint64))
    assert (count.is_exact, count.highest_wanted) == (False, 9)
    before = count.estimate
    count.add(np.array([10, 1_000], np.uint64))
    assert count.estimate == before


def test_a_value_that_repeats_within_a_piece_is_noticed_at_once(tmp_path):
    """Later pieces need not be kept then."""
    unique = UniqueCheck(tmp_path, "n")
    unique.add(np.array([1, 2, 1], np.uint64))
    assert not unique.is_possible
    assert not unique.is_unique()
    assert list(tmp_path.iterdir()) == []
