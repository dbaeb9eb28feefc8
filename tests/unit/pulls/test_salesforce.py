"""Salesforce's records by when they changed: ties, pages, the recycle bin, changes while paging."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.errors import Terminal
from lakehouse.pulls import salesforce
from lakehouse.pulls.changes import Cursor, unseen
from tests.support.salesforce_simulator import SalesforceSimulator

START = 1_767_225_600_000  # 2026-01-01


class Organisation:
    """The simulator, and what happens before a query: (who, how many milliseconds after the start)."""

    def __init__(self, page: int = 2) -> None:
        self.simulator = SalesforceSimulator()
        self.simulator.page = page
        self.meanwhile: list[tuple[int, int]] = []

    def change(self, who: int, after: int, **values) -> None:
        moment = datetime.fromtimestamp((START + after) / 1000, UTC)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
        record = self.simulator.records.setdefault(str(who), {"Id": f"003{who:015d}", "IsDeleted": False})
        record |= {"SystemModstamp": stamp, "LastName": f"at {after}", **values}

    def get(self, path, query):
        if path == "/queryAll" and self.meanwhile:
            self.change(*self.meanwhile.pop(0))
        headers = {"Authorization": f"Bearer {SalesforceSimulator.token}"}
        request = httpx.Request(
            "GET", f"https://crm.test/services/data/v62.0{path}", params=query or None, headers=headers
        )
        return self.simulator.answer(request).json()

    def feed(self) -> salesforce.Records:
        return salesforce.Records(
            self.get, "Contact", lambda name: name in ("LastName", "IsDeleted", "Nobody")
        )


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    monkeypatch.setattr(salesforce, "PAGE", 3)


def test_each_record_is_shown_once_by_when_it_changed():
    """Over queries, of which an answer may hold a part, with moments that many share; deleted ones, too."""
    organisation = Organisation()
    for who, after in enumerate([5, 1, 3, 3, 3, 3, 3, 3], start=1):
        organisation.change(who, after, IsDeleted=who == 7)
    shown = list(organisation.feed().changed(0))
    assert [change.id[-1] for change in shown] == ["2", "3", "4", "5", "6", "7", "8", "1"]
    assert [change.values["IsDeleted"] for change in shown].count("true") == 1
    assert organisation.feed().headers == ["LastName", "Id", "IsDeleted", "SystemModstamp"]
    assert [change.id[-1] for change in organisation.feed().changed(START + 4)] == ["1"]


@tried(max_examples=100, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(0, 6)), max_size=16),
    st.lists(st.integers(1, 8), max_size=10),
)
def test_whatever_changes_while_paging_each_last_version_is_pulled(before, meanwhile):
    """Pulls after each other hold the version that each record has in the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(salesforce, "PAGE", 3)
        organisation = Organisation()
        for who, after in before:
            organisation.change(who, after)
        organisation.meanwhile = [(who, 7 + number) for number, who in enumerate(meanwhile)]
        landed, cursor = {}, Cursor()
        for _ in range(3):
            pulled = list(unseen(organisation.feed().changed(cursor.start), cursor))
            cursor = cursor.after(pulled)
            landed |= {change.id: change.values["LastName"] for change in pulled}
            organisation.meanwhile.clear()
    assert landed == {one["Id"]: one["LastName"] for one in organisation.simulator.records.values()}


def test_an_object_without_a_clock_cannot_be_pulled():
    """That is told before anything is asked."""
    with pytest.raises(Terminal, match="Case has no SystemModstamp"):
        salesforce.Records(lambda *_: {"fields": [{"name": "Id"}]}, "Case", lambda _: True)
