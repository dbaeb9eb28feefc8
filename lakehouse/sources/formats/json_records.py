"""JSON that is not one record a line becomes just that: arrays, wrapped arrays, pretty-printed or joined objects.

An element keeps its own text, byte for byte, but for line breaks between its tokens, which become spaces. Whether an
element is sound is for the reader of lines to say; here only brackets and strings are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lakehouse.errors import BadFile
from lakehouse.sources.formats.byte_stream import joined
from lakehouse.sources.formats.json_patterns import (
    BLANK,
    ELEMENT,
    META_KEY,
    RECORD,
    SCALAR,
    STRING_OR_BREAK,
    TOKEN,
    WRAPPER,
)
from lakehouse.sources.formats.policy import JsonPolicy

_BREAK_TO_SPACE = bytes.maketrans(b"\r\n", b"  ")
_BREAK_TO_CONTROL = bytes.maketrans(b"\r\n", b"\x1f\x1f")  # no more allowed in a string, but one line
_OPENING = (b"{", b"[", b'"')


def as_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield NDJSON, about 1 MiB a chunk: the elements of each array, or of the one array that an object wraps.

    Objects side by side are elements too. Holds one element and one chunk in memory.
    Raises BadFile: broken_array (names the element's number), too_long (an element larger than 4 MiB).
    """
    return joined(_Elements(chunks).all(), JsonPolicy.write_bytes, end=b"\n")


def is_wrapper(head: bytes) -> bool:
    """Tell whether a text begins with an object that is but the envelope of an array of records."""
    return WRAPPER.match(head) is not None


def end_of_value(text: bytes, start: int) -> int | None:
    """Return the offset behind the JSON value that begins at `start`; None where it goes on after the text."""
    if text[start : start + 1] not in _OPENING:
        scalar = SCALAR.match(text, start)
        return scalar.end() if scalar and scalar.end() < len(text) else None
    depth = 0
    for match in TOKEN.finditer(text, start):
        token = match[0]
        if token == b'"':
            return None  # a string without an end
        if token[0] in b"[{":
            depth += len(token)
        elif token[0] in b"]}":
            if depth <= len(token):
                return match.start() + depth
            depth -= len(token)
        elif not depth:
            return match.end()
    return None


class _Elements:
    """The elements of a text that comes in chunks: `_text` is the part in memory, `_at` the offset of what is next."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._text = b""
        self._at = 0
        self._number = 1  # of the element that is read next
        self._max_bytes = JsonPolicy.max_element_bytes

    def all(self) -> Iterator[bytes]:
        """Yield every element of every top-level value."""
        while first_byte := self._next_byte():
            if first_byte == b"[":
                self._at += 1
                yield from self._array()
            elif first_byte != b"{":
                raise self._broken("is neither an array nor an object")
            elif wrapper := self._wrapper():
                self._at = wrapper.end()
                yield from self._array()
                self._leave_wrapper()
            else:
                yield from self._records()

    def _array(self) -> Iterator[bytes]:
        """Yield the elements up to the closing bracket, the opening one being read."""
        first_number = self._number
        while True:
            text, at = self._text, self._at
            while match := ELEMENT.match(text, at):
                element, separator = match.groups()
                at = match.end()
                if len(element) > self._max_bytes:
                    raise self._too_long()
                self._number += 1
                # no string of it holds a line break, so these stand between tokens
                yield element.translate(_BREAK_TO_SPACE) if b"\n" in element or b"\r" in element else element
                if separator == b"]":
                    self._at = at
                    return
            self._at = at
            # the end of the buffer, an element that is deep or broken, or an array without elements
            is_empty = self._number == first_number
            if self._next_byte() == b"]" and is_empty:
                self._at += 1
                return
            element = self._value()
            is_last = self._step_over_separator()
            self._number += 1
            yield element
            if is_last:
                return

    def _step_over_separator(self) -> bool:
        """Read what stands behind an element; tell whether it is the end of the array."""
        separator = self._next_byte()
        if not separator:
            raise self._broken("is the last before the file breaks off")
        if separator not in b",]":
            raise self._broken("has no comma after it")
        self._at += 1
        return separator == b"]"

    def _records(self) -> Iterator[bytes]:
        """Yield an object, and those after it that lie whole in the buffer and are no wrappers."""
        yield self._value()
        self._number += 1
        text, at = self._text, self._at
        while (match := RECORD.match(text, at)) and text.startswith(b"{", match.start(1)):
            record = match[1]
            if len(record) > self._max_bytes or is_wrapper(record):
                break
            at = match.end()
            self._number += 1
            yield record.translate(_BREAK_TO_SPACE) if b"\n" in record or b"\r" in record else record
        self._at = at

    def _wrapper(self) -> re.Match[bytes] | None:
        while len(self._text) - self._at < JsonPolicy.wrapper_bytes and self._read_more():
            pass
        return WRAPPER.match(self._text, self._at)

    def _leave_wrapper(self) -> None:
        """Read what a wrapper holds after its records; BadFile where that is more than pages and counts."""
        while (sign := self._next_byte()) == b",":
            self._at += 1
            self._next_byte()
            key = self._value()
            if self._next_byte() != b":":
                break
            self._at += 1
            self._next_byte()
            self._refuse_more_records(key, self._value())
        if sign != b"}":
            raise self._broken("is followed by what is no JSON object")
        self._at += 1

    def _refuse_more_records(self, key: bytes, value: bytes) -> None:
        is_array_of_objects = value.startswith(b"[") and b"{" in value
        is_unknown_object = value.startswith(b"{") and not META_KEY.fullmatch(key)
        if is_array_of_objects or is_unknown_object:
            raise BadFile("broken_array", "beside the array of records stands more; send the records alone")

    def _value(self) -> bytes:
        """Return the value that begins here, on one line, and step behind it."""
        while (end := end_of_value(self._text, self._at)) is None:
            if len(self._text) - self._at > self._max_bytes:
                raise self._too_long()
            if not self._read_more():
                raise self._broken("breaks off, or is no JSON")
        value = self._text[self._at : end]
        if len(value) > self._max_bytes:
            raise self._too_long()
        self._at = end
        return _on_one_line(value)

    def _next_byte(self) -> bytes:
        """Step over white space; return the byte behind it without reading it, none at the end."""
        while True:
            blank = BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text) or not self._read_more():
                return self._text[self._at : self._at + 1]

    def _read_more(self) -> bool:
        """Drop what is read, add as much as remains, so that reading that again costs little; False at the end."""
        buffered = [self._text[self._at :]]
        missing = max(JsonPolicy.read_bytes, len(buffered[0]))
        while missing > 0 and (chunk := next(self._chunks, None)) is not None:
            buffered.append(chunk)
            missing -= len(chunk)
        if len(buffered) == 1:
            return False
        self._text, self._at = b"".join(buffered), 0
        return True

    def _broken(self, problem: str) -> BadFile:
        return BadFile("broken_array", f"element {self._number:,} of the JSON {problem}")

    def _too_long(self) -> BadFile:
        limit = f"{self._max_bytes >> 20} MiB"
        return BadFile("too_long", f"element {self._number:,} of the JSON is larger than {limit}")


def _on_one_line(element: bytes) -> bytes:
    """Return the element with spaces for line breaks between tokens; one within a string stays forbidden there."""
    if b"\n" not in element and b"\r" not in element:
        return element

    def replaced(match: re.Match[bytes]) -> bytes:
        if match[0] in b"\r\n":
            return b" "
        return match[0].translate(_BREAK_TO_CONTROL)

    return STRING_OR_BREAK.sub(replaced, element)
