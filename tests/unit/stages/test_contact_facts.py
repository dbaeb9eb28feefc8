"""Where somebody may be, by what is known of them, and what a row is told for the moment of sending."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lakehouse.outbound.policies.definition import Contact
from lakehouse.settings import Settings
from lakehouse.stages.contact_facts import contact_facts, zone_names

DAY = date(2026, 3, 2)
SETTINGS = Settings(time_zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("phone", "country", "zones"),
    [
        ("+16502530000", "US", ("America/Los_Angeles",)),
        ("+16502530000", "", ("America/Los_Angeles",)),
        ("+16502530000", "CN", ("America/Los_Angeles", "Asia/Shanghai")),
        ("+4915112345678", "de", ("Europe/Berlin",)),
        ("", "CN", ("Asia/Shanghai",)),
        ("no number", "CN", ("Asia/Shanghai",)),
        ("", "Germany", ()),
        ("", "XX", ()),
        ("", "", ()),
    ],
)
def test_a_phone_says_where_somebody_is_and_so_does_a_country(phone, country, zones):
    """Where the two disagree, both may be true; nobody knows of a country that is none."""
    assert zone_names(phone, country) == zones


def opens(facts) -> list[int]:
    return [datetime.fromtimestamp(start, UTC).hour for start, _ in facts["windows"][1:3]]


@pytest.mark.parametrize(
    ("row", "hours", "zone"),
    [
        ({"country": "DE"}, [7, 7], "Europe/Berlin"),
        ({"country": None, "phone": None}, [0, 0], "Asia/Shanghai"),  # the business's
        ({"country": "RU"}, [6, 6], "Asia/Almaty and 15 other zones"),
        ({"country": "DE", "best_hour": 19, "best_hour_sure": 0.6}, [11, 11], "Europe/Berlin"),
        ({"country": "DE", "best_hour": 19, "best_hour_sure": 0.4}, [7, 7], "Europe/Berlin"),
        ({"country": "DE", "best_hour": None, "best_hour_sure": None}, [7, 7], "Europe/Berlin"),
    ],
)
def test_a_row_says_when_it_may_be_sent(row, hours, zone):
    """In every zone in which the person may be; at the best hour only where that is the person's own."""
    contact = Contact.model_validate({"quiet_hours": {"best_hour": True}})
    facts = contact_facts(SETTINGS, contact, row, DAY)
    assert (opens(facts), facts["zone"]) == (hours, zone)


def test_a_row_says_what_people_did():
    """As the gate reads it; without quiet hours no windows are computed."""
    contact = Contact.model_validate({"quiet_hours": None})
    row = {"by_people": [["1772366400", "crm:call-7"]], "country": "DE"}
    assert contact_facts(SETTINGS, contact, row, DAY) == {"by_people": [[1772366400, "crm:call-7"]]}
    assert contact_facts(SETTINGS, contact, {"by_people": None}, DAY) == {"by_people": []}
