"""Why somebody is one customer, on a terminal and as a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET  # our own text

from lakehouse.console.identity import picture, show
from lakehouse.stages.explain_identity import Change, Explanation, IdentifierOf, NoTie, Statement

DAY = datetime(2026, 1, 2, tzinfo=UTC)
ANN = Explanation(
    "c_1",
    [IdentifierOf("email", "ann@x.org", "hubspot_id", DAY, DAY, 1, 1)],
    [
        Statement("hubspot:contacts", "7", "hubspot_id", "hubspot_id", "7", True, "ties", DAY, None, "f" * 64, 1),
        Statement("hubspot:contacts", "7", "email", "email", "<ann@x.org>", False, "superseded", DAY, DAY, "f" * 64, 1),
        Statement("hubspot:contacts", "7", "phone", "phone", None, False, "cleared", DAY, None, "f" * 64, 1),
    ],
    [NoTie("phone", "+1", "shared", ["c_2", "c_3"])],
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
    ):
        assert part in text
    assert "2026-01-02 00:00 merge: c_9 → c_1" in text


def test_the_picture_has_a_line_a_statement():
    """Dashed where it ties no longer; an empty cell has none."""
    drawn = ET.fromstring(picture([ANN]))
    lines = drawn.findall("{http://www.w3.org/2000/svg}line")
    assert [line.get("stroke-dasharray") for line in lines] == [None, "3 5"]
    assert "<ann@x.org>" in "".join(drawn.itertext())
