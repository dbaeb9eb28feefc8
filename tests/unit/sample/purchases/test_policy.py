"""Every number of the sample says what it means, and shares stay shares."""

from __future__ import annotations

import pytest

from lakehouse.policy import Policy
from lakehouse.sample.purchases.policy import HubspotPolicy, PeoplePolicy, SalesforcePolicy, WebPolicy


@pytest.mark.parametrize("policy", [PeoplePolicy, HubspotPolicy, SalesforcePolicy, WebPolicy])
def test_every_number_says_what_it_means(policy: type[Policy]) -> None:
    """Shares are between 0 and 1."""
    knobs = policy.knobs()
    assert all(knob.meaning for knob in knobs)
    assert all(0 <= knob.value <= 1 for knob in knobs if isinstance(knob.value, float))


def test_as_many_can_be_in_salesforce_as_are_to_be() -> None:
    """Those in HubSpot too, and those who are not, are each no more than there are."""
    both = PeoplePolicy.in_salesforce * PeoplePolicy.salesforce_overlap
    assert both <= PeoplePolicy.in_hubspot
    assert PeoplePolicy.in_salesforce - both <= 1 - PeoplePolicy.in_hubspot
