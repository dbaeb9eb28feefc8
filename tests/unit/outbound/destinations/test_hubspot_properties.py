"""Properties that HubSpot lacks are made where a file says so; none is ever changed."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import NothingWritten
from lakehouse.outbound.records import Row
from tests.support.hubspot_crm import TEXT, row


def test_without_its_key_nothing_is_written(crm):
    """Unless the sync says that properties may be made."""
    crm.create = None
    with pytest.raises(NothingWritten, match="no property lakehouse_key: say `create_properties: true`"):
        crm.send(row())
    assert crm.wire.requests == []


def test_a_key_that_is_not_unique_ties_nothing(crm):
    """Two tasks may have it."""
    crm.properties.answer("POST", "tasks/groups", {"name": "g", "label": "G"})
    said = {"name": "lakehouse_key", "label": "K", "type": "string", "fieldType": "text", "groupName": "g"}
    crm.properties.answer("POST", "tasks", said)
    with pytest.raises(NothingWritten, match="not unique"):
        crm.send(row())


def test_properties_are_made_where_the_file_says_so(crm):
    """With type, label and group; those that are there stay, and once is enough."""
    crm.create = {
        "city": TEXT,
        "lakehouse_tier": {
            **TEXT,
            "type": "enumeration",
            "options": ("gold", "silver"),
            "label": "Tier",
            "group": "ours",
        },
    }
    for _ in range(2):
        said = {"city": "Oslo", "lakehouse_tier": "gold"}
        crm.send(Row(0, "c1", "ann@x.org", "upsert", said), kind="contacts", key="email", removal="clear")
    made = crm.properties.answer("GET", "contacts/lakehouse_tier", {}).body
    assert (made["type"], made["label"], made["groupName"]) == ("enumeration", "Tier", "ours")
    assert [option["value"] for option in made["options"]] == ["gold", "silver"]
    assert crm.city("ann@x.org") == "Oslo"


@pytest.mark.parametrize(
    ("name", "spec", "message"),
    [
        (
            "city",
            {**TEXT, "type": "number", "declared": True},
            "city of contacts is a string, and the sync's file says number",
        ),
        ("hs_object_id", TEXT, "can only be read"),
    ],
)
def test_a_property_of_another_type_is_never_changed(crm, name, spec, message):
    """Nothing is written, and the file's field is told."""
    crm.create = {name: spec}
    with pytest.raises(Terminal, match=message):
        crm.send(Row(0, "c1", "ann@x.org", "upsert", {name: "7"}), kind="contacts", key="email")
    assert crm.wire.requests == []
