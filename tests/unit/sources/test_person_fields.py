"""What a source says of the person that its record is."""

from __future__ import annotations

import pytest

from lakehouse.sources.definition import load
from lakehouse.sources.person_fields import person_of


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (("hubspot", "contacts"),
         {"first_name", "last_name", "birth_date", "address", "city", "region_code", "country"}),
        (("web", "events"), {"name", "first_name", "last_name"}),
        (("shop", "orders"), set()),
        (("weather", "daily"), set()),
    ],
)  # fmt: skip
def test_what_is_mapped_to_contacts_or_written_as_person(place, fields):
    """A source whose records carry no identifier says nothing of anybody."""
    assert set(person_of(load()[place])) == fields
