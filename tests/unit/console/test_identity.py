"""Why somebody is one customer, on a terminal and as a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET  # our own text

from lakehouse.console.identity import picture, show, show_pairs
from lakehouse.stages.explain_identity import Change, Explanation, IdentifierOf, Likeness, NoTie, Statement
from lakehouse.stages.review_matches import Pair, Reason, Side

DAY = datetime(2026, 1, 2, tzinfo=UTC)
ANN = Explanation(
    "c_1",
    [IdentifierOf("email", "ann@x.org", "hubspot_id", DAY, DAY, 1, 1)],
    [
        Statement("hubspot:contacts", "7", "hubspot_id", "hubspot_id", "7", True, "ties", DAY, None, "f" * 64, 1),
        Statement("hubspot:contacts", "7", "email", "email", "<ann@x.org>", False, "superseded", DAY, DAY, "f" * 64, 1),
        Statement("hubspot:contacts", "7", "phone", "phone", None, False, "cleared", DAY, None, "f" * 64, 1),
    ],
    [NoTie("phone", "[red]+1", "shared", ["c_2", "c_3"])],
    [Likeness("7", "8", 4.2, "review", [Reason("chinese_name", "same sound", 7.0)])],
    [Change(DAY, "merge", "c_9", "c_1")],
)  # fmt: skip


def test_all_of_it_is_shown(capsys):
    """What ties, what no longer does and why, who else has it, and what was merged."""
    show([ANN])
    text = capsys.readouterr().out
    for part in (
        "c_1",
        "ann@x.org",
        "the record says something else since",
        "empty since",
        "c_2, c_3",
        "too many",
        "[red]+1",
        "7 looks like 8, +4.2 bits: nobody has said whether they are one (chinese name same sound +7.0)",
    ):
        assert part in text
    assert "2026-01-02 00:00 merge: c_9 → c_1" in text


def test_the_picture_has_a_line_a_statement():
    """Dashed where it ties no longer; an empty cell has none."""
    drawn = ET.fromstring(picture([ANN]))
    lines = drawn.findall("{http://www.w3.org/2000/svg}line")
    assert [line.get("stroke-dasharray") for line in lines] == [None, "3 5"]
    assert "<ann@x.org>" in "".join(drawn.itertext())


def test_a_pair_is_shown_with_what_both_say_and_how_to_decide(capsys):
    """The commands can be typed as they stand, whatever an id looks like."""
    one = Side("crm:contacts", "crm:contact:1", "crm_id:1", "c_1", {"name": "张伟"})
    other = Side("crm:contacts", "crm:contact:[b]2 x", "crm_id:[b]2 x", None, {"phone": "+8613800001110"})
    show_pairs(
        [Pair(one, other, 3.0, "review", [Reason("email", "one slip", 3.5)])], "review", Path("else where")
    )
    text = capsys.readouterr().out
    for part in ("+3.0 bits", "张伟", "+8613800001110", "email one slip +3.5"):
        assert part in text
    assert "one person: lakehouse identity tie crm_id:1 'crm_id:[b]2 x' --data 'else where'" in text
    assert "two people: lakehouse identity untie crm_id:1 'crm_id:[b]2 x' --data 'else where'" in text
    show_pairs([], "review", Path("x"))
    assert "no pair of records waits for your word" in capsys.readouterr().out
    show_pairs([], "denied", Path("x"))
    assert "no pair of records is denied" in capsys.readouterr().out
