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


def stream(seed: int, part: str, number: int = 0) -> np.random.Generator:
    """Return randomness for one part of one chunk alone, so that no part shifts another.

    PCG64 over a `SeedSequence` with the part and the chunk as its spawn key, as numpy's guide to parallel
    generation has it.
    """
    key = (zlib.crc32(part.encode()), number)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def scramble(values: Ints, multiplier: int, modulus: int) -> Ints:
    """Return each value's place in a fixed permutation of 0..modulus-1: ids that tell nothing, yet never meet.

    The multiplier must have no factor in common with the modulus, and their product must fit 63 bits.
    """
    return (values * multiplier + modulus // 7 * 3 + 1_093) % modulus


def happens(rng: np.random.Generator, chance: float, rows: int) -> Flags:
    """Tell for each row whether something of this chance happens."""
    found: Flags = rng.random(rows) < chance
    return found


def choose(draws: Floats, weights: Sequence[float] | Floats) -> Ints:
    """Return for each draw in [0, 1) a choice 0..len(weights)-1, in proportion to the weights."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(bounds[:-1] / bounds[-1], draws, side="right").astype(np.int64)


def integers_below(draws: Floats, limits: Ints | int) -> Ints:
    """Return draws in [0, 1) as whole numbers 0..limit-1."""
    return np.floor(draws * limits).astype(np.int64)


def position_in_group(groups: Ints) -> Ints:
    """Return each row's number (0, 1, …) among the rows of its group; equal groups must stand together."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups), dtype=np.int64) - np.repeat(starts, lengths)


def column_array(table: Any, name: str) -> Any:
    """Return a column of an Arrow table as a numpy array; moments as whole seconds."""
    column = table.column(name)
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    values = array.to_numpy(zero_copy_only=False)
    return values.astype(np.int64) if values.dtype.kind == "M" else values
