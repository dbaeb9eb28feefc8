"""Samples of a plan show what is written and nobody whom one could write to."""

from __future__ import annotations

import pytest

from lakehouse.outbound.changes import Change
from lakehouse.outbound.preview import _sample, masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [("li.wei@shop.example.cn", "l…@….cn"), ("@x.org", "…@….org"), ("+8613800138000", "…00"), ("", "…")],
)
def test_an_address_is_masked(address, shown):
    """What is left tells two rows apart, and reaches nobody."""
    assert masked(address) == shown


def test_a_sample_hides_addresses_wherever_they_stand():
    """In a property, too; the customer's id is cut."""
    change = Change("upsert", "cus_0123456789", "ann@x.org", {"tier": "vip", "mail": "ann@x.org"})
    assert _sample(change) == {
        "customer": "cus_0123…", "id": "a…@….org", "properties": {"mail": "a…@….org", "tier": "vip"},
    }  # fmt: skip
