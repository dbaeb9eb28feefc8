"""How days and moments are written, in English and Chinese; what only looks like them."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.dates import epoch_moment, moment, serial_day


@pytest.mark.parametrize(
    ("text", "format_", "kind", "year"),
    [
        ("2026-01-05", "yyyy-mm-dd", "date", 2026),
        ("2026/1/5", "yyyy/m/d", "date", 2026),
        ("5-1-26", "?-?-yy", "date", 2026),
        ("25-1-26", "d-m-yy", "date", 2026),
        ("1-25-69", "m-d-yy", "date", 1969),
        ("25.1.70", "d.m.yy", "date", 1970),
        ("05.01.2026", "?.?.yyyy", "date", 2026),
        ("20260105", "yyyymmdd", "date", 2026),
        ("20260105T101112Z", "yyyymmddhhmmss", "timestamptz", 2026),
        ("2026年1月5日", "yyyy年m月d日", "date", 2026),
        ("26年1月5号", "yy年m月d日", "date", 2026),
        ("2026年1月5日 下午3时5分", "yyyy年m月d日 h时m分", "timestamptz", 2026),
        ("二〇二六年一月五日", "二〇〇〇年一月一日", "date", 2026),
        ("二零二六年十二月三十一日", "二〇〇〇年一月一日", "date", 2026),
        ("九八年十月二十日", "二〇〇〇年一月一日", "date", 1998),
        ("Jan 5, 2026", "mmm d, yyyy", "date", 2026),
        ("5 January 26", "d mmm yyyy", "date", 2026),
        ("Mon, 05 Jan 2026 10:00:00 GMT", "d mmm yyyy hh:mm:ssZ", "timestamptz", 2026),
        ("2026-01-05T10:00:00.123+08:00", "yyyy-mm-ddThh:mm:ss.fff±zz", "timestamptz", 2026),
        ("2026/1/5 3:04 PM", "yyyy/m/d hh:mm am/pm", "timestamptz", 2026),
    ],
)
def test_days_and_moments(text, format_, kind, year):
    """The format says how, and nothing of when."""
    assert moment(text) == (format_, kind, year)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30", "20261305", "20260105256060", "2026-1", "10.1.1.7", "1-2-3", "2026-1-2026", "123-1-26"),
        *("2026-01-05 25:00", "0000-01-01", "二〇二六年十三月五日", "二〇二六年一月三十二日"),
        *("二〇二六年十十月五日", "一月五日"),
        *("12:30", "", "hello", "4" * 61, "May 32, 2026", "2500-01-01", "一二年二三月五日"),
    ],
)  # fmt: skip
def test_what_is_no_day(text):
    """No day of the calendar, no time of the day, or something else."""
    assert moment(text) is None


def test_numbers_that_stand_for_days():
    """Spreadsheets count days, programs seconds; only within what a shop can mean."""
    assert serial_day("46027") == ("Excel serial", "date", 2026)
    assert serial_day("46027.5") == ("Excel serial", "timestamptz", 2026)
    assert [serial_day(text) for text in ("19999", "60000", "4602", "x")] == [None] * 4
    assert epoch_moment("1767571200") == ("epoch s", "timestamptz", 2026)
    assert epoch_moment("1767571200123") == ("epoch ms", "timestamptz", 2026)
    assert [epoch_moment(text) for text in ("0000000001", "176757120", "x")] == [None] * 3
