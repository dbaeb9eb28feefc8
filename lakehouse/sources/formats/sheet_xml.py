"""The XML of a workbook as a stream: elements, shared strings, rows of cells.

The parser builds no tree. A document type, from which entities that blow up come, is refused, and so is depth.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from xml.parsers import expat

from lakehouse.errors import BadFile
from lakehouse.sources.formats import cells
from lakehouse.sources.formats.merged_cells import Merged

Row = dict[int, bytes]  # what a CSV says of a cell, by place of the column, counted from 0

_DEPTH = 32
_TEXT = 4 << 20  # characters of one cell; Excel writes up to 32,767
_STRINGS = 256 << 20  # bytes of all shared strings
_COLUMNS = 16_384
_ROWS = 1_048_576
_ROW_DIGITS = 9  # digits of a row's number, at most
_CHUNK = 1 << 16
_DIGITS = "0123456789"


def elements(chunks: Iterator[bytes], limit: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and attributes of each element of a part that may be read at once; names without prefix."""
    found: list[tuple[str, dict[str, str]]] = []
    feed = _Feed(_parser(lambda name, attributes: found.append((name, attributes)), lambda _name: None))
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BadFile("bomb", f"a part of the workbook is larger than {limit >> 20} MiB")
        feed(chunk)
        yield from found
        found.clear()
    feed(b"", last=True)


