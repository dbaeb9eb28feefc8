"""Texts made without a loop over rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns

EVENING = 1_782_853_509  # 2026-06-30 21:05:09, local time


def test_texts_are_written_as_systems_write_them() -> None:
    """Money has two decimals and its sign; moments come in local time, with a zone, or as UTC."""
    moment = np.array([EVENING])
    assert text_columns.money(np.array([0, 5, -1005, 123456])).to_pylist() == [
        "0.00",
        "0.05",
        "-10.05",
        "1234.56",
    ]
    assert text_columns.digits(np.array([7, 12345]), 5).to_pylist() == ["00007", "12345"]
    assert text_columns.local(moment).to_pylist() == ["2026-06-30 21:05:09"]
    assert text_columns.local_iso(moment).to_pylist() == ["2026-06-30T21:05:09+08:00"]
    assert text_columns.utc_iso(moment).to_pylist() == ["2026-06-30T13:05:09Z"]
    assert text_columns.timestamps(moment).cast(pa.string()).to_pylist() == ["2026-06-30 21:05:09"]
    assert text_columns.local(np.array([], np.int64)).to_pylist() == []


def test_random_bytes_look_like_ids() -> None:
    """UUIDs say their version and variant, whatever the bytes."""
    ids = text_columns.uuids(np.array([[0] * 16, [255] * 16], np.uint8)).to_pylist()
    assert ids == ["00000000-0000-4000-a000-000000000000", "ffffffff-ffff-4fff-afff-ffffffffffff"]
    assert text_columns.url_tokens("o", np.array([[0, 63, 64]], np.uint8)).to_pylist() == ["oA_A"]


def test_some_texts_are_replaced_and_some_are_gone() -> None:
    """Rows that are not named stay as they are."""
    words = pa.array(["a", "b", None])
    assert text_columns.replaced_where(
        words, np.array([True, False, False]), lambda t: text_columns.joined(t, "!")
    ).to_pylist() == [*("a!", "b", None)]
    assert text_columns.null_where(words, np.array([False, True, False])).to_pylist() == ["a", None, None]
