"""What values look like beside personal data: currencies, page addresses, codes, bank cards."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.value_patterns import entity_hints, is_bank_card


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
def test_entity_hints(values, kinds):
    """What most of the values look like; what is a page address or a currency may be a code, too."""
    hints = set(entity_hints(dict.fromkeys(values, 1)))
    assert hints - ({"code"} if "code" not in kinds else set()) == kinds


def test_bank_cards_have_a_check_digit():
    """Sixteen digits are no card by themselves."""
    assert is_bank_card("4111111111111111")
    assert not is_bank_card("4111111111111112")
    assert not is_bank_card("411111")


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"00:05:30": 9, "x": 1}, "clock"),
        ({"NO": 9, "Norway": 1}, "country_code"),
        ({"US-CA": 8, "California": 2}, "region_code"),
    ],
)
def test_a_hint_needs_a_share_of_the_values(values, hint):
    """Just enough of them give it; one value less does not."""
    fitting, *_ = values
    assert hint in entity_hints(values)
    assert hint not in entity_hints(values | {fitting: 1})


def test_no_values_no_hints():
    """Nothing is said of a column without values."""
    assert entity_hints({}) == ()
