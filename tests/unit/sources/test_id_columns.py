"""Which columns hold ids follows from what a definition does with them: in all that ship, and in new ones."""

from __future__ import annotations

import re

import pytest

from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.errors import BadDefinition
from lakehouse.sources import id_columns
from lakehouse.sources.definition import load, parse
from lakehouse.sources.mappable_entities import record_key
from lakehouse.tables import entities
from lakehouse.tables.entities.references import REFERENCES

SHIPPED = load()
REFERRING = {(reference.entity, reference.column) for reference in REFERENCES}
# Keys that are no ids: what a row says, or when.
NO_IDS = {
    "calendar/days": {"region_code", "day", "kind"},
    "consent/erasures": {"subject_hash"},
    "crm/customer_attributes": {"attribute"},
    "ads/spend": {"platform", "day"},
    "devices/readings": {"measure", "measured_at"},
    "douyin/spend": {"day"},
    "google/spend": {"day"},
    "meta/spend": {"day"},
    "rates/daily": {"currency", "quote", "day"},
    "shop/stock": {"counted_at"},
    "weather/daily": {"day"},
    "wukong/activities": {"occurred_at", "body"},
}
SPENDING = """
source: mine
entity: visits
doc: Visits
grain: one row a visit
format: csv
key: [visit]
columns:
  - {name: visit, from: Visit, doc: "Visit"}
  - {name: member_no, from: Member, doc: "Member"}
  - {name: mail, from: Mail, doc: "E-mail"}
  - {name: place, from: Place, doc: "Place"}
  - {name: note, from: Note, doc: "Note"}
  - {name: shop_id, from: Shop, doc: "Shop", FORMAT}
  - {name: opened, from: Opened, type: date, doc: "Day"}
record: "'mine:' || member_no"
seen_at: _loaded_at
identifiers:
  - {type: mine_id, value: member_no}
  - {type: email, value: lower(mail)}
core:
  attendance:
    visit_id: visit
    place_id: "CASE WHEN note = 'x' THEN place END"
    identifier_type: "'mine_id'"
    identifier_value: member_no
"""


def mine(shop_format: str = "pii: false"):
    return parse(SPENDING.replace("FORMAT", shop_format), "mine_visits.yaml")


@pytest.mark.parametrize("place", sorted(SHIPPED), ids="/".join)
def test_every_key_identifier_and_reference_of_a_shipped_mapping_is_read_as_an_id(place):
    """Whoever adds a mapping has the guard without asking for it."""
    source = SHIPPED[place]
    texts = {column.name for column in source.columns if column.type == "string" and column.json_type is None}
    expected = set(source.key) - NO_IDS.get("/".join(place), set())
    for each in source.identifiers:
        if each.type not in CONTACT_TYPES and re.fullmatch(r"\w+", each.value):
            expected.add(each.value)
    for entity in source.core:
        key = record_key(entities.BY_NAME[entity])[1:] if entity in entities.BY_NAME else ()
        for mapping in source.mappings(entity):
            for name, sql in mapping.items():
                named = (name.endswith("_id") and name in key) or (entity, name) in REFERRING
                if re.fullmatch(r"\w+", sql) and (named or name == "identifier_value"):
                    expected.add(sql)
    contacts = set(id_columns.guards(source)) - set(source.ids)
    assert expected & texts <= set(source.ids) | contacts
    formats = {column.name: column.formats for column in source.stored}
    assert {formats[name] for name in source.ids} <= {("id",), ("salesforce_id",)}


def test_whose_ids_are_salesforce_s():
    """Those of its sources, but for the numbers of other systems that it keeps; and whatever is called so elsewhere."""
    contacts = SHIPPED["salesforce", "contacts"].ids
    assert {name: found.salesforce for name, found in contacts.items()} == {
        "id": True, "account_id": True, "owner_id": True, "loyalty_number": False, "master_record_id": True,
    }  # fmt: skip
    elsewhere = parse(SPENDING.replace("FORMAT", "pii: false").replace("mine_id", "salesforce_id"), "a.yaml")
    assert {name for name, found in elsewhere.ids.items() if found.salesforce} == {"member_no"}


def test_a_new_mapping_is_guarded_by_what_it_does_with_its_columns():
    """The key, the customer's number, what a record refers to, and what is called an id; conditions are none."""
    source = mine()
    assert {name: found.level for name, found in source.ids.items()} == {
        "visit": "record", "member_no": "person", "place": "anything", "shop_id": "record",
    }  # fmt: skip
    assert id_columns.guards(source)["mail"] == "record"
    assert "note" not in id_columns.guards(source)


def test_a_column_may_say_that_its_text_is_no_id():
    """Then it stays as it came; and one that says two contradicting things is refused."""
    assert "shop_id" not in mine("formats: [text]").ids
    with pytest.raises(BadDefinition, match="name one"):
        mine("formats: [text, id]")


def test_lines_of_an_order_may_be_numbered_from_0():
    """A part of a key that refers to nothing counts; the order that it is a line of is a record."""
    found = SHIPPED["shop", "order_items"].ids
    assert (found["line_id"].level, found["order_id"].level) == ("anything", "record")


def test_what_stands_in_json_is_no_column_of_ids():
    """A list of answers that has no digit in it is no placeholder."""
    assert "user_columns" not in id_columns.guards(SHIPPED["google", "leads"])
    assert id_columns.guards(SHIPPED["jiandaoyun", "webhooks"]) == {}
