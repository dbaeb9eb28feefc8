"""Series of ids: every record has its own, and none says who its person is or when it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import scramble

if TYPE_CHECKING:
    import pyarrow as pa

    from lakehouse.sample.company.random_arrays import Ints


@dataclass(frozen=True)
class IdSeries:
    """The ids of one kind of record: letters, then a number of fixed width.

    Numbers are a permutation of the keys that are given, so two ids are the same only if their keys are. The
    `multiplier` has no factor in common with 10, keys are below ten to the power of `width`, and the product of both
    fits 63 bits.
    """

    letters: str
    multiplier: int
    width: int

    def ids(self, keys: Ints) -> pa.Array:
        """Return the id of each key, as text."""
        return text.joined(self.letters, text.digits(self.numbers(keys), self.width))

    def numbers(self, keys: Ints) -> Ints:
        """Return the number of each key, from 0."""
        return scramble(keys, self.multiplier, 10**self.width)
