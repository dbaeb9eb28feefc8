"""Whom a text names: a customer id, an address in its normal form, or a value of a type."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.stages import analyst_sql
from lakehouse.stages.explain_identity import Explanation, _named_by, find_customer


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("c_0123456789abcdef", "", "c_0123456789abcdef"),
        (" ANN@X.org ", "", "ann@x.org"),
        ("+1 (415) 555-2671", "", "+14155552671"),
        ("crm_id: 42", "crm_id", "42"),
        ("Note:42", "", "Note:42"),
    ],
)
def test_what_a_text_may_stand_for(text, kind, value):
    """What looks like a type before a colon is one."""
    named = _named_by(text)
    assert named["type"] == kind
    assert value in named["values"]


def test_an_explanation_is_plain_json():
    """By the names of its fields."""
    assert Explanation("c_1", [], [], [], [], []).as_json() == {
        "customer_id": "c_1", "identifiers": [], "evidence": [], "others": [], "alike": [], "history": [],
    }  # fmt: skip


def test_whoever_is_asked_for_may_be_named_by_what_is_known_of_them(monkeypatch):
    """As `why` names people; an id stays as it is, and of several the person who asks picks one."""

    def connect(*_):
        con = duckdb.connect()
        con.execute(
            "CREATE SCHEMA core; CREATE TABLE core.identities AS SELECT * FROM (VALUES ('c_1', 'email', 'ann@x.org'), "
            "('c_1', 'phone', '+14155552671'), ('c_2', 'crm_id', '42'), ('c_3', 'shop_id', '42')) "
            "AS t(customer_id, identifier_type, identifier_value)"
        )
        return con

    monkeypatch.setattr(analyst_sql, "connect", connect)
    names = ("c_unknown", "ANN@x.org", "+1 415 555 2671", "shop_id:42")
    assert [find_customer(Settings(), name) for name in names] == ["c_unknown", "c_1", "c_1", "c_3"]
    with pytest.raises(Terminal, match="several customers are known by that: c_2, c_3"):
        find_customer(Settings(), "42")
    with pytest.raises(Terminal, match="no customer is known by that: give"):
        find_customer(Settings(), "bob@x.org")
