"""A sample stays within its limits, and is the same in whatever steps it was thinned."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.row_sample import RowSample


def add_piece(sample, number, rows, step=1):
    """Add a piece of so many rows, sampled by a step; each value says the row's number."""
    numbers = np.arange(1, rows + 1, step, dtype=np.uint64)
    sample.add(number, numbers, {"v": pa.array([str(row) for row in numbers])})


def test_few_rows_are_all_in_it():
    """Each value with how often it occurs."""
    sample = RowSample(10)
    add_piece(sample, 1, 3)
    add_piece(sample, 2, 2)
    assert (sample.rows, sample.step) == (5, 1)
    assert sample.value_counts("v") == {"1": 2, "2": 2, "3": 1}
    assert sample.value_counts("w") == {}


def test_of_many_rows_every_second_fourth_and_so_on_stays():
    """The first of each piece among them."""
    sample = RowSample(4)
    add_piece(sample, 1, 10)
    assert (sample.rows, sample.step) == (3, 4)
    assert sample.value_counts("v") == {"1": 1, "5": 1, "9": 1}


def test_it_does_not_depend_on_the_step_that_a_piece_was_read_by():
    """A piece that was read by an earlier step is thinned to the present one."""
    late, soon = RowSample(4), RowSample(4)
    for sample, step in ((late, 1), (soon, 4)):
        add_piece(sample, 1, 10)
        add_piece(sample, 2, 5, step)
    assert late.value_counts("v") == soon.value_counts("v")
    assert late.rows == soon.rows <= 4


def test_it_stays_within_a_number_of_bytes(monkeypatch):
    """Nulls are no values."""
    monkeypatch.setattr(ProfilePolicy, "sample_bytes", 200)
    sample = RowSample(1_000)
    values = pa.array(["x" * 100, None] * 8)
    sample.add(1, np.arange(1, 17, dtype=np.uint64), {"v": values})
    assert sample.rows < 16
    assert set(sample.value_counts("v")) == {"x" * 100}
