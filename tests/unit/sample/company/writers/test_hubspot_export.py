"""HubSpot's exports: times in UTC, and associations that name records of other exports."""

from __future__ import annotations

import re
from typing import Any

import pytest

MINUTE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


@pytest.mark.parametrize("entity", ["calls", "emails", "meetings", "notes", "deals", "tickets"])
def test_associations_name_contacts_that_are_exported(exports: Any, entity: str) -> None:
    """Deals too, where an export has such a column."""
    contacts, deals = (
        set(exports["hubspot/contacts"]["Record ID"]),
        set(exports["hubspot/deals"]["Record ID"]),
    )
    columns = exports[f"hubspot/{entity}"]
    assert set(columns["Associated Contact IDs"]) - {None} <= contacts
    assert set(columns.get("Associated Deal IDs", ())) - {None} <= deals


def test_a_deal_is_in_the_stage_that_it_entered_last(exports: Any) -> None:
    """Each stage has a column for the moment; the deal changed last when it entered the last."""
    deals = exports["hubspot/deals"]
    for row, stage in enumerate(deals["Deal Stage"]):
        entered = deals[f'Date entered "{stage} (Sales Pipeline)"'][row]
        assert MINUTE.fullmatch(entered)
        assert entered == deals["Last Modified Date"][row]


def test_closed_deals_say_how_they_ended(exports: Any) -> None:
    """Open ones have no date of closing, and only lost ones a reason."""
    deals = exports["hubspot/deals"]
    columns = ("Is Deal Closed?", "Is Closed Won", "Close Date", "Closed Lost Reason")
    states = {
        (closed, won, moment is not None, reason is not None)
        for closed, won, moment, reason in zip(*(deals[column] for column in columns), strict=True)
    }
    assert states == {
        ("false", "false", False, False),
        ("true", "true", True, False),
        ("true", "false", True, True),
    }


def test_consent_has_a_date_where_there_is_an_answer(exports: Any) -> None:
    """An empty text where there is none."""
    contacts = exports["hubspot/contacts"]
    answers = zip(contacts["Marketing consent"], contacts["Marketing consent date"], strict=True)
    assert {(answer, bool(day)) for answer, day in answers} == {("Yes", True), ("No", True), ("", False)}
