"""The XML of a sheet as a stream of rows, and the strings that its cells share."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from lakehouse.errors import BadFile
from lakehouse.sources.formats import cells
from lakehouse.sources.formats.merged_cells import Merged
from lakehouse.sources.formats.policy import WorkbookPolicy
from lakehouse.sources.formats.xml_stream import (
    Attributes,
    Feed,
    limited_parser,
    refuse_document_type,
    refuse_long_text,
    slices,
    too_deep,
)

Row = dict[int, bytes]  # what a CSV says of a cell, by the index of its column, counted from 0

MAX_COLUMNS: Final = 16_384  # of a sheet: Excel ends at XFD
MAX_ROWS: Final = 1_048_576  # of a sheet: Excel ends there
_MAX_LETTERS: Final = 3  # of a column: XFD
_MAX_ROW_DIGITS: Final = 9  # more make no number of a row
_END_BYTES: Final = 8  # of one element of an array("Q")
_DIGITS = "0123456789"


class Strings:
    """The strings that cells share, as a CSV writes them, one behind the other."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        self._texts: list[str] = []  # of the string that is being read
        self._is_in_text = False
        self._phonetic_depth = 0  # how to pronounce it is no part of a text

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self._ends) - 1:
            raise BadFile("bad_xlsx", "a cell names a shared string that there is not")
        return bytes(self._bytes[self._ends[index] : self._ends[index + 1]])

    def read(self, chunks: Iterator[bytes]) -> None:
        """Add the strings of the part that holds them; BadFile (too_large) for more than memory should hold."""
        parser = limited_parser(self._start, self._end)
        parser.CharacterDataHandler = self._data
        feed = Feed(parser)
        for chunk in slices(chunks):
            feed(chunk)
            refuse_long_text(self._texts)
            bytes_in_memory = len(self._bytes) + len(self._ends) * _END_BYTES
            if bytes_in_memory > WorkbookPolicy.max_string_bytes:
                raise BadFile("too_large", "the workbook holds too many different strings; save it as CSV")
        feed(b"", last=True)

    def _start(self, name: str, _attributes: Attributes) -> None:
        self._is_in_text = name == "t" and not self._phonetic_depth
        self._phonetic_depth += name == "rPh"

    def _data(self, text: str) -> None:
        if self._is_in_text:
            self._texts.append(text)

    def _end(self, name: str) -> None:
        self._is_in_text = False
        self._phonetic_depth -= name == "rPh"
        if name == "si":
            self._bytes += _csv_field(cells.string("".join(self._texts)))
            self._ends.append(len(self._bytes))
            self._texts.clear()


class _ColumnIndexes(dict[str, int]):
    """The index of each column by its letters; found out once."""

    def __missing__(self, letters: str) -> int:
        self[letters] = column_index(letters)
        return self[letters]