class Strings:
    """The strings that cells share, as a CSV writes them, one behind the other."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        self._parts: list[str] = []
        self._open = False
        self._hints = 0  # how to pronounce it is no part of a text

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < len(self._ends) - 1:
            raise BadFile("bad_xlsx", "a cell names a shared string that there is not")
        return bytes(self._bytes[self._ends[number] : self._ends[number + 1]])

    def read(self, chunks: Iterator[bytes]) -> None:
        """Add the strings of the part that holds them."""
        parser = _parser(self._start, self._end)
        parser.CharacterDataHandler = self._data
        feed = _Feed(parser)
        for chunk in _slices(chunks):
            feed(chunk)
            _refuse_long(self._parts)
            if len(self._bytes) + len(self._ends) * 8 > _STRINGS:
                raise BadFile("too_large", "the workbook holds too many different strings; save it as CSV")
        feed(b"", last=True)

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._open = name == "t" and not self._hints
        self._hints += name == "rPh"

    def _data(self, text: str) -> None:
        if self._open:
            self._parts.append(text)

    def _end(self, name: str) -> None:
        self._open = False
        self._hints -= name == "rPh"
        if name == "si":
            self._bytes += _quoted(cells.string("".join(self._parts)))
            self._ends.append(len(self._bytes))
            self._parts.clear()


class Rows:
    """The rows of a sheet that hold a value, in order.

    Five calls a cell are most of the time that a sheet takes, so these are kept short: names keep their prefix, and
    depth is counted where no rule of its own forbids it.
    """

    def __init__(
        self, chunks: Iterator[bytes], strings: Strings, formats: list[cells.Format], merged: Merged
    ) -> None:
        self._chunks = _slices(chunks)
        self._merged = merged
        self._number = 0
        self._strings = strings
        self._formats = {str(number): found for number, found in enumerate(formats)}
        self._ready: deque[Row] = deque()
        self._row: Row | None = None
        self._cell: dict[str, str] | None = None
        self._parts: list[str] = []
        self._open = False
        self._place = -1
        self._columns: dict[str, int] = {}
        self._count = self._others = self._hints = 0
        self._names = ("", "", "", "", "")
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_type
        self._parser.StartElementHandler = self._root
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._feed = _Feed(self._parser)
        self._done = False

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> Row:
        while not self._ready:
            if self._done:
                raise StopIteration
            chunk = next(self._chunks, None)
            self._done = chunk is None
            self._feed(chunk or b"", last=self._done)
            _refuse_long(self._parts)
        return self._ready.popleft()

    def _root(self, name: str, _attributes: dict[str, str]) -> None:
        """Learn from the first element which prefix the names have."""
        prefix = name[: name.rfind(":") + 1]
        self._names = (f"{prefix}v", f"{prefix}c", f"{prefix}row", f"{prefix}t", f"{prefix}rPh")
        self._others = 1
        self._parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        v, c, row, t, hint = self._names
        if name == v or (name == t and not self._hints):
            if self._open:
                raise _too_deep()
            self._open = True
        elif name == c:
            if self._cell is not None or self._row is None:
                raise _too_deep()
            self._cell = attributes
            reference = attributes.get("r")
            if reference:
                letters = reference.rstrip(_DIGITS)
                place = self._columns.get(letters)
                self._place = self._column(letters) if place is None else place
            else:
                self._place += 1
                if self._place >= _COLUMNS:
                    raise BadFile("bad_xlsx", f"the sheet has more than {_COLUMNS:,} columns")
        elif name == row:
            if self._row is not None:
                raise _too_deep()
            self._row, self._place = {}, -1
            number = attributes.get("r", "")
            self._number = (
                int(number) if number.isdecimal() and len(number) <= _ROW_DIGITS else self._number + 1
            )
        else:
            self._hints += name == hint
            self._others += 1
            if self._others > _DEPTH:
                raise _too_deep()

    def _data(self, text: str) -> None:
        if self._open:
            self._parts.append(text)

    def _end(self, name: str) -> None:
        v, c, row, t, hint = self._names
        if name == v or (name == t and not self._hints):
            self._open = False
        elif name == c:
            if self._parts:
                value = self._value("".join(self._parts))
                self._parts.clear()
                if value and self._row is not None:
                    self._row[self._place] = value
            self._cell = None
        elif name == row:
            if self._row:
                if self._merged:
                    self._merged.fill(self._number, self._row)
                self._ready.append(self._row)
                self._count += 1
                if self._count > _ROWS:
                    raise BadFile("bad_xlsx", f"the sheet has more than {_ROWS:,} rows")
            self._row = None
        else:
            self._hints -= name == hint
            self._others -= 1

    def _value(self, text: str) -> bytes:
        """Return what the CSV says of the cell that ends here."""
        cell = self._cell or {}
        kind = cell.get("t", "n")
        if kind == "s":
            return self._strings[int(text)] if text.isdecimal() else b""
        if kind == "n":
            format_of = self._formats.get(cell.get("s", ""), cells.plain_number)
            return _quoted(format_of(text.strip()))
        if kind in ("str", "inlineStr"):
            return _quoted(cells.string(text))
        if kind == "b":
            return cells.boolean(text).encode()
        return _quoted(text)  # an error such as #N/A, or a date in words of ISO 8601

    def _column(self, letters: str) -> int:
        """Return the place of a column by its letters, and keep it."""
        place = self._columns[letters] = column(letters)
        return place


def column(letters: str) -> int:
    """Return the place of a column, counted from 0, by its letters, such as AB."""
    place = 0
    if letters.isascii() and letters.isalpha() and len(letters) <= 3:  # noqa: PLR2004
        for letter in letters.upper():
            place = place * 26 + ord(letter) - ord("A") + 1
    if not 0 < place <= _COLUMNS:
        raise BadFile("bad_xlsx", "a cell of the sheet stands nowhere; save it again")
    return place - 1


def _quoted(text: str) -> bytes:
    if not ("," in text or '"' in text or "\n" in text or "\r" in text):
        return text.encode("utf-8", "surrogatepass")
    return ('"' + text.replace('"', '""') + '"').encode("utf-8", "surrogatepass")


def _slices(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks in slices, so that what one of them holds stays small."""
    for chunk in chunks:
        for start in range(0, len(chunk), _CHUNK):
            yield chunk[start : start + _CHUNK]


def _parser(start: Callable[[str, dict[str, str]], None], end: Callable[[str], None]) -> expat.XMLParserType:
    """Return a parser that calls `start` and `end` with names without prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise _too_deep()
        start(name.rpartition(":")[2], attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2])

    parser.StartDoctypeDeclHandler = _refuse_type
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    return parser


def _refuse_type(*_about: object) -> None:
    raise BadFile("bomb", "the workbook's XML declares a document type, which no workbook does")


def _too_deep() -> BadFile:
    return BadFile("bomb", "the workbook's XML is nested as that of no workbook is")


def _refuse_long(parts: list[str]) -> None:
    if len(parts) > 1 and sum(map(len, parts)) > _TEXT:
        raise BadFile("too_long", f"a cell holds more than {_TEXT >> 20} million characters")


class _Feed:
    """Bytes on their way into a parser, which holds what it cannot tell yet: a tag without end, say."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._fed = 0

    def __call__(self, chunk: bytes, *, last: bool = False) -> None:
        self._fed += len(chunk)
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            raise BadFile("bad_xlsx", "the workbook's XML is damaged; save it again") from error
        if self._fed - self._parser.CurrentByteIndex > _TEXT:
            raise BadFile("bomb", f"a tag in the workbook's XML is longer than {_TEXT >> 20} MiB")
