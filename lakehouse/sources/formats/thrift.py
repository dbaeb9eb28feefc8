"""Thrift's compact protocol, as far as a Parquet footer needs it: fields that are wanted are read, others skipped.

Libraries end the whole process on some damaged footers (pyarrow 26 calls `abort`). This reads within its bytes or
raises. Source: "Thrift Compact protocol encoding" in Thrift's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lakehouse.sources.formats.policy import ParquetPolicy

_LONG_LIST: Final = 15  # in place of the length of a list: it follows
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, LIST, _SET, _MAP, STRUCT = range(1, 13)
_BOOLEANS = (_TRUE, _FALSE)
_VARINTS = (_I16, _I32, _I64)
_LISTS = (LIST, _SET)
_FIXED_BYTES = {_BYTE: 1, _DOUBLE: 8}


class Damaged(Exception):  # noqa: N818 - the name says what the bytes are
    """The bytes are no Thrift, or more of it than anybody needs."""


class Reader:
    """Reads values one after the other. IndexError where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0
        self._skipped_values = 0
        self._max_depth = ParquetPolicy.max_thrift_depth
        self._max_values = ParquetPolicy.max_thrift_values

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield (id, type) of each field of a struct; its value is to be read or skipped before the next."""
        field_id = 0
        while head := self._byte():
            delta = head >> 4
            field_id = field_id + delta if delta else self.integer()
            yield field_id, head & 15

    def elements(self) -> Iterator[int]:
        """Yield the type of each element of a list, to be read or skipped before the next."""
        head = self._byte()
        count = head >> 4
        if count == _LONG_LIST:
            count = self._varint()
        for _ in range(count):
            yield head & 15  # it takes a byte at least, so the bytes end before a count that lies

    def integer(self) -> int:
        """Return a number of 16, 32 or 64 bits."""
        raw = self._varint()
        return (raw >> 1) ^ -(raw & 1)

    def skip(self, kind: int, depth: int = 0, *, boxed: bool = False) -> None:
        """Step over a value; `boxed` within lists and maps, where a boolean takes a byte."""
        self._skipped_values += 1
        if depth > self._max_depth or self._skipped_values > self._max_values:
            raise Damaged
        if kind in _VARINTS:
            self._varint()
        elif kind in _BOOLEANS:
            self._step(1 if boxed else 0)
        elif kind in _FIXED_BYTES:
            self._step(_FIXED_BYTES[kind])
        elif kind == _BINARY:
            self._step(self._varint())
        else:
            self._skip_container(kind, depth)

    def _skip_container(self, kind: int, depth: int) -> None:
        if kind == STRUCT:
            for _, field_kind in self.fields():
                self.skip(field_kind, depth + 1)
        elif kind in _LISTS:
            for element_kind in self.elements():
                self.skip(element_kind, depth + 1, boxed=True)
        elif kind == _MAP:
            self._skip_map(depth)
        else:
            raise Damaged

    def _skip_map(self, depth: int) -> None:
        count = self._varint()
        if not count:
            return
        kinds = self._byte()
        for _ in range(count):
            self.skip(kinds >> 4, depth + 1, boxed=True)
            self.skip(kinds & 15, depth + 1, boxed=True)

    def _byte(self) -> int:
        value = self._data[self._offset]
        self._offset += 1
        return value

    def _step(self, size: int) -> None:
        self._offset += size
        if self._offset > len(self._data):
            raise Damaged

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte has no high bit
                return value
            shift += 7
            if shift > 63:  # noqa: PLR2004 - 64 bits are the longest
                raise Damaged
