"""Columns of text, made without a loop over rows: numbers, money, dates, timestamps, identifiers.

Moments come in as local seconds since 1970; which system writes them how stands in each function.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.units import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UTC_OFFSET: Final = 8 * HOUR  # Asia/Shanghai, without summer time since 1992 (tz database)
_EPOCH = dt.date(1970, 1, 1)
_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_URL_SAFE = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)


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
    each_digit = values[:, None] // powers % 10
    return fixed_width((each_digit + ord("0")).astype(np.uint8))


def integers(values: Any) -> pa.Array:
    """Return whole numbers as they are usually written."""
    return pa.array(values).cast(pa.string())


def money(fen: Ints) -> pa.Array:
    """Return yuan with two decimals; a negative amount has a minus before it."""
    size = np.abs(fen)
    return joined(either(fen < 0, "-", ""), integers(size // 100), ".", digits(size % 100, 2))


def yuan(fen: int) -> str:
    """Return one amount, not negative, as `money` writes it."""
    return f"{fen // 100}.{fen % 100:02d}"


def joined(*parts: Any) -> pa.Array:
    """Return the parts of each row concatenated; a part is a column, or one text for all rows."""
    return pc.binary_join_element_wise(*parts, "")


def pick(choices: Sequence[str] | pa.Array, index: Ints) -> pa.Array:
    """Return the choice at each index."""
    texts = choices if isinstance(choices, pa.Array) else pa.array(choices, pa.string())
    return texts.take(pa.array(index))


def either(flags: Flags, if_true: str, if_false: str) -> pa.Array:
    """Return one of two texts for each flag."""
    return pick((if_false, if_true), flags.astype(np.int64))


def replaced_where(texts: pa.Array, flags: Flags, replace: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return the texts, with those of flagged rows replaced by what `replace` makes of them."""
    if not flags.any():
        return texts
    mask = pa.array(flags)
    return pc.replace_with_mask(texts, mask, replace(texts.filter(mask)))


def null_where(texts: pa.Array, flags: Flags) -> pa.Array:
    """Return the texts, null in flagged rows."""
    return pc.if_else(pa.array(flags), pa.scalar(None, pa.string()), texts)


def at_or_null(texts: pa.Array, index: Ints) -> pa.Array:
    """Return the text at each index, null at -1."""
    with_null = pa.concat_arrays([texts, pa.nulls(1, pa.string())])
    return with_null.take(pa.array(np.where(index < 0, len(texts), index)))


def hexadecimal(raw: Any) -> Any:
    """Return the ASCII codes of bytes written in base 16: (rows, n) becomes (rows, 2n)."""
    nibbles = np.empty((raw.shape[0], raw.shape[1] * 2), np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = raw >> 4, raw & 15
    return _HEX_DIGITS[nibbles]


def uuids(raw: Any) -> pa.Array:
    """Return random bytes of shape (rows, 16) in the shape of version 4 UUIDs (RFC 9562)."""
    codes = hexadecimal(raw)
    codes[:, 12], codes[:, 16] = ord("4"), ord("a")
    with_hyphens = np.full((len(codes), 36), ord("-"), np.uint8)
    for start, end, target in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        with_hyphens[:, target : target + end - start] = codes[:, start:end]
    return fixed_width(with_hyphens)


def url_tokens(prefix: str, raw: Any) -> pa.Array:
    """Return random bytes as letters safe in a URL, behind a prefix: the look of WeChat's openid."""
    return joined(prefix, fixed_width(_URL_SAFE[raw & 63]))


def days(seconds: Ints, write: Callable[[dt.date], str] = dt.date.isoformat) -> pa.Array:
    """Return the day of local seconds since 1970, as `write` writes a date."""
    day = seconds // DAY
    first, last = (int(day.min()), int(day.max())) if len(day) else (0, 0)
    written_days = [write(_EPOCH + dt.timedelta(days=number)) for number in range(first, last + 1)]
    return pick(written_days, day - first)


@cache
def _every_second() -> pa.Array:
    """Return HH:MM:SS of every second of a day."""
    second = np.arange(DAY)
    hours, minutes = digits(second // HOUR, 2), digits(second // MINUTE % 60, 2)
    return joined(hours, ":", minutes, ":", digits(second % 60, 2))


def clock(seconds: Ints) -> pa.Array:
    """Return the time of day, HH:MM:SS."""
    return _every_second().take(pa.array(seconds % DAY))


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
