# ruff: noqa: DTZ001 - clocks without a zone are what is tried
"""What stands in cells, as strategies: numbers and times in all ways of writing, and what only looks like them."""

from __future__ import annotations

from datetime import datetime

from hypothesis import strategies as st

digits = st.text("0123456789", max_size=24)
numbers = (
    st.builds(
        "{}{}{}{}{}".format,
        st.sampled_from(["", "", "", "-", "+", " "]),
        digits,
        st.sampled_from(["", ".", ".", "."]),
        digits,
        st.sampled_from(["", "", "", "", "e0", "E2", "e-3", "e+12", "E-20", "e400", "e-400", "e", " "]),
    )
    | st.floats().map(repr)
    | st.integers(-(2**70), 2**70).map(str)
    | st.decimals(allow_nan=False).map(str)
)
odd_numbers = st.sampled_from(
    ["NaN", "nan", "Infinity", "-inf", "1e400", "1_000", "0x1F", "0b1", "+-1", "١٢", "１２.５", "1 299.00", "1,299.00",
     "10.50-", "(5)", "¥1,299.005", "1.299,00 €", "", "-", ".", "9007199254740993", "9007199254740993.5", "4711.0",
     "0.1000000000000000055511151231257827", "1.7976931348623157e308", "5e-324", "1e-320", "-0", "-0.0"]
)  # fmt: skip
clocks = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(
    lambda t: t.isoformat(" ")
) | st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(
    lambda t: t.replace(microsecond=0).isoformat("T")
)
zones = st.sampled_from(
    ["", "", "Z", " UTC", " GMT", "+05:30", "-0500", "+08", " +05:30", " Asia/Shanghai", " America/New_York",
     "[Europe/Berlin]", " EST", " CST", " BST", " IST", " NZ", " EST5EDT", " Zulu", " Foo/Bar", " GMT+8",
     "+08:00[Asia/Shanghai]", " (UTC)"]
)  # fmt: skip
times = st.builds("{}{}".format, clocks, zones) | st.sampled_from(
    ["infinity", "-infinity", "epoch", "2026-01-05", "0044-03-15 (BC)", "2026-1-5 8:30", "2026-03-08 02:30:00",
     "46027.75", "2026-01-05T08:30:00.1234567Z", "20260105083000", "5-1-26", "05/23/80", "2026年1月5日10:30",
     "12026-01-01", "2026-01-05x"]
)  # fmt: skip
others = st.sampled_from(
    ["true", "no", "是", "×", "abc", "\\N", "1.38E+10", '="0123"', "'77", " x ", "null"]
) | st.text(max_size=12)
texts = numbers | odd_numbers | times | others
