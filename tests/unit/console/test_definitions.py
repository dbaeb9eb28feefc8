"""Drafts of definitions for people and machines."""

from __future__ import annotations

import pytest

from lakehouse.console.definitions import draft_as_json, show_draft
from lakehouse.sources.suggest.choose import Choice
from lakehouse.sources.suggest.draft_columns import DraftColumn
from lakehouse.sources.suggest.file_settings import Draft
from lakehouse.sources.suggest.guesses import Guess

COLUMNS = (
    DraftColumn("No", "no", "string", "d", core="order_id", confidence="high", why="its name says so"),
    DraftColumn("State", "state", "string", "d", core="status", confidence="low", why="its name hints at it"),
    DraftColumn("At", "at", "timestamptz", "d", formats=("dmy",), notes=("mind the zone",)),
)


def draft(*, sure=True, key="no"):
    """Return the draft of a file of three columns."""
    return Draft(
        source="shop",
        entity="sales",
        choice=Choice("orders", {"orders": 0.9, "deals": 0.5}, sure=sure, matches={}),
        format="csv",
        rows=9,
        sampled=9,
        columns=COLUMNS,
        key=Guess(key),
        time_zone=Guess("UTC"),
        notes=("a note",),
    )


@pytest.mark.parametrize(("key", "listed"), [("no", ["no"]), ("a, b", ["a", "b"]), ("", [])])
def test_a_draft_for_machines(key, listed):
    """Its names are what scripts rely on."""
    result = draft_as_json(draft(key=key), "text")
    columns = result.pop("columns")
    assert result == {
        "source": "shop",
        "entity": "sales",
        "core_entity": "orders",
        "scores": {"orders": 0.9, "deals": 0.5},
        "sure": True,
        "key": listed,
        "time_zone": "UTC",
        "notes": ["a note"],
        "yaml": "text",
    }
    assert columns[2] == {
        "header": "At",
        "name": "at",
        "type": "timestamptz",
        "formats": ["dmy"],
        "pii": False,
        "core": None,
        "confidence": None,
        "mapped": False,
        "why": "",
        "notes": ["mind the zone"],
    }
    assert [column["mapped"] for column in columns] == [True, False, False]


def test_a_draft_for_people(capsys):
    """What became of each column; what may be one of core's has a question mark."""
    show_draft(draft(), "shop.yaml")
    shown = capsys.readouterr().out
    assert "It seems to be orders (orders 0.90, deals 0.50)" in shown
    assert "status?" in shown
    assert "order_id?" not in shown
    assert "timestamptz (dmy)" in shown
    assert "1 high, 1 low, 1 unmapped. shop.yaml holds the definition" in shown
    assert "--as ENTITY" not in shown


def test_a_draft_whose_entity_is_not_sure(capsys):
    """The next is as likely, and a person may say which it is."""
    show_draft(draft(sure=False), "shop.yaml")
    assert "`--as ENTITY` says which it is" in capsys.readouterr().out
