"""Whom a text names: a customer id, an address in its normal form, or a value of a type."""

from __future__ import annotations

import pytest

from lakehouse.stages.explain_identity import Explanation, _named_by


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("c_0123456789abcdef", "", "c_0123456789abcdef"),
        (" ANN@X.org ", "", "ann@x.org"),
        ("+1 (415) 555-2671", "", "+14155552671"),
        ("crm_id: 42", "crm_id", "42"),
        ("Note:42", "", "Note:42"),
    ],
)
def test_what_a_text_may_stand_for(text, kind, value):
    """What looks like a type before a colon is one."""
    named = _named_by(text)
    assert named["type"] == kind
    assert value in named["values"]


def test_an_explanation_is_plain_json():
    """By the names of its fields."""
    assert Explanation("c_1", [], [], [], [], []).as_json() == {
        "customer_id": "c_1", "identifiers": [], "evidence": [], "others": [], "alike": [], "history": [],
    }  # fmt: skip
