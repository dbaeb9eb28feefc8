"""What a segment brought, as JSON and as a person reads it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from lakehouse.console.segment_effect import as_json, show_effect
from lakehouse.segments.effect import Effect
from lakehouse.segments.uplift import Group

DAY = date(2026, 3, 1)


def effect(treated: Group, control: Group, since: date | None = DAY, **more: int) -> Effect:
    """Return an effect of two weeks."""
    counts = {"reached": 0, "running": 0, "in_both": 0, **more}
    return Effect("winback", date(2026, 4, 1), since, 14, treated, control, **counts)


@pytest.mark.parametrize(
    ("found", "verdict", "text"),
    [
        (
            effect(Group(900, 300, 310, 400, Decimal("99.50")), Group(100, 10, 10, 10)),
            "works",
            "it works: more",
        ),
        (effect(Group(900, 30, 31, 40), Group(100, 30, 30, 30)), "harms", "it harms: fewer"),
        (effect(Group(10, 1, 1, 1), Group(10, 1, 1, 1)), "not seen", "no difference is seen"),
        (effect(Group(), Group(), running=7, in_both=2), "too early", "7 more entered it"),
        (effect(Group(), Group(), None), "no control group", "control_share: 0.1"),
    ],
)
def test_each_verdict_is_said_in_words(capsys, found, verdict, text):
    """The same in JSON, where nothing is that JSON has no word for."""
    told = json.loads(json.dumps(as_json(found), default=str, allow_nan=False))
    assert (told["verdict"], told["segment"], told["days"]) == (verdict, "winback", 14)
    assert (told["difference"] is None) == (not found.treated.customers)
    show_effect(found)
    said = " ".join(capsys.readouterr().out.split())
    assert text in said


def test_both_groups_stand_beside_each_other(capsys):
    """With shares, the interval, and what would have shown."""
    show_effect(effect(Group(200, 50, 60, 90, Decimal("1234.50")), Group(100, 10, 10, 10), reached=150))
    said = capsys.readouterr().out
    for text in ("150", "25.0 %", "10.0 %", "1234.50", "+15.0 (95 %: +5.8 to +22.8)", "points on"):
        assert text in said
