"""The greatest values of each row of a sparse matrix, in an order that does not depend on how they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Container

    from scipy.sparse import csr_matrix

    from lakehouse.scores.bg_nbd import Floats

    Positions = npt.NDArray[np.int64]

_LONG: Final = 4  # times as many values as are wanted, from which a row is cut before it is sorted


def row_of(matrix: csr_matrix) -> Positions:
    """Return the row of each stored value."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def ordered(matrix: csr_matrix, most: int) -> tuple[Positions, Positions]:
    """Return the positions of the `most` greatest values of each row, row by row (ties by column), and their places."""
    rows = row_of(matrix)
    kept = np.flatnonzero(_may_be_among(matrix, most))
    order = kept[np.lexsort((matrix.indices[kept], -matrix.data[kept], rows[kept]))]
    counts = np.bincount(rows[kept], minlength=matrix.shape[0])
    place = np.arange(len(order)) - (np.cumsum(counts) - counts)[rows[order]]
    first = place < most
    return order[first], place[first]


def _may_be_among(matrix: csr_matrix, most: int) -> npt.NDArray[np.bool_]:
    """Return which values are not below the `most`-th of their row; of short rows all: sorting those costs less."""
    kept = np.ones(len(matrix.data), dtype=bool)
    for row in np.flatnonzero(np.diff(matrix.indptr) > _LONG * most):
        extent = slice(matrix.indptr[row], matrix.indptr[row + 1])
        values = matrix.data[extent]
        kept[extent] = values >= np.partition(values, -most)[-most]
    return kept


def top_of_rows(matrix: csr_matrix, most: int) -> csr_matrix:
    """Return a matrix with the `most` greatest values of each row alone."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - not at start-up

    kept, _ = ordered(matrix, most)
    rows = row_of(matrix)
    return csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def normalised_rows(matrix: csr_matrix) -> csr_matrix:
    """Return a matrix whose rows add up to 1, or are empty."""
    from scipy.sparse import diags  # noqa: PLC0415 - not at start-up

    total = np.asarray(matrix.sum(axis=1)).ravel()
    return (diags(1 / np.where(total > 0, total, 1.0)) @ matrix).tocsr()


@dataclass(frozen=True)
class Ranked:
    """For each row the columns with the greatest values, best first; -1 where there are no more."""

    columns: Positions
    scores: Floats

    @classmethod
    def of(cls, matrix: csr_matrix, most: int, fill: Positions, but_not: csr_matrix | None = None) -> Ranked:
        """Rank the stored values of each row, and fill what is left with the columns of `fill`, whose score is 0.

        Never one twice, and of the filling none that the row of `but_not` has.
        """
        kept, place = ordered(matrix, most)
        rows, listed = row_of(matrix), fill.tolist()
        columns = np.full((matrix.shape[0], most), -1, dtype=np.int64)
        scores = np.zeros((matrix.shape[0], most))
        columns[rows[kept], place] = matrix.indices[kept]
        scores[rows[kept], place] = matrix.data[kept]
        for row in np.flatnonzero(columns[:, -1] < 0):
            excluded = set(columns[row].tolist())
            if but_not is not None:
                excluded.update(but_not.indices[but_not.indptr[row] : but_not.indptr[row + 1]].tolist())
            _fill(columns[row], listed, excluded)
        return cls(columns, scores)

    def hits(self, rows: Positions, truth: Container[tuple[int, int]]) -> npt.NDArray[np.bool_]:
        """Return which of the ranked columns are true of the rows that these were ranked for."""
        return np.array(
            [
                [(row, column) in truth for column in columns]
                for row, columns in zip(rows.tolist(), self.columns.tolist(), strict=True)
            ]
        ).reshape(self.columns.shape)


def _fill(columns: Positions, fill: list[int], excluded: Container[int]) -> None:
    """Put columns of `fill` into the empty places of one row."""
    empty = np.flatnonzero(columns < 0)
    candidates = (column for column in fill if column not in excluded)
    for place, column in zip(empty, candidates, strict=False):
        columns[place] = column
