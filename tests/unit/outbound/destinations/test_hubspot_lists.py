"""Who is written enters a static list, and who leaves is taken off it."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.local.hubspot.api import invalid
from lakehouse.outbound.records import Row


def _member(number: int, email: str, action: str = "upsert", value: str = "member", **properties: str) -> Row:
    return Row(number, f"c{number}", email, action, {**properties, "list:1": value})


def test_who_is_written_enters_the_list_and_who_leaves_is_taken_off(crm):
    """Said twice, it is the same; a contact that is not there enters none."""
    crm.lists.answer("POST", "", {"name": "Quiet", "processingType": "MANUAL", "objectTypeId": "0-1"})
    more = {"kind": "contacts", "key": "email", "create": None, "removal": "clear"}
    for _ in range(2):
        answers = crm.send(_member(0, "ann@x.org", tier="gold"), _member(1, "bob@x.org"), **more)
        assert [answers[n].status for n in range(2)] == ["sent", "sent"]
    with crm.store.batch():
        assert len(crm.lists.members("1")) == 2
    for _ in range(2):
        leaving = [_member(0, "ann@x.org", "remove", "", tier=""), _member(1, "cyd@x.org", "remove", "")]
        answers = crm.send(*leaving, **more)
        assert [(answers[n].status, answers[n].code) for n in range(2)] == [
            ("removed", ""),
            ("removed", "GONE"),
        ]
    with crm.store.batch():
        assert crm.lists.members("1") == [crm.store.find("bob@x.org", "email").id]
        assert "list:1" not in crm.store.find("ann@x.org", "email").properties


@pytest.mark.parametrize(("kind", "message"), [("DYNAMIC", "fills itself"), ("", "no list of that id")])
def test_a_list_that_fills_itself_or_is_not_there_is_told_before_anything_is_written(crm, kind, message):
    """Names and properties are not written first."""
    if kind:
        crm.lists.answer("POST", "", {"name": "Quiet", "processingType": kind, "objectTypeId": "0-1"})
    with pytest.raises(Terminal, match=message):
        crm.send(_member(0, "ann@x.org"), kind="contacts", key="email", create=None, removal="clear")
    assert crm.wire.requests == []


def test_a_row_whose_list_could_not_be_changed_has_failed(crm, monkeypatch):
    """It may be there all the same, and goes again."""
    crm.lists.answer("POST", "", {"name": "Quiet", "processingType": "MANUAL", "objectTypeId": "0-1"})
    monkeypatch.setattr(crm.lists, "_change", lambda *_: (_ for _ in ()).throw(invalid("no")))
    answers = crm.send(_member(0, "ann@x.org"), kind="contacts", key="email", create=None, removal="clear")
    assert (answers[0].status, answers[0].code, answers[0].uncertain) == ("failed", "VALIDATION_ERROR", True)
