"""No address reaches anybody."""

from __future__ import annotations

from typing import Any

import phonenumbers

from lakehouse.sample.purchases import addresses

RESERVED = {"example.com", "example.org", "example.net"}


def test_only_reserved_domains_and_fictional_american_numbers(sample: Any) -> None:
    """No generated address can reach anybody."""
    rows = [r["Email"] for r in (*sample.good("hubspot/contacts"), *sample.good("salesforce/contacts"))]
    traits = [e["traits"]["email"] for _, e in sample.events() if e["type"] == "identify"]
    truth = [email for p in sample.truth["people"] for email in p.get("emails", ())]
    for address in (*rows, *traits, *truth):
        _, at, domain = address.strip().lower().rpartition("@")
        assert not at or not domain or ".".join(domain.split(".")[-2:]) in RESERVED
    phones = [phone for p in sample.truth["people"] for phone in p.get("phones", ())]
    assert all(phone[5:10] == "55501" for phone in phones if phone.startswith("+1"))


def test_every_number_that_can_be_given_is_valid() -> None:
    """All area codes make valid American numbers, all 13x prefixes valid Chinese mobiles."""
    numbers = [f"+1{area}5550100" for area in addresses.US_AREA_CODES] + [
        f"+8613{n}00000000" for n in range(10)
    ]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    assert len(set(addresses.US_AREA_CODES)) == len(addresses.US_AREA_CODES)
