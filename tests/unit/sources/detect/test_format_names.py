"""Ways of writing that a profile names, and the formats of a definition that read them."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.detect.format_names import formats_of


@pytest.mark.parametrize(
    ("header", "values", "formats", "ambiguous"),
    [
        ("day", ["2026-01-05"], (), False),
        ("day", ["2026/1/5", "2026/11/25"], ("ymd",), False),
        ("day", ["20260105", "20251231"], ("ymd",), False),
        ("day", ["5/1/26", "25/1/26"], ("dmy",), False),
        ("day", ["1/25/2026"], ("mdy",), False),
        ("day", ["5/1/26"], (), True),
        ("day", ["25/1/26", "1/25/26"], (), True),
        ("日期", ["2026年1月5日", "46027"], ("chinese", "excel"), False),
        ("日期", ["二〇二六年一月五日"], ("chinese",), False),
        ("price", ["1.50", "2.00"], (), False),
        ("price", ["¥1,299.00", "5元"], ("amount",), False),
        ("price", ["1.299,00 €"], ("amount_comma",), False),
        ("price", ["1 299,00", "12,50"], ("amount_comma",), False),
        ("price", ["1'299.00", "12.50"], ("amount",), False),
        ("count", ["1", "2"], (), False),
        ("ok", ["是", "否"], ("yes_no",), False),
        ("ok", ["true", "false"], (), False),
        ("ok", ["ja", "nein"], ("yes_no",), False),
        ("note", ["a", "b"], (), False),
    ],
)
def test_formats(header, values, formats, ambiguous):
    """Nothing for what a plain cast reads; nothing, and a word, for days that may be months."""
    description = describe(header, dict.fromkeys(values, 1))
    assert formats_of(description.type, description.formats) == (formats, ambiguous)
