"""Conditions read as sentences."""

from __future__ import annotations

from lakehouse.segments.who import Who
from lakehouse.segments.who_words import words


def test_a_condition_reads_as_a_sentence():
    """For reasons, pull requests and the history."""
    who = Who.model_validate({
        "all": [
            {"field": "city", "in": ["Oslo", "Bergen"]},
            {"not": {"count": "purchases", "that": {"field": "product", "is": "Tea"}, "in_last": "90 days",
             "at_least": 2}},
            {"any": [{"field": "revenue", "between": [1, 5]}, {"field": "email_marketing", "known": False}]},
        ],
    })  # fmt: skip
    assert words(who) == (
        "(city in Oslo, Bergen and not purchases that product is Tea in last 90 days: at least 2 "
        "and (revenue between 1 and 5 or email_marketing is not known))"
    )
