"""An address that was read: which city and district its region's code says."""

from __future__ import annotations

import pytest

from lakehouse.identity.normalise.address_form import NO_ADDRESS, PostalAddress


@pytest.mark.parametrize(
    ("region", "city", "district"),
    [
        ("", "", ""),
        ("440000", "", ""),  # a province
        ("440300", "4403", ""),  # its city
        ("440305", "4403", "440305"),  # a district of it
        ("110105", "1101", "110105"),
    ],
)
def test_a_region_says_its_city_and_district(region: str, city: str, district: str) -> None:
    """GB/T 2260: two digits each of the province, the city and the district; 00 says nothing."""
    address = PostalAddress(region=region, street="x")
    assert (address.city, address.district) == (city, district)


def test_no_address_says_nothing() -> None:
    """It is what an address without a word is."""
    assert PostalAddress() == NO_ADDRESS
    assert {getattr(NO_ADDRESS, name) for name in PostalAddress.__slots__} == {""}
