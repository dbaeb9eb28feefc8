"""Columns of text without a loop over rows: digits, money, days, moments, identifiers."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company.random_arrays import Flags, Ints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DAY = 86_400
UTC_OFFSET = 8 * 3600  # Asia/Shanghai, without summer time since 1992 (tz database)
_EPOCH = dt.date(1970, 1, 1)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_SAFE = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)


def fixed_width(codes: Any) -> pa.Array:
    """Return texts of one width from their ASCII codes, of shape (rows, width) and type uint8."""
    rows, width = codes.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(
        rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(codes, np.uint8))
    )


def digits(values: Ints, width: int) -> pa.Array:
    """Return whole numbers with leading zeros."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return fixed_width((values[:, None] // powers % 10 + ord("0")).astype(np.uint8))


def integers(values: Any) -> pa.Array:
    """Return numbers as they are usually written."""
    return pa.array(values).cast(pa.string())


def money(fen: Ints) -> pa.Array:
    """Return yuan with two decimals; a negative amount has a minus before it."""
    size = np.abs(fen)
    return joined(
        pick(("", "-"), (fen < 0).astype(np.int64)), integers(size // 100), ".", digits(size % 100, 2)
    )


def joined(*parts: Any) -> pa.Array:
    """Return the parts of each row, columns or one text for all, one behind the other."""
    return pc.binary_join_element_wise(*parts, "")


def pick(words: Sequence[str] | pa.Array, index: Ints) -> pa.Array:
    """Return the word at each index."""
    choices = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    return choices.take(pa.array(index))


def replaced_where(texts: pa.Array, where: Flags, by: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return the texts, with those of some rows replaced by what `by` makes of them."""
    if not where.any():
        return texts
    mask = pa.array(where)
    return pc.replace_with_mask(texts, mask, by(texts.filter(mask)))


def null_where(texts: pa.Array, where: Flags) -> pa.Array:
    """Return the texts, with nothing (null) in some rows."""
    return pc.if_else(pa.array(where), pa.scalar(None, pa.string()), texts)


def hexadecimal(raw: Any) -> Any:
    """Return the ASCII codes of bytes written in base 16: (rows, n) becomes (rows, 2n)."""
    nibbles = np.empty((raw.shape[0], raw.shape[1] * 2), np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = raw >> 4, raw & 15
    return _HEX[nibbles]


def uuids(raw: Any) -> pa.Array:
    """Return random bytes of shape (rows, 16) in the shape of version 4 UUIDs (RFC 9562)."""
    codes = hexadecimal(raw)
    codes[:, 12], codes[:, 16] = ord("4"), ord("a")
    whole = np.full((len(codes), 36), ord("-"), np.uint8)
    for start, end, to in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        whole[:, to : to + end - start] = codes[:, start:end]
    return fixed_width(whole)


def url_tokens(prefix: str, raw: Any) -> pa.Array:
    """Return random bytes as letters safe in a URL, behind a prefix: the look of WeChat's openid."""
    return joined(prefix, fixed_width(_SAFE[raw & 63]))


def days(seconds: Ints, write: Callable[[dt.date], str] = dt.date.isoformat) -> pa.Array:
    """Return the day of local seconds since 1970, as `write` writes a date."""
    day = seconds // DAY
    first, last = (int(day.min()), int(day.max())) if len(day) else (0, 0)
    table = [write(_EPOCH + dt.timedelta(days=n)) for n in range(first, last + 1)]
    return pick(table, day - first)


@cache
def _clock() -> pa.Array:
    second = np.arange(DAY)
    return joined(digits(second // 3600, 2), ":", digits(second // 60 % 60, 2), ":", digits(second % 60, 2))


def clock(seconds: Ints) -> pa.Array:
    """Return the time of day, HH:MM:SS."""
    return _clock().take(pa.array(seconds % DAY))


def local(seconds: Ints) -> pa.Array:
    """Return local moments as a system without zones writes them: 2026-06-30 21:05:00."""
    return joined(days(seconds), " ", clock(seconds))


def local_iso(seconds: Ints) -> pa.Array:
    """Return local moments with their zone (ISO 8601): 2026-06-30T21:05:00+08:00."""
    return joined(days(seconds), "T", clock(seconds), "+08:00")


def utc_iso(seconds: Ints) -> pa.Array:
    """Return local moments as UTC: 2026-06-30T13:05:00Z."""
    moment = seconds - UTC_OFFSET
    return joined(days(moment), "T", clock(moment), "Z")


def utc(seconds: Ints) -> pa.Array:
    """Return local moments as UTC, by a system that says so nowhere: 2026-06-30 13:05:00."""
    return local(seconds - UTC_OFFSET)


def utc_minutes(seconds: Ints) -> pa.Array:
    """Return the same to the minute: 2026-06-30 13:05."""
    return pc.utf8_slice_codeunits(utc(seconds), 0, 16)


def timestamps(seconds: Any) -> pa.Array:
    """Return local seconds since 1970 as Arrow's local timestamps; the world's tables hold these."""
    return pa.array(np.asarray(seconds, np.int64)).view(pa.timestamp("s"))
