"""JSON that is not one record a line becomes just that: arrays, wrapped arrays, pretty-printed or joined objects.

An element keeps its own text, byte for byte, but for line breaks between its tokens, which become spaces. Whether an
element is sound is for the reader of lines to say; here only brackets and strings are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lakehouse.errors import BadFile

LIMIT = 4 << 20  # bytes of one element
_STEP = 1 << 18
_OUT = 1 << 20
_HEAD = 1 << 16
_SPACE = rb"[ \t\r\n]*+"
_PLAIN = rb'[^"\[\]{}]*+'
_STRING = rb'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"'


def _nested(depth: int) -> bytes:
    """Return the pattern of an object or array of up to this depth, whose strings hold no line break."""
    inner = rb"|" + _nested(depth - 1) + _PLAIN if depth > 1 else b""
    return rb"[\[{]" + _PLAIN + rb"(?:(?:" + _STRING + _PLAIN + rb")++" + inner + rb")*+[\]}]"


_RECORD = re.compile(_SPACE + rb"(" + _nested(8) + rb")")
# The separator is part of the match: a number at the end of the buffer may go on.
_ELEMENT = re.compile(
    _SPACE + rb"(" + _nested(8) + rb"|" + _STRING + rb'|[^ \t\r\n"\[\]{},:]++)' + _SPACE + rb"([,\]])"
)
_BLANK = re.compile(_SPACE)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|"|[\[{]++|[\]}]++', re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n"\[\]{},:]++')
_STRING_OR_BREAK = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\r\n]', re.DOTALL)
_BREAK_TO_SPACE = bytes.maketrans(b"\r\n", b"  ")
_BREAK_TO_CONTROL = bytes.maketrans(b"\r\n", b"\x1f\x1f")  # no more allowed in a string, but one line

# What CRMs and their APIs put around their records: pages and counts before them, and by which name they call them.
_COUNTS = (
    rb"total|total_?size|total_?count|count|page|pages|per_?page|page_?size|limit|offset|done|next|previous"
    rb"|has_?more|cursor|status|code|success|ok|message|object|@odata\.[a-z]+"
)
_ABOUT = rb"meta|metadata|paging|pagination|links|_links"
_PAIR = (
    rb'"(?:(?:' + _COUNTS + rb')"\s*:\s*(?:' + _STRING + rb"|[-+.0-9a-z]++)"
    rb"|(?:" + _ABOUT + rb')"\s*:\s*' + _nested(3) + rb")\s*,\s*"
)
_WRAPPER = re.compile(
    rb"\{\s*(?:" + _PAIR + rb')*+"(?:data|records|results|rows|value|batch)"\s*:\s*\[(?=\s*[{\]])',
    re.IGNORECASE,
)
_ABOUT_KEY = re.compile(rb'"(?:' + _ABOUT + rb')"', re.IGNORECASE)


def as_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield NDJSON, about 1 MiB a chunk: the elements of each array, or of the one array that an object wraps.

    Objects side by side are elements too. Holds one element and one chunk in memory.
    Raises BadFile: broken_array (names the element's number), too_long (an element larger than 4 MiB).
    """
    lines: list[bytes] = []
    size = 0
    for element in _Elements(chunks).all():
        lines.append(element)
        size += len(element) + 1
        if size >= _OUT:
            lines.append(b"")
            yield b"\n".join(lines)
            lines, size = [], 0
    if lines:
        lines.append(b"")
        yield b"\n".join(lines)


def is_wrapper(head: bytes) -> bool:
    """Tell whether an object begins here that is but the envelope of an array of records."""
    return _WRAPPER.match(head) is not None


def end_of_value(text: bytes, start: int) -> int | None:
    """Return where the JSON value that begins at `start` ends; None where it goes on after the text."""
    first = text[start : start + 1]
    if first not in (b"{", b"[", b'"'):
        scalar = _SCALAR.match(text, start)
        return scalar.end() if scalar and scalar.end() < len(text) else None
    depth = 0
    for token in _TOKEN.finditer(text, start):
        found = token[0]
        if found == b'"':
            return None  # a string without an end
        if found[0] in b"[{":
            depth += len(found)
        elif found[0] in b"]}":
            if depth <= len(found):
                return token.start() + depth
            depth -= len(found)
        elif not depth:
            return token.end()
    return None


