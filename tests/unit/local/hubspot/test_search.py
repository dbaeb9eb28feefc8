"""The simulated search: HubSpot's limits, and changes that it shows late."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.local.hubspot.contact_store import Contact
from lakehouse.local.hubspot.search import BadSearch, Search, refusal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def contact(number: int, changed: str) -> Contact:
    return Contact(str(number), {"email": f"p{number}@x.org"}, "2026-01-01T00:00:00Z", changed)


CONTACTS = [contact(1, "2026-03-01T11:00:00Z"), contact(2, "2026-03-01T10:00:00Z")]


@pytest.mark.parametrize(
    ("body", "size", "reason"),
    [
        ({"limit": 201}, 0, "limit"),
        ({"limit": 200, "after": "9900"}, 0, "10000"),
        ({}, 3001, "length"),
        ({"sorts": [{"propertyName": "email"}, {"propertyName": "createdate"}]}, 0, "one sort"),
        ({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "x"}]}]}, 0, "invalid"),
    ],
)  # fmt: skip
def test_a_query_beyond_the_limits_is_refused(body, size, reason):
    """As HubSpot refuses it: 400."""
    with pytest.raises(BadSearch, match=reason) as refused:
        Search().find(CONTACTS, body, size)
    assert refusal(refused.value)[0] == 400


def test_a_change_is_shown_late():
    """By the lag that a test asks for; sorted by one property, in pages."""
    search = Search(lag=5_400, now=lambda: NOW)
    assert [one["id"] for one in search.find(CONTACTS, {}, 0)["results"]] == ["2"]
    sorts = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
    page = Search(now=lambda: NOW).find(CONTACTS, {"sorts": sorts, "limit": 1}, 0)
    assert (page["total"], page["results"][0]["id"], page["paging"]["next"]["after"]) == (2, "2", "1")
