"""HubSpot's contacts by when they changed: ties, changes while paging, archived and merged ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.errors import Transient
from lakehouse.local.hubspot.contact_store import Contact
from lakehouse.local.hubspot.search import Search
from lakehouse.pulls import hubspot
from lakehouse.pulls.changes import Changed, Cursor, unseen

START = 1_767_225_600_000  # 2026-01-01
SMALL_PAGE = 3
LABELS = {
    "hs_object_id": "Record ID", "email": "Email", "firstname": "First Name", "city": "City",
    "lifecyclestage": "Lifecycle Stage", "hubspot_owner_id": "Contact owner",
    "createdate": "Create Date", "lastmodifieddate": "Last Modified Date", "nickname": "First Name",
}  # fmt: skip
STAGES = [{"label": "Lead", "value": "lead"}]
PROPERTIES = [
    {"name": name, "label": label, "options": STAGES if name == "lifecyclestage" else []}
    for name, label in LABELS.items()
]


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Account:
    """Contacts by id, and what happens while somebody pages: (before which search, who, when)."""

    contacts: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)
    meanwhile: list[tuple[int, int]] = field(default_factory=list)
    archive: list[dict] = field(default_factory=list)
    searches: int = 0

    def change(self, who: int, at: int, **properties: str) -> None:
        known = self.contacts.get(who, (0, {}))[1]
        self.contacts[who] = (at, {**known, **properties})

    def search(self, body: dict) -> dict:
        if self.meanwhile:
            who, at = self.meanwhile.pop(0)
            if who:
                self.change(who, at, firstname=f"at {at}")
        self.searches += 1
        listed = [Contact(str(who), said, iso(START), iso(at)) for who, (at, said) in self.contacts.items()]
        return Search().find(listed, body, 0)

    def get(self, path: str, query) -> dict:
        if path.startswith("/crm/v3/properties"):
            return {"results": PROPERTIES}
        if path == "/crm/v3/owners":
            return Search(owners={"7": {"firstName": "Ann", "lastName": "Li", "email": "ann@x.org"}}).users()
        after = int(query.get("after", 0))
        rest = [one for one in self.archive if int(one["id"]) > after]
        paging = {"paging": {"next": {"after": rest[1]["id"]}}} if len(rest) > 2 else {}
        return {"results": rest[:2], **paging}

    def feed(self) -> hubspot.Contacts:
        return hubspot.Contacts(self.search, self.get, lambda header: header != "City")


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    monkeypatch.setattr(hubspot, "PAGE", SMALL_PAGE)


def ids(changes) -> list[str]:
    return [change.id for change in changes]


def test_each_contact_is_shown_once_by_when_it_changed():
    """Over several pages, with moments that several share at the border of a page."""
    account = Account()
    for who, at in enumerate([5, 1, 3, 3, 2, 3, 9, 3], start=1):
        account.change(who, START + at)
    assert ids(account.feed().changed(0)) == ["2", "5", "3", "4", "6", "8", "1", "7"]
    assert ids(account.feed().changed(START + 5)) == ["1", "7"]


def test_more_than_a_page_of_one_moment_is_asked_for_by_id():
    """As after an import: the next page from that moment on would be the same for ever."""
    account = Account()
    for who in range(1, 12):
        account.change(who, START)
    account.change(12, START + 1)
    assert sorted(set(ids(account.feed().changed(0))), key=int) == [str(n) for n in range(1, 13)]
    assert account.searches < 20


changing = st.tuples(st.integers(1, 8), st.integers(0, 6))


@tried(max_examples=150, deadline=None, database=None)
@given(st.lists(changing, max_size=16), st.lists(st.integers(0, 8), max_size=12))
def test_whatever_changes_while_paging_each_last_version_is_pulled(before, meanwhile):
    """Two pulls after each other hold the version that each contact has in the end: that of the store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hubspot, "PAGE", SMALL_PAGE)
        account = Account(meanwhile=[(who, START + 7 + n) for n, who in enumerate(meanwhile)])
        for who, at in before:
            account.change(who, START + at, firstname=f"at {START + at}")
        landed: dict[str, Changed] = {}
        cursor = Cursor()
        for _ in range(2):
            pulled = list(unseen(account.feed().changed(cursor.start), cursor))
            cursor = cursor.after(pulled)
            landed |= {change.id: change for change in pulled}
        account.meanwhile.clear()
        landed |= {change.id: change for change in unseen(account.feed().changed(cursor.start), cursor)}
    assert {who: change.values["First Name"] for who, change in landed.items()} == {
        str(who): said.get("firstname", "") for who, (_, said) in account.contacts.items()
    }


def test_values_are_those_of_the_export():
    """Headers are labels, options and owners names, an empty value an empty cell; what nobody reads is not asked."""
    account = Account()
    account.change(1, START, email="a@x.org", lifecyclestage="lead", hubspot_owner_id="7", city="Bern")
    feed = account.feed()
    (shown,) = feed.changed(0)
    assert shown.values == {
        "Record ID": "1", "Email": "a@x.org", "First Name": "", "Lifecycle Stage": "Lead",
        "Contact owner": "Ann Li", "Create Date": iso(START), "Last Modified Date": iso(START),
        "Archived": "false",
    }  # fmt: skip
    assert set(shown.values) | {"Merged Into"} == set(feed.headers)


def test_archived_contacts_have_a_list_of_their_own():
    """Page by page, each as of when it was archived."""
    account = Account()
    for who in range(1, 6):
        properties = {"email": f"p{who}@x.org", "createdate": iso(START)}
        account.archive.append({"id": str(who), "properties": properties, "archivedAt": iso(START + who)})
    shown = list(account.feed().archived())
    assert [(change.id, change.at) for change in shown] == [(str(n), START + n) for n in range(1, 6)]
    assert {change.values["Archived"] for change in shown} == {"true"}


def test_who_was_merged_into_another_is_told_as_gone():
    """No search and no list shows it: the record that remains names it."""
    account = Account()
    account.change(2, START, email="b@x.org", hs_merged_object_ids="1;9")
    shown = {change.id: change.values for change in account.feed().changed(0)}
    assert {who: (values["Archived"], values.get("Merged Into")) for who, values in shown.items()} == {
        "2": ("false", None), "1": ("true", "2"), "9": ("true", "2")
    }  # fmt: skip
    assert shown["1"]["Record ID"] == "1"


def test_an_answer_of_another_shape_is_tried_again():
    """Nothing is taken for the end of the list."""
    account = Account()
    feed = account.feed()
    feed._search = lambda _: {"results": ["x"]}
    with pytest.raises(Transient, match="pull again"):
        list(feed.changed(0))
