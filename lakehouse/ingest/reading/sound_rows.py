"""Takes a piece of text apart that DuckDB's reader cannot read as it stands: sound rows into a file, the others apart.

DuckDB reads sound text fast. Where rows end in several ways, lines are blank, or its reader left rows out, the piece
goes through here: what is written beside it is read without a fault, and what is bad keeps its own text and number. A
row that leaves out cells at its end, or has empty ones too many, is made as long as the header. Two lines that are one
row, torn by a line break without quotes, are read as none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lakehouse.ingest.reading.piece import OTHER_TABLE, Piece
from lakehouse.ingest.reading.policy import RowPolicy
from lakehouse.ingest.reading.split_rows import RowSplitter, TextRow, content_of
from lakehouse.sources import non_records
from lakehouse.sources.non_records import KnownBy

_SUFFIX: Final = ".sound"
_COLUMNS_OF_PAIR: Final = 2  # a key and one value, which may be left out


@dataclass(frozen=True)
class UnreadRow:
    """A row that is not read: its number in the piece, from 1, what is wrong, and its own text."""

    number: int
    code: str
    text: str


@dataclass(frozen=True)
class RowShape:
    """What a mapping asks of rows of delimited text: the fields that each must have, and the cells it is known by."""

    fields_needed: int = 1
    known_by: KnownBy = field(default_factory=KnownBy)


@dataclass
class SoundPiece:
    """A piece of sound rows alone, and the rows that were left out of it."""

    piece: Piece
    unread: list[UnreadRow] = field(default_factory=list)


def sound_piece(piece: Piece, path: Path, shape: RowShape) -> SoundPiece:
    """Return a piece's sound rows as a piece of their own, written beside it; `shape` is of delimited text."""
    text = path.read_bytes()
    sound_path = path.with_suffix(_SUFFIX)
    layout = replace(piece.layout, most_cells=None)  # each row has as many cells as the header from here on
    sound = SoundPiece(replace(piece, path=sound_path, layout=layout, header_lines=0, line_end="\n"))
    if piece.is_other_table:
        splitter = RowSplitter(piece.layout.delimiter, len(piece.layout.header))
        texts = (row.text for row in splitter.rows(text))
        sound.unread += [_unread(number, OTHER_TABLE, row) for number, row in enumerate(texts, 1)]
        rows: Iterator[bytes] = iter(())
    elif piece.layout.kind == "delimited":
        judge = _Judge(piece, shape, text)
        rows = judge.sound_rows(sound.unread)
    else:
        rows = _sound_lines(text, sound.unread)
    with sound_path.open("wb") as file:
        file.writelines(row + b"\n" for row in rows)
    return sound


def _sound_lines(text: bytes, unread: list[UnreadRow]) -> Iterator[bytes]:
    """Yield the lines of JSON that can be read, blank ones too; note the others."""
    is_utf8 = _is_utf8(text)
    for number, line in enumerate(text.split(b"\n"), 1):
        code = _unreadable_code(line, is_utf8=is_utf8)
        if code:
            unread.append(_unread(number, code, line))
        else:
            yield line


