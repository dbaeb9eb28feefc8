"""The greatest of each row, the same ones in whatever order they come."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from lakehouse.scores import ranking
from lakehouse.scores.ranking import Ranked

DENSE = np.array([[3.0, 1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 5.0, 0.0, 0.0, 0.0]])
FILL = np.array([4, 3, 2, 1, 0])


def test_the_greatest_come_first_and_ties_by_column():
    """Rows that have fewer are filled up, without a column twice; filled ones score 0."""
    ranked = Ranked.of(csr_matrix(DENSE), 3, FILL)
    assert ranked.columns.tolist() == [[0, 3, 4], [4, 3, 2], [1, 4, 3]]
    assert ranked.scores.tolist() == [[3, 3, 2], [0, 0, 0], [5, 0, 0]]


def test_what_is_excluded_does_not_fill():
    """And where nothing is left, places stay empty."""
    excluded = csr_matrix(np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 0], [0, 0, 0, 1, 1]], dtype=float))
    ranked = Ranked.of(csr_matrix(DENSE), 3, FILL, excluded)
    assert ranked.columns.tolist() == [[0, 3, 4], [4, -1, -1], [1, 2, 0]]


@pytest.mark.parametrize("most", [1, 3, 7])
def test_long_rows_are_cut_as_sorting_would(most):
    """Cutting before sorting saves time and changes nothing, ties included."""
    rng = np.random.default_rng(0)
    dense = rng.integers(0, 5, (20, 200)).astype(float)
    kept = ranking.top_of_rows(csr_matrix(dense), most).toarray()
    for row, found in zip(dense, kept, strict=True):
        best = np.lexsort((np.arange(200), -row))[:most]
        assert np.flatnonzero(found).tolist() == sorted(best.tolist())


def test_normalised_rows_add_up_to_one():
    """Empty ones stay empty."""
    assert ranking.normalised_rows(csr_matrix(DENSE)).sum(axis=1).ravel().tolist()[0] == pytest.approx(
        [1, 0, 1]
    )


def test_hits():
    """Which of the ranked columns are true; an empty place never is."""
    ranked = Ranked(np.array([[4, 2], [1, -1]]), np.zeros((2, 2)))
    assert ranked.hits(np.array([7, 9]), {(7, 2), (9, 1), (4, 4)}).tolist() == [[False, True], [True, False]]
