"""For whom a record is."""

from __future__ import annotations

import pytest

from lakehouse.outbound.record_definition import Owner


@pytest.mark.parametrize(
    ("owner", "said", "found"),
    [
        ({}, "5", "5"),
        ({}, "Maria Garcia", ""),
        ({}, "", ""),
        ({"default": "9"}, "Maria Garcia", "9"),
        ({"map": {"Maria Garcia": "5"}}, "Maria Garcia", "5"),
        ({"map": {"Maria Garcia": "5"}, "default": "9"}, "7", "9"),
        ({"property": "OwnerId"}, "005A", "005A"),
    ],
)
def test_whose_a_record_is(owner, said, found):
    """The map's word, an id, the default, or nobody's."""
    assert Owner.model_validate(owner).of(said) == found