class _Elements:
    """The elements of a text that comes in chunks; `_at` is where the next one is looked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._text = b""
        self._at = 0
        self._number = 1

    def all(self) -> Iterator[bytes]:
        """Yield every element of every top-level value."""
        while first := self._next():
            if first == b"[":
                self._at += 1
                yield from self._array()
            elif first != b"{":
                raise self._broken("is neither an array nor an object")
            elif wrapper := self._wrapper():
                self._at = wrapper.end()
                yield from self._array()
                self._leave()
            else:
                yield from self._records()

    def _array(self) -> Iterator[bytes]:
        """Yield the elements up to the closing bracket, the opening one being read."""
        begun = False
        while True:
            text, at = self._text, self._at
            while match := _ELEMENT.match(text, at):
                element, end = match.groups()
                at = match.end()
                if len(element) > LIMIT:
                    raise self._too_long()
                self._number += 1
                begun = True
                # no string of it holds a line break, so these stand between tokens
                yield element.translate(_BREAK_TO_SPACE) if b"\n" in element or b"\r" in element else element
                if end == b"]":
                    self._at = at
                    return
            # the end of the buffer, an element that is deep or broken, or an array without elements
            self._at = at
            if self._next() == b"]" and not begun:
                self._at += 1
                return
            element = self._value()
            end = self._next()
            if end not in (b",", b"]"):
                raise self._broken(
                    "has no comma after it" if end else "is the last before the file breaks off"
                )
            self._at += 1
            self._number += 1
            begun = True
            yield element
            if end == b"]":
                return

    def _records(self) -> Iterator[bytes]:
        """Yield an object, and those after it that lie whole in the buffer and are no wrappers."""
        yield self._value()
        self._number += 1
        text, at = self._text, self._at
        while (match := _RECORD.match(text, at)) and text.startswith(b"{", match.start(1)):
            record = match[1]
            if len(record) > LIMIT or _WRAPPER.match(record):
                break
            at = match.end()
            self._number += 1
            yield record.translate(_BREAK_TO_SPACE) if b"\n" in record or b"\r" in record else record
        self._at = at

    def _wrapper(self) -> re.Match[bytes] | None:
        while len(self._text) - self._at < _HEAD and self._more():
            pass
        return _WRAPPER.match(self._text, self._at)

    def _leave(self) -> None:
        """Read what a wrapper holds after its records; BadFile where that is more than pages and counts."""
        while (sign := self._next()) == b",":
            self._at += 1
            self._next()
            key = self._value()
            if self._next() != b":":
                break
            self._at += 1
            opens = self._next()
            value = self._value()
            if (opens == b"[" and b"{" in value) or (opens == b"{" and not _ABOUT_KEY.fullmatch(key)):
                raise BadFile(
                    "broken_array", "beside the array of records stands more; send the records alone"
                )
        if sign != b"}":
            raise self._broken("is followed by what is no JSON object")
        self._at += 1

    def _value(self) -> bytes:
        """Return the value that begins here, on one line, and step behind it."""
        while (end := end_of_value(self._text, self._at)) is None:
            if len(self._text) - self._at > LIMIT:
                raise self._too_long()
            if not self._more():
                raise self._broken("breaks off, or is no JSON")
        value = self._text[self._at : end]
        if len(value) > LIMIT:
            raise self._too_long()
        self._at = end
        return _on_one_line(value)

    def _next(self) -> bytes:
        """Step over white space; return the byte that stands there, none at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _more(self) -> bool:
        """Drop what is read, add as much as remains, so that reading that again costs little; False at the end."""
        parts = [self._text[self._at :]]
        wanted = max(_STEP, len(parts[0]))
        while wanted > 0 and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            wanted -= len(chunk)
        if len(parts) == 1:
            return False
        self._text, self._at = b"".join(parts), 0
        return True

    def _broken(self, what: str) -> BadFile:
        return BadFile("broken_array", f"element {self._number:,} of the JSON {what}")

    def _too_long(self) -> BadFile:
        return BadFile("too_long", f"element {self._number:,} of the JSON is larger than {LIMIT >> 20} MiB")


def _on_one_line(element: bytes) -> bytes:
    """Return the element with spaces for line breaks between tokens; one within a string stays forbidden there."""
    if b"\n" not in element and b"\r" not in element:
        return element
    return _STRING_OR_BREAK.sub(
        lambda found: b" " if found[0] in b"\r\n" else found[0].translate(_BREAK_TO_CONTROL), element
    )
