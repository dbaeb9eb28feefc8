"""Western addresses: number, street, unit, place and postcode, in the orders that countries have."""

from __future__ import annotations

import pytest

from lakehouse.identity.normalise.western_addresses import western_address


@pytest.mark.parametrize(
    ("text", "number", "street", "unit", "locality", "postcode"),
    [
        ("12 High Street Apt 4, Springfield, IL 62704", "12", "high st", "4", "springfield", "62704"),
        ("12 High St., # 4, Springfield, IL 62704", "12", "high st", "4", "springfield", "62704"),
        ("5/12 High St, Carlton, VIC 3053", "12", "high st", "5", "carlton", "3053"),
        ("Unit 5, 12 High Street, Carlton, VIC 3053", "12", "high st", "5", "carlton", "3053"),
        ("Hauptstraße 5a, D-10115 Berlin", "5a", "haupt st", "", "berlin", "10115"),
        ("Hauptstr. 5 a\n10115 Berlin", "5a", "haupt st", "", "berlin", "10115"),
        ("The Cottage, 3 Mill Lane, Bath BA1 1AA", "3", "mill ln", "", "bath", "ba11aa"),
        ("10 Downing Street, London SW1A 2AA", "10", "downing st", "", "london", "sw1a2aa"),
        ("High Street", "", "high st", "", "", ""),
        ("", "", "", "", "", ""),
    ],
)
def test_the_parts_of_an_address(text, number, street, unit, locality, postcode) -> None:
    """Two spellings of one door have the same parts."""
    read = western_address(text)
    assert (read.number, read.street, read.unit, read.locality, read.postcode) == (
        number,
        street,
        unit,
        locality,
        postcode,
    )
