"""Parquet files that are a footer alone, written byte by byte."""

from __future__ import annotations

import struct


def footer(body: bytes) -> bytes:
    """Return a file with this footer and no rows."""
    return b"PAR1" + body + struct.pack("<I", len(body)) + b"PAR1"


def varint(number: int) -> bytes:
    """Return a number as Thrift's compact protocol writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))
