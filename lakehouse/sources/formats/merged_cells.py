"""Merged cells of a sheet: the value that a person sees beside several rows stands in the XML of the first alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Self

from lakehouse.errors import BadFile

_MARK = b"mergeCell"
_RANGE = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
_LONGEST = 512  # bytes of the element
_RANGES = 200_000
_FILLED = 20_000_000


class Merged:
    """The cells that stand for those below them, to be asked row by row, downwards.

    Only what is merged over several rows counts, and of it the first column: beside it nothing is meant by a value.
    """

    def __init__(self) -> None:
        self._starting: dict[int, list[tuple[int, int]]] = {}
        self._held: dict[int, tuple[int, bytes]] = {}
        self._filled = 0

    @classmethod
    def of(cls, chunks: Iterator[bytes], place: Callable[[str], int]) -> Self:
        """Find the merged cells in the XML of a sheet, where they stand behind the rows; `place` knows columns.

        Raises BadFile (too_large) where there are more than anybody merges.
        """
        merged, rest, count = cls(), b"", 0
        for chunk in chunks:
            text = rest + chunk
            rest = text[-_LONGEST:]
            if _MARK not in text:
                continue
            end = 0
            for found in _RANGE.finditer(text):
                end = found.end()
                count += 1
                merged._add(place(found[1].decode()), int(found[2]), int(found[4]))
            rest = text[max(end, len(text) - _LONGEST) :]
            if count > _RANGES:
                raise BadFile(
                    "too_large", f"the sheet has more than {_RANGES:,} merged cells; save it as CSV"
                )
        return merged

    def _add(self, place: int, first: int, last: int) -> None:
        if last > first:
            self._starting.setdefault(first, []).append((place, last))

    def __bool__(self) -> bool:
        """Tell whether a row may have to be filled."""
        return bool(self._starting or self._held)

    def fill(self, number: int, row: dict[int, bytes]) -> None:
        """Add to the row of this number, counted from 1, the values of the merged cells that reach into it."""
        for place, (last, value) in list(self._held.items()):
            if number > last:
                del self._held[place]
            elif place not in row:
                row[place] = value
                self._filled += 1
        if self._filled > _FILLED:
            raise BadFile("too_large", f"merged cells stand for more than {_FILLED:,} values; save it as CSV")
        for place, last in self._starting.pop(number, ()):
            if place in row:
                self._held[place] = (last, row[place])
