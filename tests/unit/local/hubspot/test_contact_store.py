"""Contacts in an SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakehouse.local.hubspot.contact_store import BadRow, Conflict, ContactStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ContactStore]:
    store = ContactStore(tmp_path / "hubspot.sqlite")
    yield store
    store.close()


def test_an_upsert_creates_and_then_updates_by_address_in_any_case(store: ContactStore) -> None:
    """The second is not new; an empty value clears; each write is counted."""
    with store.batch():
        first, new = store.upsert("A@x.org", {"tier": "gold", "none": ""})
        second, again = store.upsert("a@X.org", {"tier": ""})
    assert (new, again, first.id) == (True, False, second.id)
    assert first.properties == {"email": "a@x.org", "tier": "gold"}
    assert second.properties == {"email": "a@x.org"}
    assert store.writes() == {"a@x.org": 2}


@pytest.mark.parametrize("email", ["", "no-address", "a@b", "a b@x.org", "a@x..org"])
def test_an_address_that_is_none_is_a_bad_row(store: ContactStore, email: str) -> None:
    """The others of its batch are written."""
    with store.batch():
        with pytest.raises(BadRow) as caught:
            store.upsert(email, {})
        store.upsert("a@x.org", {})
    assert caught.value.code == "INVALID_EMAIL"
    assert store.count() == 1


def test_a_conflict_undoes_its_batch(store: ContactStore) -> None:
    """Another's address cannot be taken."""
    with store.batch():
        store.upsert("a@x.org", {})
        store.upsert("b@x.org", {})

    def write_batch() -> None:
        with store.batch():
            store.upsert("c@x.org", {})
            store.upsert("b@x.org", {"email": "a@x.org"})

    with pytest.raises(Conflict):
        write_batch()
    assert store.count() == 2


def test_archived_and_erased_contacts_are_not_found(store: ContactStore) -> None:
    """An archived one frees its address; an unknown id is no error."""
    with store.batch():
        kept, _ = store.upsert("a@x.org", {})
        erased, _ = store.upsert("b@x.org", {})
        store.archive(kept.id)
        store.archive("999")
        store.forget(erased)
        assert store.find(kept.id) is None
        assert store.find("b@x.org", "email") is None
        assert store.upsert("a@x.org", {})[1]


def test_pages_go_by_id(store: ContactStore) -> None:
    """After the last one there is nothing."""
    with store.batch():
        ids = [store.upsert(f"c{n}@x.org", {})[0].id for n in range(3)]
    assert [contact.id for contact in store.page(0, 2)] == ids[:2]
    assert [contact.id for contact in store.page(int(ids[1]), 2)] == ids[2:]
    assert store.page(int(ids[2]), 2) == []
