"""Cuts a stream of text into pieces on disk, each of them whole rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lakehouse.ingest.reading.byte_counts import count_byte
from lakehouse.ingest.reading.line_ends import LineEnds
from lakehouse.ingest.reading.piece import Layout, Piece
from lakehouse.ingest.reading.policy import PiecePolicy, RowPolicy

_NO_END: Final = -1  # as `bytes.find` says it


def cut_text(
    text: Iterator[bytes],
    layout: Layout,
    new_path: Callable[[], Path],
    max_bytes: int,
    *,
    has_header: bool = True,
) -> Iterator[Piece]:
    """Write text into pieces of about `max_bytes`, each at a path of its own; yield each when it is complete.

    A line longer than `RowPolicy.max_bytes` is left out; a piece without a path is yielded in its place. Delimited text
    begins with its header, unless it is the rest of one (`has_header`).
    """
    header_lines = int(has_header and layout.kind == "delimited")
    return _TextCutter(layout, new_path, max_bytes, header_lines).pieces(text)


class _TextCutter:
    """The state of cutting: the piece that is being written, and the line at its end that goes on."""

    def __init__(
        self, layout: Layout, new_path: Callable[[], Path], max_bytes: int, header_lines: int
    ) -> None:
        self._layout = layout
        self._new_path = new_path
        self._max_bytes = max_bytes
        self._header_lines = header_lines
        self._writer: _PieceWriter | None = None
        self._open_line_bytes = 0
        self._skips_line = False

    def pieces(self, text: Iterator[bytes]) -> Iterator[Piece]:
        """Yield the pieces of a text; where that raises, the one that is being written is closed."""
        try:
            for chunk in text:
                yield from self._add(chunk)
            yield from self._finish_piece()
        finally:
            if self._writer is not None:
                self._writer.close()

    def _add(self, chunk: bytes) -> Iterator[Piece]:
        """Write the next bytes of the text; yield the piece that is full with them."""
        data = self._after_skipped_line(chunk) if self._skips_line else chunk
        if not data:
            return
        line_end = _last_line_end(data)
        if line_end == _NO_END and self._open_line_bytes + len(data) > RowPolicy.max_bytes:
            yield from self._finish_piece(without_bytes=self._open_line_bytes)
            yield self._start_skipping_line()
            return
        self._open_line_bytes = (
            self._open_line_bytes + len(data) if line_end == _NO_END else len(data) - line_end
        )
        row_end = self._open_piece().row_end_when_full(data, self._max_bytes)
        if row_end != _NO_END:
            self._open_piece().write(data[:row_end])
            yield from self._finish_piece()
            data = data[row_end:]
        if data:
            self._open_piece().write(data)

    def _after_skipped_line(self, data: bytes) -> bytes:
        """Return what stands behind the end of the line that is too long; nothing if that goes on."""
        line_end = _first_line_end(data)
        if line_end == _NO_END:
            return b""
        self._skips_line = False
        return data[line_end:]

    def _start_skipping_line(self) -> Piece:
        """Return the piece that stands for a line that is too long, and pass over the rest of it."""
        self._header_lines = 0
        self._open_line_bytes = 0
        self._skips_line = True
        return Piece(None, self._layout, 0, row_count=1)

    def _open_piece(self) -> _PieceWriter:
        """Return the writer of the piece that is being written; of a new one where none is."""
        if self._writer is None:
            self._writer = _PieceWriter(self._new_path(), self._layout, self._header_lines)
        return self._writer

    def _finish_piece(self, *, without_bytes: int = 0) -> Iterator[Piece]:
        """Yield the piece that is being written, without its last bytes, unless nothing is in it."""
        if self._writer is None:
            return
        piece = self._writer.finish(without_bytes=without_bytes)
        self._writer, self._header_lines = None, 0
        if piece is not None:
            yield piece


class _PieceWriter:
    """A piece that is being written, and what its reader has to know of the text in it."""

    def __init__(self, path: Path, layout: Layout, header_lines: int) -> None:
        self._path = path
        self._file = path.open("wb")
        self._layout = layout
        self._is_delimited = layout.kind == "delimited"
        self._header_lines = header_lines
        self._bytes = 0
        self._quotes = 0  # of delimited text
        self._delimiters = 0  # of delimited text
        self._delimiter = layout.delimiter.encode()
        self._line_ends = LineEnds()  # of delimited text; other lines all end with a newline
        self._newlines = 0
        self._last_byte = b"\n"

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._bytes += len(data)
        if self._is_delimited:
            self._line_ends.add(data)
            self._quotes += count_byte(data, b'"')
            self._delimiters += _count(data, self._delimiter)
        else:
            self._last_byte = data[-1:]
        self._newlines += count_byte(data, b"\n")

    def row_end_when_full(self, data: bytes, max_bytes: int) -> int:
        """Return where in `data` the last row ends for sure, if the piece is full with it; else _NO_END.

        Outside of quotes is where their number so far is even: a line end in a quoted field ends no row. In a text
        where it never is even again, there is a quote where none may be, and any line end will do.
        """
        if self._bytes + len(data) < max_bytes:
            return _NO_END
        if b"\n" in data:
            mark, end = b"\n", len(data)
        else:
            mark, end = b"\r", len(data) - 1  # the last may be half of a pair
        quotes = self._quotes + data.count(b'"', 0, end) if self._is_delimited else 0
        is_astray = self._bytes > PiecePolicy.unbalanced_quotes_bytes
        while (mark_at := data.rfind(mark, 0, end)) >= 0:
            if self._is_delimited:
                quotes -= data.count(b'"', mark_at, end)
            if quotes % 2 == 0 or is_astray:
                return mark_at + 1
            end = mark_at
        return _NO_END

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def finish(self, *, without_bytes: int) -> Piece | None:
        """Close the piece less its last bytes, those of an unfinished line; None and no file where nothing remains."""
        kept_bytes = self._bytes - without_bytes
        if without_bytes:
            self._file.truncate(kept_bytes)
        self._file.close()
        if not kept_bytes:
            self._path.unlink()
            return None
        return Piece(
            self._path,
            self._layout,
            kept_bytes,
            header_lines=self._header_lines,
            line_end=self._line_ends.common if self._is_delimited else "\n",
            newlines=self._newlines if self._quotes else 0,
            delimiters=self._delimiters,
            has_quotes=self._quotes > 0,
            row_count=None if self._is_delimited else self._lines(ends_with_line=bool(without_bytes)),
        )

    def _lines(self, *, ends_with_line: bool) -> int:
        """Return how many lines the piece has; the last may lack its newline."""
        if ends_with_line or self._last_byte == b"\n":
            return self._newlines
        return self._newlines + 1


def _count(data: bytes, delimiter: bytes) -> int:
    return count_byte(data, delimiter) if len(delimiter) == 1 else data.count(delimiter)


def _first_line_end(data: bytes) -> int:
    """Return the offset behind the first line, or _NO_END."""
    marks = [mark_at for mark_at in (data.find(b"\n"), data.find(b"\r")) if mark_at >= 0]
    return min(marks) + 1 if marks else _NO_END


def _last_line_end(data: bytes) -> int:
    """Return the offset behind the last line that ends in the data, or _NO_END."""
    mark_at = max(data.rfind(b"\n"), data.rfind(b"\r"))
    return mark_at + 1 if mark_at >= 0 else _NO_END
