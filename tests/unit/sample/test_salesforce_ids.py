"""Salesforce's ids tell each other apart where case is lost."""

from __future__ import annotations

import pytest

from lakehouse.sample.salesforce_ids import case_suffix


@pytest.mark.parametrize(
    ("short_id", "suffix"),
    [
        ("001000000000000", "AAA"),
        ("00Q500000000000", "EAA"),  # the third of five is a capital: bit 2
        ("AAAAAaaaaaAaaaa", "5AB"),
        ("aaaaAaaaAaaaAaa", "QIE"),
    ],
)
def test_each_suffix_says_which_of_five_characters_are_capitals(short_id: str, suffix: str) -> None:
    """The first of five is the lowest bit of A to Z, 0 to 5."""
    assert case_suffix(short_id) == suffix
