"""Records are found by id and by what is unique in them, until they are archived."""

from __future__ import annotations

import pytest

from lakehouse.local.hubspot.contact_store import ContactStore
from lakehouse.local.hubspot.record_store import RecordStore, TakenError


@pytest.fixture
def records(tmp_path):
    store = ContactStore(tmp_path / "hubspot.sqlite")
    yield RecordStore(store.connection)
    store.close()


def test_a_unique_value_is_one_records_alone(records):
    """Until that one is archived, or has another; empty values are nobody's."""
    first = records.create("tasks", {"key": "a", "note": ""}, ["key"], ["7"])
    records.create("tasks", {"key": ""}, ["key"], [])
    records.create("notes", {"key": "a"}, ["key"], [])
    with pytest.raises(TakenError):
        records.create("tasks", {"key": "a"}, ["key"], [])
    assert records.find("tasks", "a", "key") == records.find("tasks", first.id)
    assert (first.properties, first.contacts) == ({"key": "a"}, ("7",))
    changed = records.update(first, {"key": "b"}, ["key"])
    assert records.find("tasks", "a", "key") is None
    records.archive("tasks", changed.id)
    assert (records.find("tasks", "b", "key"), records.find("tasks", changed.id)) == (None, None)
    assert records.create("tasks", {"key": "b"}, ["key"], []).id != changed.id
