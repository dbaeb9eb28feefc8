"""Seeded randomness and the small array operations that the whole company is made of."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def random_stream(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """Return randomness for one purpose in one chunk (or team) alone, so that no purpose shifts another.

    PCG64 over a `SeedSequence` with the purpose and the number as its spawn key, as numpy's guide to parallel
    generation has it.
    """
    key = (zlib.crc32(purpose.encode()), number)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def scramble(values: Ints, multiplier: int, modulus: int) -> Ints:
    """Return each value's position in a fixed permutation of 0..modulus-1, so that it says nothing of its order.

    The multiplier must have no factor in common with the modulus, and their product must fit 63 bits.
    """
    return (values * multiplier + modulus // 7 * 3 + 1_093) % modulus


def happens(rng: np.random.Generator, chance: float, rows: int) -> Flags:
    """Return for each row whether something of this chance happens."""
    flags: Flags = rng.random(rows) < chance
    return flags


def choose(draws: Floats, weights: Sequence[float] | Floats) -> Ints:
    """Return for each draw in [0, 1) a choice 0..len(weights)-1, in proportion to the weights."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(bounds[:-1] / bounds[-1], draws, side="right").astype(np.int64)


def integers_below(draws: Floats, limits: Ints | int) -> Ints:
    """Return draws in [0, 1) as whole numbers 0..limit-1; `limits` is one for all draws, or one for each."""
    return np.floor(draws * limits).astype(np.int64)


def position_in_group(groups: Ints) -> Ints:
    """Return each row's position (0, 1, …) among the rows of its group; equal groups must be neighbours."""
    starts = group_starts(groups)
    lengths = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups), dtype=np.int64) - np.repeat(starts, lengths)


def group_starts(groups: Ints) -> Ints:
    """Return the rows at which another group begins than that of the row before."""
    if not len(groups):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])


def column_array(table: Any, name: str) -> Any:
    """Return a column of an Arrow table as a numpy array; timestamps as whole seconds."""
    column = table.column(name)
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    values = array.to_numpy(zero_copy_only=False)
    return values.astype(np.int64) if values.dtype.kind == "M" else values
