"""How many distinct values a column has, from 64-bit hashes of them, piece by piece and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from lakehouse.ingest.profile.policy import SketchPolicy

Hashes = npt.NDArray[np.uint64]
HIGHEST_HASH: Final = (1 << 64) - 1  # hashes have 64 bits
_PREFIX_BITS: Final = 4  # hashes on disk are split by as many of their first bits; names of files say which
_PREFIXES: Final = 1 << _PREFIX_BITS


class DistinctCount:
    """Keeps the smallest hashes (k minimum values): exact up to 4,096, within about 2 % beyond (one deviation)."""

    def __init__(self) -> None:
        self._capacity = SketchPolicy.kept_hashes
        self._smallest: Hashes = np.empty(0, np.uint64)  # in order, each once

    @property
    def highest_wanted(self) -> int:
        """Return the hash above which none changes the count any more."""
        return int(self._smallest[-1]) if self._is_full else HIGHEST_HASH

    @property
    def is_exact(self) -> bool:
        """Tell whether all hashes that came are kept."""
        return not self._is_full

    @property
    def _is_full(self) -> bool:
        return len(self._smallest) == self._capacity

    def add(self, hashes: Hashes) -> None:
        """Add the hashes of a piece; those above `highest_wanted` may be missing."""
        candidates = hashes[hashes <= np.uint64(self.highest_wanted)]
        if len(self._smallest):  # of columns with few values, next to none is new
            indexes = np.minimum(np.searchsorted(self._smallest, candidates), len(self._smallest) - 1)
            candidates = candidates[self._smallest[indexes] != candidates]
        if len(candidates):
            merged = np.unique(np.concatenate([self._smallest, np.unique(candidates)]))
            self._smallest = merged[: self._capacity]

    @property
    def estimate(self) -> int:
        """Return how many distinct values there are, about."""
        if not self._is_full:
            return len(self._smallest)
        return round((self._capacity - 1) * HIGHEST_HASH / int(self._smallest[-1]))


class UniqueCheck:
    """Finds out whether all values of a column differ. Hashes before those of the newest piece wait on disk.

    A column is never called unique that is not. Two values that share a hash make it miss one that is: of ten million
    values that happens once in 400,000 columns.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._newest: Hashes | None = None
        self._has_spilled = False
        self.is_possible = True

    def add(self, hashes: Hashes) -> None:
        """Add the hashes of all rows of a piece."""
        if not self.is_possible:
            return
        in_order = np.sort(hashes)
        if _has_repeats(in_order):
            self.refute()
            return
        if self._newest is not None:
            self._spill(self._newest)
        self._newest = in_order

    def refute(self) -> None:
        """Note that the column is not unique, and forget its hashes."""
        self.is_possible, self._newest = False, None
        self._delete_files()

    def is_unique(self) -> bool:
        """Return whether all values differ; to be asked once, at the end."""
        if not self.is_possible:
            return False
        if self._has_spilled and self._newest is not None:
            self._spill(self._newest)
            self.is_possible = not any(_has_repeats_on_disk(path) for path in self._paths() if path.exists())
        self._delete_files()
        return self.is_possible

    def _spill(self, in_order: Hashes) -> None:
        """Append hashes to files by their first bits, so that each file can be sorted alone."""
        self._has_spilled = True
        prefixes = in_order >> np.uint64(64 - _PREFIX_BITS)
        bounds = np.searchsorted(prefixes, np.arange(_PREFIXES + 1, dtype=np.uint64))
        for path, start, end in zip(self._paths(), bounds[:-1], bounds[1:], strict=True):
            with path.open("ab") as file:
                in_order[start:end].tofile(file)

    def _delete_files(self) -> None:
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _paths(self) -> Iterator[Path]:
        return (self._folder / f"{self._name}.{prefix:02}.hashes" for prefix in range(_PREFIXES))


def _has_repeats(in_order: Hashes) -> bool:
    return bool((in_order[1:] == in_order[:-1]).any())


def _has_repeats_on_disk(path: Path) -> bool:
    return _has_repeats(np.sort(np.fromfile(path, np.uint64)))
