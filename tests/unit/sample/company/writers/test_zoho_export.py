"""Zoho's exports: ids with `zcrm_` before, beside the names of what they belong to."""

from __future__ import annotations

import re
from typing import Any

import pytest

ZOHO_ID = re.compile(r"zcrm_\d{19}")


@pytest.mark.parametrize(
    ("entity", "column", "other"),
    [
        ("leads", "Converted Contact.id", "contacts"),
        ("deals", "Contact Name.id", "contacts"),
        ("calls", "Contact Name.id", "contacts"),
        ("calls", "Related To.id", "deals"),
        ("tasks", "Related To.id", "deals"),
        ("meetings", "Contact Name.id", "contacts"),
        ("notes", "Parent ID.id", "contacts"),
        ("cases", "Related To.id", "contacts"),
    ],
)
def test_references_name_records_that_are_exported(
    exports: Any, entity: str, column: str, other: str
) -> None:
    """Or nothing."""
    named = set(exports[f"zoho/{entity}"][column]) - {None}
    assert named <= set(exports[f"zoho/{other}"]["Record Id"])
    assert named


def test_ids_have_their_prefix(exports: Any) -> None:
    """And 19 digits."""
    for entity, columns in exports.items():
        if entity.startswith("zoho/"):
            assert all(ZOHO_ID.fullmatch(record_id) for record_id in columns["Record Id"])


def test_an_owner_has_id_and_name(exports: Any) -> None:
    """One name for each id."""
    contacts = exports["zoho/contacts"]
    owners = set(zip(contacts["Contact Owner.id"], contacts["Contact Owner"], strict=True))
    assert len(owners) == len({owner_id for owner_id, _ in owners}) == 12


def test_who_opted_out_has_a_moment_of_it(exports: Any) -> None:
    """Nobody else has."""
    contacts = exports["zoho/contacts"]
    moments = zip(contacts["Email Opt Out"], contacts["Unsubscribed Time"], strict=True)
    assert {(out, moment is not None) for out, moment in moments} == {("true", True), ("false", False)}


def test_only_activities_of_deals_name_the_module(exports: Any) -> None:
    """As only they name a deal."""
    calls = exports["zoho/calls"]
    related = zip(calls["Related To.id"], calls["Related To Module"], strict=True)
    assert {(deal is None, module) for deal, module in related} == {(True, None), (False, "Deals")}
