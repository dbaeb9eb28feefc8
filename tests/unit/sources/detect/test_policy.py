"""The tunable numbers of detection."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect import policy

POLICIES = [
    policy.TypePolicy,
    policy.DatePolicy,
    policy.DescriptionPolicy,
    policy.PersonalDataPolicy,
    policy.EntityHintPolicy,
]


@pytest.mark.parametrize(
    "knob", [knob for each in POLICIES for knob in each.knobs()], ids=lambda knob: knob.name
)
def test_shares_are_shares(knob):
    """Whatever is called a share is 0 to 1; all else is a whole number above 0."""
    if "share" in knob.meaning:
        assert 0 <= knob.value <= 1
    else:
        assert isinstance(knob.value, int)
        assert knob.value > 0


def test_a_hint_of_the_header_is_never_held_against_a_kind():
    """Where the header hints at a kind of personal data, no larger share of values must fit."""
    shares = {knob.name.partition(".")[2]: knob.value for knob in policy.PersonalDataPolicy.knobs()}
    hinted = {
        name.removesuffix("_hinted"): share for name, share in shares.items() if name.endswith("_hinted")
    }
    assert [name for name, share in hinted.items() if share > shares.get(name, 1.0)] == []