class _Judge:
    """Says of each row of a piece of delimited text whether it is sound, or what is wrong with it."""

    def __init__(self, piece: Piece, shape: RowShape, text: bytes) -> None:
        self._header = piece.layout.header
        self._header_rows = piece.header_lines
        self._delimiter = piece.layout.delimiter.encode()
        self._shape = shape
        self._text = text
        self._is_utf8 = _is_utf8(text)
        most_cells = piece.layout.most_cells
        self._most_cells = sys.maxsize if most_cells is None else most_cells
        self._width = min(len(self._header), self._most_cells)
        self._splitter = RowSplitter(piece.layout.delimiter, self._width)
        self._is_astray = False  # behind a row that is torn, until one is whole again
        self._has_short_rows = False

    def sound_rows(self, unread: list[UnreadRow]) -> Iterator[bytes]:
        """Yield the sound rows, each with as many fields as the header; note the others."""
        rows = self._splitter.rows(self._text)
        for _ in range(self._header_rows):
            next(rows, None)
        for number, (row, is_torn) in enumerate(self._with_tears(rows), 1):
            fault = self._fault(row)  # asked of every row: it notes what the next ones are behind
            if is_torn and not fault:
                self._is_astray, self._has_short_rows, fault = True, False, "too_few_fields"
            code = _unreadable_code(row.text, is_utf8=self._is_utf8) or fault
            if code:
                unread.append(_unread(number, code, row.text))
            else:
                yield self._fitted(row)

    def _with_tears(self, rows: Iterator[TextRow]) -> Iterator[tuple[TextRow, bool]]:
        """Yield each row, and whether it is a part of one that line breaks without quotes tore.

        The parts stand between whole rows, or at the end, and have as many cells as one row, each break within one of
        them. Rows that leave out cells at their end may add up to that as well: two that leave out as many, and those
        behind another one that does.
        """
        width = self._width
        short: list[TextRow] = []
        is_behind_whole = True
        for row in rows:
            if 0 < row.fields < width:
                short.append(row)
                continue
            is_torn = is_behind_whole and row.fields == width and self._is_one_row(short)
            yield from ((each, is_torn) for each in short)
            short.clear()
            is_behind_whole = row.fields == width
            yield row, False
        is_torn = is_behind_whole and self._is_one_row(short)
        yield from ((each, is_torn) for each in short)

    def _is_one_row(self, parts: list[TextRow]) -> bool:
        breaks = len(parts) - 1
        if breaks == 1:
            is_plain = parts[0].fields != parts[1].fields or parts[0].text.endswith(b"\\")
        else:
            is_plain = any(part.fields == 1 for part in parts[1:-1])
        fields = sum(part.fields for part in parts)
        return breaks > 0 and is_plain and fields == self._width + breaks and not self._has_short_rows

    def _fault(self, row: TextRow) -> str:
        """Return what is wrong with the fields of a row; nothing where it is sound."""
        if not row.fields:
            self._is_astray = True
            return "bad_quoting"
        width = self._width
        if row.after_blank and self._is_footer(row):
            return non_records.CODE
        if row.fields == width:
            self._is_astray = False
            return ""
        cells = self._splitter.cells(row.text)
        if row.fields > width:
            return self._fault_of_long(row, cells)
        return self._fault_of_short(row, cells)

    def _fault_of_long(self, row: TextRow, cells: list[bytes]) -> str:
        """Return what is wrong with a row that has more fields than the header; nothing where these end its line.

        Where the file's rows do not end so, a delimiter within a text has moved the cells behind it.
        """
        if any(map(content_of, cells[self._width :])):
            return "too_many_fields"
        if row.fields <= self._most_cells:
            self._is_astray = False
            return ""
        texts = [content_of(cell).decode("utf-8", "replace") for cell in cells[: self._width]]
        is_none = non_records.is_none(texts, self._header, self._shape.known_by, is_short=False)
        return non_records.CODE if is_none else "too_many_fields"

    def _is_footer(self, row: TextRow) -> bool:
        """Return whether the one text of a row behind a blank line is no value: no delimiter, or several words."""
        width = self._width
        if row.fields == 1:
            return width > 1
        has_words = any(b" " in content_of(cell) for cell in self._splitter.cells(row.text))
        return has_words and width > _COLUMNS_OF_PAIR

    def _fault_of_short(self, row: TextRow, cells: list[bytes]) -> str:
        """Return what is wrong with a row that has fewer fields than the header.

        The last one of a file, where no line end follows and no other is short, was cut off. A line without a delimiter
        in a table of three columns or more is rather the rest of a text that a line break tore.
        """
        texts = [content_of(cell).decode("utf-8", "replace") for cell in cells]
        if non_records.is_none(texts, self._header, self._shape.known_by, is_short=True):
            return non_records.CODE
        is_cut_off = not row.ends and not self._has_short_rows
        is_text = row.fields == 1 and self._width > _COLUMNS_OF_PAIR
        if self._is_astray or is_cut_off or is_text or row.fields < self._shape.fields_needed:
            self._is_astray = True
            return "too_few_fields"
        self._has_short_rows = True
        return ""

    def _fitted(self, row: TextRow) -> bytes:
        """Return a sound row with as many fields as the header."""
        width = len(self._header)
        if row.fields == width:
            return row.text
        if row.fields < width:
            return row.text + self._delimiter * (width - row.fields)
        return self._delimiter.join(self._splitter.cells(row.text)[:width])


def _unread(number: int, code: str, text: bytes) -> UnreadRow:
    return UnreadRow(number, code, text.decode("utf-8", "replace"))


def _unreadable_code(row: bytes, *, is_utf8: bool) -> str:
    """Return why a row cannot be read whatever its fields are; nothing where it can. `is_utf8`: the whole text is."""
    if len(row) > RowPolicy.max_bytes:
        return "line_too_long"
    return "" if is_utf8 or _is_utf8(row) else "not_utf8"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
