"""Finds tables below the first one of a text: a blank line, a header with other names, and rows of those.

`lakehouse.sources.table_below` says whether one is. Here the text goes by in blocks of whole lines; what stands below a
blank line is looked at where there is one, outside of quotes. Where pieces are cut has no say in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lakehouse.ingest.reading.byte_counts import count_byte, line_starts
from lakehouse.ingest.reading.joined_files import whole_lines
from lakehouse.ingest.reading.policy import FurtherTablePolicy
from lakehouse.ingest.reading.split_rows import RowSplitter, content_of
from lakehouse.sources import table_below

if TYPE_CHECKING:
    from lakehouse.ingest.reading.delimited_header import DelimitedHeader


def marked(chunks: Iterator[bytes], header: DelimitedHeader) -> Iterator[tuple[bool, bytes]]:
    """Yield a text from its header on in parts of whole lines, each with whether it is of another table.

    Another table goes on to the text's end, or to a blank line with the first table's header below it.
    """
    return _Marker(header).parts(chunks)


class _Marker:
    """The state of looking: which table the text is of, and what is known of the first one."""

    def __init__(self, header: DelimitedHeader) -> None:
        self._names = header.names
        self._splitter = RowSplitter(header.delimiter, len(header.names))
        between = re.escape(header.delimiter.encode())
        self._blank = re.compile(rb"(?:\A|(?<=\n)|(?<=\r)(?!\n))(?:" + between + rb'|[ \t"])*(?:\r\n|\n|\r)')
        self._first_of_blank = frozenset(b'\r\n \t"' + header.delimiter.encode()[:1])
        self._above: list[list[str]] = []
        self._head = b""  # the first bytes of the text, until `above` is known
        self._is_other = False
        self._quotes = 0
        self._rest = b""  # from a blank line on, of which too little is known yet

    def parts(self, chunks: Iterator[bytes]) -> Iterator[tuple[bool, bytes]]:
        """Yield the parts."""
        for block in whole_lines(chunks):
            if self._rest or self._may_have_blank(block):
                yield from self._look(self._rest + block, is_last=False)
            else:
                self._quotes += count_byte(block, b'"')
                self._note_above(block)
                yield self._is_other, block
        if self._rest:
            yield from self._look(self._rest, is_last=True)

    def _may_have_blank(self, block: bytes) -> bool:
        """Return whether a line may be blank: the first byte of one, or of the block, says that it is not."""
        return not self._first_of_blank.isdisjoint(line_starts(block))

    def _look(self, text: bytes, *, is_last: bool) -> Iterator[tuple[bool, bytes]]:
        """Yield the parts of a text; `rest` is what has to wait for what follows."""
        emitted = counted = noted = 0
        self._rest = b""
        for match in self._blank.finditer(text):
            self._quotes += text.count(b'"', counted, match.start())
            counted = match.start()
            if self._quotes % 2:
                continue
            if not self._above:  # a blank line may stand right below the header
                self._note_above(text[noted:counted])
                noted, self._above = counted, self._rows(self._head)[1:]
            below = text[match.end() : match.end() + FurtherTablePolicy.bytes_below]
            if len(below) < FurtherTablePolicy.bytes_below and not is_last:
                self._rest = text[counted:]
                yield self._is_other, text[emitted:counted]
                return
            is_other = self._is_other_below(below, is_whole=len(below) < FurtherTablePolicy.bytes_below)
            if is_other != self._is_other:
                yield self._is_other, text[emitted : match.end()]
                emitted, self._is_other = match.end(), is_other
        self._quotes += text.count(b'"', counted)
        self._note_above(text[noted:])
        yield self._is_other, text[emitted:]

    def _note_above(self, text: bytes) -> None:
        """Keep the first bytes of the text, up to the first blank line below a row."""
        room = FurtherTablePolicy.bytes_above - len(self._head)
        if not self._above and room > 0:
            self._head += text[:room]

    def _is_other_below(self, below: bytes, *, is_whole: bool) -> bool:
        """Return whether what stands below a blank line is of another table."""
        end = self._blank.search(below, 1)
        rows = self._rows(below[: end.start()] if end else below)
        if end is None and not is_whole:
            rows = rows[:-1]  # its end is not here
        if self._is_other:
            return not table_below.is_own_header(self._names, rows)
        return table_below.is_another_table(self._names, self._above, rows)

    def _rows(self, text: bytes) -> list[list[str]]:
        return [
            [content_of(cell).decode("utf-8", "replace") for cell in self._splitter.cells(row.text)]
            for row in self._splitter.rows(text)
            if row.fields
        ]
