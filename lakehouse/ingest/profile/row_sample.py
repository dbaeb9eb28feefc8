"""A sample of a file's rows, taken piece by piece: one row of every 1, 2, 4, … of each piece.

It depends on the file's bytes alone, not on which piece is counted first, and stays within a number of rows and bytes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.sketch import Hashes

_COARSEST_STEP: Final = 1 << 40  # no piece has as many rows: what remains is the first of each


class RowSample:
    """The sampled rows: their numbers in their pieces, and by column their values, in the order of the numbers."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._row_numbers: dict[int, Hashes] = {}  # by piece
        self._values: dict[str, dict[int, pa.Array]] = {}  # by column, then by piece
        self.step = 1  # of so many rows of a piece one is in the sample, the first among them

    @property
    def rows(self) -> int:
        """Return how many rows are in the sample."""
        return sum(map(len, self._row_numbers.values()))

    def add(self, piece_number: int, row_numbers: Hashes, values: dict[str, pa.Array]) -> None:
        """Add rows of a piece, numbered from 1 within it, sampled by this step or a smaller one."""
        self._row_numbers[piece_number] = row_numbers
        for column_key, array in values.items():
            self._values.setdefault(column_key, {})[piece_number] = array
        self._thin()

    def value_counts(self, column_key: str) -> dict[str, int]:
        """Return how often each value of a column occurs in the sample."""
        arrays = self._values.get(column_key)
        if not arrays:
            return {}
        counts = pc.value_counts(pa.chunked_array(list(arrays.values()), pa.string()).drop_null())
        return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))

    def _thin(self) -> None:
        """Drop every other row until few enough remain.

        The rest is what would be there had all pieces been sampled by this step: it only grows, and for what came
        first never beyond what all need.
        """
        self._drop_between_steps()
        while self._is_too_large() and self.step < _COARSEST_STEP:
            self.step *= 2
            self._drop_between_steps()

    def _is_too_large(self) -> bool:
        return self.rows > self._max_rows or self._bytes() > ProfilePolicy.sample_bytes

    def _bytes(self) -> int:
        return sum(array.nbytes for arrays in self._values.values() for array in arrays.values())

    def _drop_between_steps(self) -> None:
        step = np.uint64(self.step)
        for piece_number, row_numbers in self._row_numbers.items():
            stays = (row_numbers - np.uint64(1)) % step == 0
            if stays.all():
                continue
            self._row_numbers[piece_number] = row_numbers[stays]
            mask = pa.array(stays)
            for arrays in self._values.values():
                if piece_number in arrays:
                    arrays[piece_number] = arrays[piece_number].filter(mask)
