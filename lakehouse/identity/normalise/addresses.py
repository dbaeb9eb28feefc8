"""Postal addresses, Chinese or Western, in parts that compare."""

from __future__ import annotations

from functools import lru_cache

from lakehouse.identity.normalise.address_form import NO_ADDRESS, PostalAddress
from lakehouse.identity.normalise.chinese_addresses import chinese_address
from lakehouse.identity.normalise.policy import AddressPolicy
from lakehouse.identity.normalise.sounds import HAN
from lakehouse.identity.normalise.western_addresses import western_address


@lru_cache(maxsize=AddressPolicy.remembered_addresses)
def postal_address(text: str | None) -> PostalAddress:
    """Return the parts of an address as people write it in one field; `NO_ADDRESS` where there is none.

    Only the first `AddressPolicy.longest_address` characters are looked at. Never an exception.
    """
    if not text or not any(map(str.isalnum, text)):
        return NO_ADDRESS
    return chinese_address(text) if HAN.search(text) else western_address(text)
