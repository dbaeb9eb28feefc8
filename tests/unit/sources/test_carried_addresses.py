"""Which addresses the records have that state consents: it follows from a source's consents and identifiers."""

from __future__ import annotations

import pytest

from lakehouse.sources import definition
from lakehouse.sources.carried_addresses import mappings

SOURCE = """
source: crm
entity: people
doc: People.
grain: one row a person
format: csv
columns:
  - {name: id, from: Id, doc: Id}
  - {name: email, from: E-mail, doc: E-mail}
  - {name: phone, from: Phone, doc: Phone}
  - {name: mobile, from: Mobile, doc: Mobile}
  - {name: forms, from: Forms, doc: List}
record: id
seen_at: _loaded_at
identifiers:
  - {type: crm_id, value: id}
  - {type: email, value: email}
  - {type: phone, value: phone}
  - {type: phone, value: mobile}
core:
  consents:
"""


def carried(*consents: str, absent: dict[str, list[str]] | None = None) -> list[dict[str, str]]:
    """Return the mappings that a source with these mappings of consents comes to."""
    listed = "".join(f"    - {{{each}}}\n" for each in consents)
    return list(mappings(definition.parse(SOURCE + listed, "people.yaml"), absent or {}))


def places(found: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(each["identifier_type"], each["identifier_value"], each["slot"]) for each in found]


@pytest.mark.parametrize("channel", ["\"'email'\"", "\"'sms'\"", "\"'push'\"", "forms"])
def test_all_addresses_of_a_record_are_there_whatever_its_source_speaks_of(channel):
    """Each place is one of its own: another source may state what the record allows by another channel."""
    expected = [("'email'", "email", "0"), ("'phone'", "phone", "1"), ("'phone'", "mobile", "2")]
    assert places(carried(f"record: id, channel: {channel}")) == expected


def test_an_address_is_that_of_the_record_by_its_clock():
    """What orders and ends versions of the statements orders and ends those of the addresses, for the same rows."""
    clock = "updated_at: phone, sequence: mobile, deleted: 'false', where: id IS NOT NULL"
    found, *_ = carried(f"record: id, channel: \"'email'\", granted: 'true', purpose: \"'x'\", {clock}")
    assert found == {
        "record": "id", "updated_at": "phone", "sequence": "mobile", "deleted": "false", "where": "id IS NOT NULL",
        "identifier_type": "'email'", "identifier_value": "email", "slot": "0", "said": "true",
    }  # fmt: skip


def test_what_two_mappings_of_one_record_ask_for_is_there_once():
    """By e-mail for two purposes: one list of addresses; of another record another one."""
    both = carried("record: id, channel: \"'email'\"", "record: id, channel: \"'email'\", purpose: \"'x'\"")
    assert len(both) == 3
    assert len(carried("record: id, channel: \"'email'\"", "record: phone, channel: \"'email'\"")) == 6


def test_a_file_that_lacks_the_column_says_nothing_of_it():
    """Its rows are none that emptied the place."""
    found, *_ = carried("record: id, channel: \"'email'\"", absent={"email": ["f1"]})
    assert found["said"] == "((email) IS NOT NULL OR _file_id NOT IN ('f1'))"


@pytest.mark.parametrize(
    "elements",
    [
        "record: each->>'$.id', each: forms",
        "record: id, together: record",
        "record: lower(each), each: forms",
    ],
)
def test_statements_that_are_elements_of_lists_have_no_record_with_addresses(elements):
    """They name their addresses themselves."""
    assert carried(f"{elements}, channel: \"'email'\"") == []


def test_a_row_with_a_list_of_statements_has_its_addresses_whether_or_not_the_list_is_there():
    """Its record is the row's: tracked events, most of which say nothing of consent."""
    found, *others = carried("record: id, each: forms, where: forms IS NOT NULL, channel: \"'email'\"")
    assert all((each["record"], "where" in each) == ("id", False) for each in (found, *others))