class Rows:
    """The rows of a sheet that hold a value, in order; an empty one stands for all without a value between two of them.

    Five calls a cell are most of the time that a sheet takes, so these are kept short: names keep their prefix, and
    depth is counted where no rule of its own forbids it.
    """

    def __init__(
        self, chunks: Iterator[bytes], strings: Strings, formats: list[cells.Format], merged: Merged
    ) -> None:
        self._chunks = slices(chunks)
        self._strings = strings
        self._formats = {str(style): cell_format for style, cell_format in enumerate(formats)}
        self._merged = merged
        self._column_indexes = _ColumnIndexes()
        self._finished: deque[Row] = deque()
        self._count = 0
        # the row and the cell that are being read
        self._row: Row | None = None
        self._row_number = 0
        self._last_row_number = 0
        self._cell: Attributes | None = None
        self._column_index = -1
        self._texts: list[str] = []
        self._is_in_text = False
        self._phonetic_depth = 0
        self._other_depth = 0  # elements around and beside rows, cells and values
        self._names = _element_names("")
        self._parser = self._new_parser()
        self._feed = Feed(self._parser)
        self._is_done = False

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = refuse_document_type
        parser.StartElementHandler = self._start_root
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        return parser

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> Row:
        while not self._finished:
            if self._is_done:
                raise StopIteration
            chunk = next(self._chunks, None)
            self._is_done = chunk is None
            self._feed(chunk or b"", last=self._is_done)
            refuse_long_text(self._texts)
        return self._finished.popleft()

    def _start_root(self, name: str, _attributes: Attributes) -> None:
        """Learn from the first element which prefix the names have."""
        self._names = _element_names(name[: name.rfind(":") + 1])
        self._other_depth = 1
        self._parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: Attributes) -> None:
        v, c, row, t, phonetic = self._names
        if name == v or (name == t and not self._phonetic_depth):
            if self._is_in_text:
                raise too_deep()
            self._is_in_text = True
        elif name == c:
            if self._cell is not None or self._row is None:
                raise too_deep()
            self._cell = attributes
            reference = attributes.get("r")
            if reference:
                self._column_index = self._column_indexes[reference.rstrip(_DIGITS)]
            else:
                self._column_index += 1
                if self._column_index >= MAX_COLUMNS:
                    raise BadFile("bad_xlsx", f"the sheet has more than {MAX_COLUMNS:,} columns")
        elif name == row:
            self._start_row(attributes)
        else:
            self._phonetic_depth += name == phonetic
            self._start_other()

    def _start_row(self, attributes: Attributes) -> None:
        if self._row is not None:
            raise too_deep()
        self._row, self._column_index = {}, -1
        number = attributes.get("r", "")
        has_number = number.isdecimal() and len(number) <= _MAX_ROW_DIGITS
        self._row_number = int(number) if has_number else self._row_number + 1

    def _start_other(self) -> None:
        self._other_depth += 1
        if self._other_depth > WorkbookPolicy.max_depth:
            raise too_deep()

    def _data(self, text: str) -> None:
        if self._is_in_text:
            self._texts.append(text)

    def _end(self, name: str) -> None:
        v, c, row, t, phonetic = self._names
        if name == v or (name == t and not self._phonetic_depth):
            self._is_in_text = False
        elif name == c:
            if self._texts:
                value = self._value("".join(self._texts))
                self._texts.clear()
                if value and self._row is not None:
                    self._row[self._column_index] = value
            self._cell = None
        elif name == row:
            self._end_row()
        else:
            self._phonetic_depth -= name == phonetic
            self._other_depth -= 1

    def _end_row(self) -> None:
        """Hand the row on, filled with what is merged over it, unless it is empty."""
        row, self._row = self._row, None
        if not row:
            return
        if self._merged:
            self._merged.fill(self._row_number, row)
        if self._count and self._row_number > self._last_row_number + 1:
            self._finished.append({})
        self._last_row_number = self._row_number
        self._finished.append(row)
        self._count += 1
        if self._count > MAX_ROWS:
            raise BadFile("bad_xlsx", f"the sheet has more than {MAX_ROWS:,} rows")

    def _value(self, text: str) -> bytes:
        """Return what the CSV says of the cell that ends."""
        cell = self._cell or {}
        kind = cell.get("t", "n")
        if kind == "s":
            return self._strings[int(text)] if text.isdecimal() else b""
        if kind == "n":
            format_number = self._formats.get(cell.get("s", ""), cells.plain_number)
            return _csv_field(format_number(text.strip()))
        if kind in ("str", "inlineStr"):
            return _csv_field(cells.string(text))
        if kind == "b":
            return cells.boolean(text).encode()
        return _csv_field(text)  # an error such as #N/A, or a date in words of ISO 8601


def _element_names(prefix: str) -> tuple[str, str, str, str, str]:
    """Return how a sheet calls a value, a cell, a row, a text and its pronunciation; a plain tuple unpacks fastest."""
    return (f"{prefix}v", f"{prefix}c", f"{prefix}row", f"{prefix}t", f"{prefix}rPh")


def column_index(letters: str) -> int:
    """Return the index of a column, counted from 0, by its letters, such as AB; BadFile (bad_xlsx) for none."""
    number = 0
    if letters.isascii() and letters.isalpha() and len(letters) <= _MAX_LETTERS:
        for letter in letters.upper():
            number = number * 26 + ord(letter) - ord("A") + 1
    if not 0 < number <= MAX_COLUMNS:
        raise BadFile("bad_xlsx", "a cell of the sheet stands nowhere; save it again")
    return number - 1


def _csv_field(text: str) -> bytes:
    """Return a text as a CSV holds it (RFC 4180), in UTF-8."""
    if not ("," in text or '"' in text or "\n" in text or "\r" in text):
        return text.encode("utf-8", "surrogatepass")
    return ('"' + text.replace('"', '""') + '"').encode("utf-8", "surrogatepass")
