"""Ids are the same only if their keys are, and tell nothing of them."""

from __future__ import annotations

import numpy as np

from lakehouse.sample.company.id_series import IdSeries


def test_ids_have_letters_and_a_number_of_fixed_width() -> None:
    """All keys up to the width have ids of their own."""
    ids = IdSeries("X", 7, 3).ids(np.arange(1_000)).to_pylist()
    assert len(set(ids)) == 1_000
    assert all(len(text) == 4 and text.startswith("X") and text[1:].isdigit() for text in ids)


def test_neighbours_are_not_neighbours() -> None:
    """The order of ids is not that of keys."""
    numbers = IdSeries("", 387_420_489, 9).numbers(np.arange(100))
    assert sorted(numbers) != list(numbers)
