"""Addresses of either script; whatever stands in the field, it is read."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.identity.normalise.address_form import NO_ADDRESS
from lakehouse.identity.normalise.addresses import postal_address
from lakehouse.identity.normalise.policy import AddressPolicy


def test_each_script_has_its_reader() -> None:
    """Chinese by region code, Western by commas; nothing is no address."""
    assert postal_address("杭州市西湖区文三路1号").region == "330106"
    assert postal_address("1 High Street, Bath").street == "high st"
    assert postal_address(None) is postal_address(" --,") is NO_ADDRESS
    assert len(postal_address("1 " + "x" * 10_000).street) <= AddressPolicy.longest_address


@given(st.one_of(st.text(max_size=400), st.text(alphabet="省市区路号1栋-,a st.北京朝阳", max_size=40)))
def test_any_text_is_read(text: str) -> None:
    """No text is an exception; what it says is no longer than what is read, and the same again."""
    read = postal_address(text)
    assert len(read.street) <= AddressPolicy.longest_address
    assert read.region in {"", "000000"} or re.fullmatch("[0-9]{6}", read.region)
    assert postal_address(text) == read
