"""Which addresses records have: it follows from a source's identifiers, and its consents where it states some."""

from __future__ import annotations

import pytest

from lakehouse.sources import definition
from lakehouse.sources.carried_addresses import mappings
from lakehouse.sources.record_names import RecordNames

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
    source = definition.parse(SOURCE + listed, "people.yaml")
    return list(mappings(source, absent or {}, RecordNames.of([source])))


def places(found: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(each["identifier_type"], each["identifier_value"], each["slot"]) for each in found]


@pytest.mark.parametrize("channel", ["\"'email'\"", "\"'sms'\"", "\"'push'\"", "forms"])
def test_all_addresses_of_a_record_are_there_whatever_its_source_speaks_of(channel):
    """Each place is one of its own: another source may state what the record allows by another channel."""
    expected = [
        ("'email'", "email", "'people 0'"), ("'phone'", "phone", "'people 1'"), ("'phone'", "mobile", "'people 2'"),
    ]  # fmt: skip
    assert places(carried(f"record: id, channel: {channel}")) == expected


def test_an_address_is_that_of_the_record_by_its_clock():
    """What orders and ends versions of the statements orders and ends those of the addresses, for the same rows."""
    clock = "updated_at: phone, sequence: mobile, deleted: 'false', where: id IS NOT NULL"
    found, *_ = carried(f"record: id, channel: \"'email'\", granted: 'true', purpose: \"'x'\", {clock}")
    assert found == {
        "record": "id", "updated_at": "phone", "sequence": "mobile", "deleted": "false", "where": "id IS NOT NULL",
        "identifier_type": "'email'", "identifier_value": "email", "slot": "'people 0'", "said": "true",
        "lends": "true",
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
    """They name their addresses themselves; a row's own record has its addresses all the same."""
    found = carried(f"{elements}, channel: \"'email'\"")
    assert {each["record"] for each in found} == {"id"}


def test_a_row_with_a_list_of_statements_has_its_addresses_whether_or_not_the_list_is_there():
    """Its record is the row's: tracked events, most of which say nothing of consent."""
    found, *others = carried("record: id, each: forms, where: forms IS NOT NULL, channel: \"'email'\"")
    assert all((each["record"], "where" in each) == ("id", False) for each in (found, *others))


ORDERS = """
source: crm
entity: orders
doc: Orders.
grain: one row an order
format: csv
key: [order]
columns:
  - {name: order, from: Order, doc: Id}
  - {name: customer, from: Customer, doc: Customer}
  - {name: email, from: E-mail, doc: E-mail}
  - {name: at, from: At, type: timestamptz, doc: When}
  - {name: gone, from: Gone, type: boolean, doc: Deleted}
record: "'crm:customer:' || customer"
seen_at: coalesce(at, _loaded_at)
identifiers:
  - {type: TYPE, value: customer}
  - {type: email, value: email}
core:
  orders: {identifier_type: "'crm_id'", identifier_value: customer, updated_at: at, deleted: gone, order_id: order}
"""


def of_orders(kind: str, *others: str) -> list[dict[str, str]]:
    """Return what orders with an e-mail come to, beside other definitions."""
    orders = definition.parse(ORDERS.replace("TYPE", kind), "orders.yaml")
    sources = [orders, *(definition.parse(text, "people.yaml") for text in others)]
    return list(mappings(orders, {}, RecordNames.of(sources)))


def test_a_record_has_addresses_though_its_source_says_nothing_of_consent():
    """By its own clock; an order that is deleted, or has no address, says nothing of its customer's."""
    assert of_orders("crm_id") == [
        {
            "record": "customer", "updated_at": "at", "identifier_type": "'email'", "identifier_value": "email",
            "slot": "'orders 0'", "said": "(email) IS NOT NULL", "lends": "true",
        }
    ]  # fmt: skip


def test_what_orders_say_of_a_record_that_another_source_describes_is_for_refusals():
    """They may be older than what that source says now: a yes is not for them."""
    people = SOURCE.replace("record: id", "key: [id]\nrecord: id").replace("core:\n  consents:\n", "")
    assert [each["lends"] for each in of_orders("crm_id", people)] == ["false"]
    assert [each["lends"] for each in of_orders("crm_number", people)] == ["true"]


def test_records_of_another_type_than_the_plain_one_are_named_with_it():
    """A lead's number may be a contact's. Without a plain type, the number alone is there for refusals."""
    people = SOURCE.replace("core:\n  consents:\n", "")
    assert [(each.get("record_type"), each["lends"]) for each in of_orders("crm_number", people)] == [
        ("'crm_number'", "true")
    ]
    others = people.replace("crm_id", "crm_person")
    assert [(each.get("record_type"), each["lends"]) for each in of_orders("crm_number", others)] == [
        ("'crm_number'", "true"),
        (None, "false"),
    ]
