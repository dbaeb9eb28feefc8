"""Thrift's compact protocol: what is wanted is read, everything else skipped, and nothing read beyond the end."""

from __future__ import annotations

import pytest

from lakehouse.sources.formats.policy import ParquetPolicy
from lakehouse.sources.formats.thrift import LIST, STRUCT, Damaged, Reader

I32 = 5


def test_fields_are_numbered_by_steps_or_in_full():
    """A step of 0 is followed by the number itself."""
    reader = Reader(b"\x15\x02" + b"\x25\x03" + b"\x05\x28\x04" + b"\x00")
    found = [(number, kind, reader.integer()) for number, kind in reader.fields()]
    assert found == [(1, I32, 1), (3, I32, -2), (20, I32, 2)]


@pytest.mark.parametrize(("head", "count"), [(b"\x25", 2), (b"\xf5\x10", 16)])
def test_lists_say_how_many_elements_they_have(head, count):
    """In four bits, or behind them."""
    reader = Reader(head + b"\x02" * count)
    assert [(kind, reader.integer()) for kind in reader.elements()] == [(I32, 1)] * count


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (1, b""),  # a boolean of a field is in its type
        (3, b"x"),
        (5, b"\x80\x01"),
        (7, b"12345678"),
        (8, b"\x03abc"),
        (LIST, b"\x21\x01\x02"),  # two booleans take a byte each
        (11, b"\x00"),
        (11, b"\x01\x58\x02\x01k"),  # one number and one text
        (STRUCT, b"\x15\x02\x00"),
    ],
)
def test_a_skipped_value_ends_where_the_next_begins(kind, value):
    """Of every type."""
    reader = Reader(value + b"\x54")
    reader.skip(kind)
    assert reader.integer() == 42


@pytest.mark.parametrize(
    ("kind", "value"), [(0, b""), (14, b""), (8, b"\x7fabc"), (5, b"\x80" * 11), (STRUCT, b"\x1c" * 99)]
)
def test_what_is_no_thrift_is_damaged(kind, value):
    """Unknown types, texts beyond the end, endless numbers, depth."""
    with pytest.raises((Damaged, IndexError)):
        Reader(value).skip(kind)


def test_more_values_than_anybody_needs(monkeypatch):
    """Skipping ends."""
    monkeypatch.setattr(ParquetPolicy, "max_thrift_values", 3)
    with pytest.raises(Damaged):
        Reader(b"\x45" + b"\x02" * 4).skip(LIST)
