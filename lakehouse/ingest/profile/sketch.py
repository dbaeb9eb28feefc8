"""How many distinct values a column has, from 64-bit hashes of them, piece by piece and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
KEPT = 4096
ALL = (1 << 64) - 1
_PARTS = 16
_SHIFT = np.uint64(60)


class Distinct:
    """Keeps the smallest hashes (k minimum values): exact up to 4,096, within about 2 % beyond (one deviation)."""

    def __init__(self) -> None:
        self._least: Hashes = np.empty(0, np.uint64)

    @property
    def highest(self) -> int:
        """Return the hash above which none is wanted any more."""
        return int(self._least[-1]) if len(self._least) == KEPT else ALL

    def add(self, hashes: Hashes) -> None:
        """Add the hashes of a piece; those above `highest` may be missing."""
        wanted = hashes[hashes <= np.uint64(self.highest)]
        if len(self._least):  # of columns with few values, next to none is new
            places = np.minimum(np.searchsorted(self._least, wanted), len(self._least) - 1)
            wanted = wanted[self._least[places] != wanted]
        if len(wanted):
            self._least = np.unique(np.concatenate([self._least, np.unique(wanted)]))[:KEPT]

    @property
    def estimate(self) -> int:
        """Return how many distinct values there are, about."""
        if len(self._least) < KEPT:
            return len(self._least)
        return round((KEPT - 1) * ALL / int(self._least[-1]))


class Unique:
    """Tells whether all values of a column differ. What came before the newest piece waits on disk.

    A column is never called unique that is not. Two values that share a hash make it miss one that is: of ten million
    values that happens once in 400,000 columns.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._held: Hashes | None = None
        self._spilled = False
        self.possible = True

    def add(self, hashes: Hashes) -> None:
        """Add the hashes of all rows of a piece."""
        if not self.possible:
            return
        ranked = np.sort(hashes)
        if (ranked[1:] == ranked[:-1]).any():
            self.refute()
            return
        if self._held is not None:
            self._spill(self._held)
        self._held = ranked

    def refute(self) -> None:
        """Note that the column is no key, and forget its hashes."""
        self.possible, self._held = False, None
        for path in self._paths():
            path.unlink(missing_ok=True)

    def holds(self) -> bool:
        """Return whether all values differ; to be asked once, at the end."""
        if not self.possible:
            return False
        if self._spilled and self._held is not None:
            self._spill(self._held)
            self.possible = not any(self._repeats(path) for path in self._paths() if path.exists())
        held = self.possible
        for path in self._paths():
            path.unlink(missing_ok=True)
        return held

    def _spill(self, ranked: Hashes) -> None:
        """Append hashes to files by their first four bits, so that each can be sorted alone."""
        self._spilled = True
        ends = np.searchsorted(ranked >> _SHIFT, np.arange(_PARTS + 1, dtype=np.uint64))
        for path, start, end in zip(self._paths(), ends[:-1], ends[1:], strict=True):
            with path.open("ab") as file:
                ranked[start:end].tofile(file)

    def _paths(self) -> Iterator[Path]:
        return (self._folder / f"{self._name}.{part:02}.hashes" for part in range(_PARTS))

    @staticmethod
    def _repeats(path: Path) -> bool:
        ranked = np.sort(np.fromfile(path, np.uint64))
        return bool((ranked[1:] == ranked[:-1]).any())
