"""Merged cells of a sheet: the value that a person sees beside several rows stands in the XML of the first alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from lakehouse.errors import BadFile
from lakehouse.sources.formats.policy import WorkbookPolicy

_ELEMENT_NAME = b"mergeCell"
_RANGE = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
_MAX_ELEMENT_BYTES: Final = 512  # its name and one short reference (ECMA-376 part 1, 18.3.1.54)


@dataclass(frozen=True)
class _Range:
    """A column of cells that are merged, down to a row counted from 1."""

    column_index: int
    last_row: int


class Merged:
    """The cells whose values belong to the rows below them too; `fill` is called row by row, downwards.

    Only cells merged over several rows count, and of those the first column: a merged title means one column.
    """

    def __init__(self) -> None:
        self._ranges_by_first_row: dict[int, list[_Range]] = {}
        self._values_in_reach: dict[int, tuple[int, bytes]] = {}  # by column: last row, value
        self._filled_values = 0

    @classmethod
    def read(cls, chunks: Iterator[bytes], index_of: Callable[[str], int]) -> Self:
        """Find the merged cells in the XML of a sheet, where they stand behind the rows.

        `index_of` returns the index of a column from its letters. Raises BadFile (too_large) where there are more
        than anybody merges.
        """
        merged = cls()
        unread = b""  # the end of the text so far, in which an element may have begun
        count = 0
        for chunk in chunks:
            text = unread + chunk
            unread = text[-_MAX_ELEMENT_BYTES:]
            if _ELEMENT_NAME not in text:
                continue
            end = 0
            for match in _RANGE.finditer(text):
                letters, first_row, _, last_row = match.groups()
                merged._add(index_of(letters.decode()), int(first_row), int(last_row))
                end = match.end()
                count += 1
            unread = text[max(end, len(text) - _MAX_ELEMENT_BYTES) :]
            if count > WorkbookPolicy.max_merged_cells:
                limit = WorkbookPolicy.max_merged_cells
                raise BadFile("too_large", f"the sheet has more than {limit:,} merged cells; save it as CSV")
        return merged

    def _add(self, column_index: int, first_row: int, last_row: int) -> None:
        if last_row > first_row:
            self._ranges_by_first_row.setdefault(first_row, []).append(_Range(column_index, last_row))

    def __bool__(self) -> bool:
        """Tell whether a row may have to be filled."""
        return bool(self._ranges_by_first_row or self._values_in_reach)

    def fill(self, row_number: int, row: dict[int, bytes]) -> None:
        """Add to the row of this number, counted from 1, the values of the merged cells that reach into it."""
        for column_index, (last_row, value) in list(self._values_in_reach.items()):
            if row_number > last_row:
                del self._values_in_reach[column_index]
            elif column_index not in row:
                row[column_index] = value
                self._filled_values += 1
        limit = WorkbookPolicy.max_merged_values
        if self._filled_values > limit:
            raise BadFile("too_large", f"merged cells stand for more than {limit:,} values; save it as CSV")
        for merged in self._ranges_by_first_row.pop(row_number, ()):
            if merged.column_index in row:
                self._values_in_reach[merged.column_index] = (merged.last_row, row[merged.column_index])
