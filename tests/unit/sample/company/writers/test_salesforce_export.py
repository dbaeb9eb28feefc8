"""Salesforce's exports: ids of 18 characters, and references to records of other exports."""

from __future__ import annotations

import re
from typing import Any

import pytest

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.mark.parametrize(
    ("entity", "column", "other"),
    [
        ("opportunities", "ContactId", "contacts"),
        ("opportunities", "OwnerId", "users"),
        ("opportunity_history", "OpportunityId", "opportunities"),
        ("opportunity_history", "CreatedById", "users"),
        ("tasks", "WhoId", "contacts"),
        ("tasks", "WhatId", "opportunities"),
        ("events", "WhoId", "contacts"),
        ("cases", "ContactId", "contacts"),
        ("cases", "OwnerId", "users"),
        ("leads", "ConvertedContactId", "contacts"),
        ("contacts", "OwnerId", "users"),
    ],
)
def test_references_name_records_that_are_exported(
    exports: Any, entity: str, column: str, other: str
) -> None:
    """Or nothing."""
    ids = set(exports[f"salesforce/{other}"]["Id"])
    named = set(exports[f"salesforce/{entity}"][column]) - {None}
    assert named <= ids
    assert named


def test_every_entity_has_ids_of_18_characters(exports: Any) -> None:
    """And stamps in UTC without a zone."""
    for entity, columns in exports.items():
        if entity.startswith("salesforce/"):
            assert all(len(record_id) == 18 for record_id in columns["Id"])
            assert all(MOMENT.fullmatch(stamp) for stamp in columns["SystemModstamp"])


def test_meetings_are_events_and_the_rest_tasks(exports: Any) -> None:
    """A note is a task that was done; only calls have a duration."""
    tasks = exports["salesforce/tasks"]
    assert set(tasks["Subject"]) == {"Call", "Email", "Note"}
    durations = zip(tasks["Subject"], tasks["CallDurationInSeconds"], strict=True)
    assert {(subject == "Call", seconds is not None) for subject, seconds in durations} == {
        (True, True),
        (False, False),
    }
    assert set(exports["salesforce/events"]["Subject"]) == {"Meeting"}


def test_who_is_no_contact_is_named_by_phone(exports: Any) -> None:
    """A case has one of the two."""
    cases = exports["salesforce/cases"]
    named = zip(cases["ContactId"], cases["SuppliedPhone"], strict=True)
    assert {(contact is None, phone is None) for contact, phone in named} == {(False, True), (True, False)}


def test_leads_have_salesforce_s_statuses(exports: Any) -> None:
    """Converted ones have a date."""
    leads = exports["salesforce/leads"]
    states = {
        (status, converted, day is not None)
        for status, converted, day in zip(
            leads["Status"], leads["IsConverted"], leads["ConvertedDate"], strict=True
        )
    }
    assert states == {
        ("Closed - Converted", "1", True),
        ("Working - Contacted", "0", False),
        ("Closed - Not Converted", "0", False),
    }
