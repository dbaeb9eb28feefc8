"""Ways of writing that a profile names, and the formats of a definition that read them; what values are beside."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.detect.format_names import formats_of
from lakehouse.sources.detect.value_patterns import bank_card, things


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
        ("count", ["1", "2"], (), False),
        ("ok", ["是", "否"], ("yes_no",), False),
        ("ok", ["true", "false"], (), False),
        ("note", ["a", "b"], (), False),
    ],
)
def test_formats(header, values, formats, ambiguous):
    """Nothing for what a plain cast reads; nothing, and a word, for days that may be months."""
    found = describe(header, dict.fromkeys(values, 1))
    assert formats_of(found.type, found.formats) == (formats, ambiguous)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["USD", "eur"], {"currency"}),
        (["人民币"], {"currency"}),
        (["男", "女"], {"gender"}),
        (["www.acme.example", "https://acme.example/x?y=1"], {"url"}),
        (["4111 1111 1111 1111", "5500005555555559"], {"bank_card"}),
        (["SO-1", "A17"], {"code"}),
        (["please call back", "Ann Lee"], set()),
        (["ann@example.com"], set()),
    ],
)
def test_things(values, kinds):
    """What most of the values are."""
    assert set(things(dict.fromkeys(values, 1))) - ({"code"} if "code" not in kinds else set()) == kinds


def test_bank_cards_have_a_check_digit():
    """Sixteen digits are no card by themselves."""
    assert bank_card("4111111111111111")
    assert not bank_card("4111111111111112")
    assert not bank_card("411111")
