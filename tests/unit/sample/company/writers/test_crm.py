"""The exports of a CRM of no particular make, and tickets of offices whose CRM has none."""

from __future__ import annotations

import re
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("entity", "column", "other", "key"),
    [
        ("ownerships", "contact_id", "contacts", "contact_id"),
        ("customer_attributes", "record_id", "contacts", "contact_id"),
        ("deals", "contact_id", "contacts", "contact_id"),
        ("deal_stages", "deal_id", "deals", "deal_id"),
        ("activities", "contact_id", "contacts", "contact_id"),
        ("activities", "deal_id", "deals", "deal_id"),
        ("activities", "user_id", "users", "user_id"),
        ("leads", "converted_contact_id", "contacts", "contact_id"),
        ("tickets", "contact_id", "contacts", "contact_id"),
        ("tickets", "owner_id", "users", "user_id"),
    ],
)
def test_references_name_records_that_are_exported(
    exports: Any, entity: str, column: str, other: str, key: str
) -> None:
    """Or nothing: tickets of other offices name no contact."""
    named = set(exports[f"crm/{entity}"][column]) - {None}
    assert named <= set(exports[f"crm/{other}"][key])
    assert named


def test_moments_are_utc(exports: Any) -> None:
    """And say so with a Z."""
    for columns in (exports["crm/contacts"], exports["crm/tickets"], exports["crm/deals"]):
        assert all(
            re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment) for moment in columns["created_at"]
        )


def test_only_parents_say_when_a_child_was_born(exports: Any) -> None:
    """One attribute a contact, of those who have a child."""
    attributes = exports["crm/customer_attributes"]
    assert set(attributes["attribute"]) == {"child_birth_year"}
    assert all(int(year) > 2000 for year in attributes["value"])
    assert len(attributes["record_id"]) < len(exports["crm/contacts"]["contact_id"])


def test_only_calls_and_meetings_have_a_duration(exports: Any) -> None:
    """In seconds."""
    activities = exports["crm/activities"]
    timed = {
        kind for kind, seconds in zip(activities["kind"], activities["duration_s"], strict=True) if seconds
    }
    assert timed == {"call", "meeting"}
