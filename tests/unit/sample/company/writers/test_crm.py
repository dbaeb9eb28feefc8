"""The exports of a CRM of no particular make, and tickets of offices whose CRM has none."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from lakehouse.sample.company import Plants
from lakehouse.sample.company.world.chunk import make_chunk
from lakehouse.sample.company.world.scenario import make_scenario
from lakehouse.sample.company.writers import crm


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


def test_tickets_name_orders_by_the_numbers_of_their_shops(exports: Any) -> None:
    """Whichever shop sold them, and each shop's are among them."""
    numbers = {
        "shop": set(exports["shop/orders"]["order_id"]),
        "shopify": set(exports["shopify/orders"]["Name"]),
        "woocommerce": set(exports["woocommerce/order_export"]["order_id"]),
    }
    named = set(exports["crm/tickets"]["order_id"])
    assert named <= set.union(*numbers.values())
    assert all(named & of_shop for of_shop in numbers.values())


def test_users_of_systems_that_list_none_are_in_the_companys_list(exports: Any) -> None:
    """By the id that the system's records name them with; Salesforce lists its own."""
    users = exports["crm/users"]
    listed = set(zip(users["system"], users["user_id"], strict=True))
    assert {system for system, _ in listed} == {None, "hubspot", "zoho", "wukong", "huoban", "jiandaoyun"}
    named = {
        ("zoho", exports["zoho/deals"]["Deal Owner.id"][0].removeprefix("zcrm_")),
        ("wukong", exports["wukong/deals"]["负责人"][0]),
        ("hubspot", exports["hubspot/deals"]["Deal owner"][0]),
        ("huoban", exports["huoban/customers"]["负责人"][0]),
        ("jiandaoyun", exports["jiandaoyun/leads"]["负责人"][0]),
        (None, exports["crm/tickets"]["owner_id"][0]),
    }
    assert named <= listed


def test_a_company_without_that_crm_lists_its_users_all_the_same() -> None:
    """The desk of other offices names them, and their CRMs' users stand there, too."""
    scenario = make_scenario(7, 500, dt.date(2026, 6, 30), Plants(), ("zoho", "salesforce"), ("shop",))
    (users, *_) = crm.exports(make_chunk(scenario, 0))
    assert users.entity == "crm/users"
    assert set(users.rows.column("system").to_pylist()) == {None, "zoho"}
