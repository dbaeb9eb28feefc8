"""Splits delimited text into rows, each with its own text, also where quotes are astray.

The grammar is that of DuckDB's reader: a field that begins with a quote, spaces before it or not, ends with the quote
that is not doubled; in any other field a quote is a character. DuckDB says of what it cannot split neither exactly
where it stands nor where the next row begins, so the text of bad rows comes from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lakehouse.ingest.reading.policy import RowPolicy

_LINE = re.compile(rb"([^\r\n]*+)(?:\r\n|\n|\r|\Z)")
_LINE_END = rb"(?:\r\n|\n|\r|\Z)"
_BREAK = re.compile(rb"\r\n|\n|\r")
LEAST_WIDTH: Final = (
    5  # columns from which on lines of a text are as long as the header by a rare chance alone
)


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row as it stands in the text, without its line end.

    `fields`: how many it has; 0 where its quotes tell no fields. `ends`: whether a line end follows. `after_blank`: a
    blank line stands before it or before the rows above it, and no cell but one of each holds anything.
    """

    text: bytes
    fields: int
    ends: bool = True
    after_blank: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """A row, and where the next one begins."""

    text: bytes
    fields: int
    next_at: int


def content_of(cell: bytes) -> bytes:
    """Return what a cell holds, without the quotes around it and what is blank."""
    text = cell.strip()
    return text[1:-1].replace(b'""', b'"').strip() if text.startswith(b'"') else text


class RowSplitter:
    """Splits texts with one delimiter and header; `width` is how many names that has."""

    def __init__(self, delimiter: str, width: int) -> None:
        self._delimiter = delimiter.encode()
        between = re.escape(self._delimiter)
        plain = rb'(?![ ]*+")[^' + between + rb"\r\n]*+"
        field = rb'(?:[ ]*+"(?:[^"]++|"")*+"[ ]*+|' + plain + rb")"
        self._field = re.compile(field)
        self._row = re.compile(rb"(" + field + rb"(?:" + between + field + rb")*+)" + _LINE_END)
        self._fields_before_broken = re.compile(rb"(?:" + field + between + rb")*+")
        self._broken_field = re.compile(rb'[ ]*+"(?:[^"]++|"")*+')
        self._width = width

    def rows(self, text: bytes) -> Iterator[TextRow]:
        """Yield the rows in order; blank lines are none."""
        at = 0
        after_blank = False
        while at < len(text):
            found = self._plain_line(text, at) or self._quoted_row(text, at) or self._broken_row(text, at)
            at = found.next_at
            if not found.text:
                after_blank = True
                continue
            after_blank = after_blank and self._has_one_text(found)
            yield TextRow(found.text, found.fields, text[at - 1 : at] in (b"\n", b"\r"), after_blank)

    def cells(self, row: bytes) -> list[bytes]:
        """Return the cells of a row that has fields, as they stand in it."""
        if b'"' not in row:
            return row.split(self._delimiter)
        cells = []
        at = 0
        while at <= len(row) and (match := self._field.match(row, at)) is not None:
            cells.append(match[0])
            at = match.end() + 1
        return cells

    def _has_one_text(self, found: _Found) -> bool:
        """Return whether a single cell of a row holds something."""
        return bool(found.fields) and sum(map(bool, map(content_of, self.cells(found.text)))) == 1

    def _plain_line(self, text: bytes, at: int) -> _Found | None:
        """Return the row that a line is; None where a quote or a carriage return is in it, which takes longer."""
        newline = text.find(b"\n", at)
        end = len(text) if newline < 0 else newline
        line = text[at:end]
        if b'"' in line or b"\r" in line:
            return None
        return _Found(line, line.count(self._delimiter) + 1, end + 1 if newline >= 0 else end)

    def _quoted_row(self, text: bytes, at: int) -> _Found | None:
        """Return the row that begins here; None where its quotes are astray."""
        match = self._row.match(text, at)
        if match is None:
            return None
        row = match[1]
        fields = len(self.cells(row))
        is_over_lines = b"\n" in row or b"\r" in row
        if is_over_lines and fields < self._width and self._takes_rows(text, at, match.end(1)):
            return None
        if is_over_lines and self._is_of_whole_rows(row):
            return _Found(row, 0, match.end())
        return _Found(row, fields, match.end())

    def _is_of_whole_rows(self, row: bytes) -> bool:
        """Return whether each line of a row has as many delimiters as the header: two quotes astray made it of several.

        Nobody knows which quote is wrong, so none of these rows is read.
        """
        if self._width < LEAST_WIDTH:
            return False
        return all(line.count(self._delimiter) + 1 == self._width for line in _BREAK.split(row))

    def _broken_row(self, text: bytes, at: int) -> _Found:
        """Return the row whose quotes are astray.

        A quote that is never closed takes the lines behind it into its field. Where most of these have as many fields
        as the header they are rows of their own, and the broken one ends with its line; else all of it is one row.
        """
        before = self._fields_before_broken.match(text, at)
        field_at = before.end() if before else at
        first_end, second_at = self._line_at(text, field_at)
        first_line = _Found(text[at:first_end], 0, second_at)
        broken = self._broken_field.match(text, field_at)
        broken_end = broken.end() if broken else field_at
        is_one_line = broken_end <= first_end or broken_end - at > RowPolicy.max_bytes
        if broken is None or is_one_line or self._takes_rows(text, field_at, broken_end):
            return first_line
        last_end, next_at = self._line_at(text, broken_end)
        return _Found(text[at:last_end].rstrip(b"\r\n"), 0, next_at)

    def _takes_rows(self, text: bytes, start: int, end: int) -> bool:
        """Return whether most lines behind the first one, up to `end`, begin rows as long as the header.

        The last of them, in which the field ends, is asked only where there is no other: it may be broken, too.
        """
        _, at = self._line_at(text, start)
        begins_row = []
        while at <= end and at < len(text):
            line_end, next_at = self._line_at(text, at)
            if line_end > at:
                begins_row.append(self._begins_row(text, at))
            at = next_at
        asked = begins_row[:-1] or begins_row
        return sum(asked) * 2 > len(asked) if asked else True

    def _begins_row(self, text: bytes, at: int) -> bool:
        match = self._row.match(text, at)
        return match is not None and len(self.cells(match[1])) == self._width

    def _line_at(self, text: bytes, at: int) -> tuple[int, int]:
        """Return where the line ends in which an offset stands, and where the next one begins."""
        match = _LINE.match(text, at)
        return (match.end(1), match.end()) if match else (len(text), len(text))
