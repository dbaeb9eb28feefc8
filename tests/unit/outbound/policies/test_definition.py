"""What a sync's file may say of contacting people."""

from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError

from lakehouse.outbound.policies.definition import Cap, Contact, QuietHours, Refusals


def read(text: str) -> Contact:
    return Contact.model_validate(yaml.safe_load(text))


def test_who_says_nothing_gets_the_usual_policies():
    """Two messages a week, none at night, and an end where too many refuse."""
    assert read("{}") == Contact(cap=Cap(), quiet_hours=QuietHours(), refusals=Refusals())
    assert (read("{}").quiet_hours.start, read("{}").quiet_hours.until) == (21 * 60, 8 * 60)


@pytest.mark.parametrize(
    ("text", "start", "until"),
    [
        ('{from: "21:00", until: "08:00"}', 1260, 480),
        ("{from: 21:00, until: 08:00}", 1260, 480),  # the first is a number to YAML
        ('{from: "24:00", until: "7:30"}', 0, 450),
    ],
)
def test_times_are_read_with_quotes_and_without(text, start, until):
    """As minutes of the day."""
    hours = read(f"quiet_hours: {text}").quiet_hours
    assert (hours.start, hours.until) == (start, until)


def test_a_policy_is_switched_off_by_null():
    """Only that one."""
    found = read("cap: null")
    assert (found.cap, found.quiet_hours, found.refusals) == (None, QuietHours(), Refusals())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cap: {most: 0}", "greater than or equal to 1"),
        ("cap: {days: 29}", "less than or equal to 28"),
        ("quiet_hours: {from: nine}", "no time of day such as 21:00"),
        ("quiet_hours: {from: '25:00'}", "no time of day"),
        ("quiet_hours: {from: '08:00'}", "nobody could ever be written to"),
        ("refusals: {share: 2}", "less than 1"),
        ("caps: {}", "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_told(text, says):
    """With what to write instead."""
    with pytest.raises(ValidationError, match=says):
        read(text)


def test_it_is_read_back_from_a_chunk():
    """What a worker gets says the same."""
    contact = read("{quiet_hours: {best_hour: true}, cap: null}")
    assert Contact.model_validate(contact.model_dump(mode="json")) == contact
