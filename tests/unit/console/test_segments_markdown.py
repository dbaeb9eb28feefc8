"""Markdown of a change shows text as it is, whatever stands in a definition, and names no customer."""

from __future__ import annotations

import pytest

from lakehouse.console.segments_markdown import as_markdown
from lakehouse.segments.comparison import Difference, Moved

NOBODY = Moved(0, {}, {}, ())


def difference(**what) -> Difference:
    fields = {
        "segment": "big",
        "state": "same",
        "before": 1,
        "after": 1,
        "entering": NOBODY,
        "leaving": NOBODY,
    }
    return Difference(**(fields | what))


def test_what_changes_is_told_and_what_does_not_is_counted():
    """With reasons, and how many lack consent."""
    entering = Moved(
        1200, {"marketing/email": 7}, {"not: orders > 1": 1200}, (("c_1", ("not: orders > 1",)),)
    )
    text = as_markdown([difference(state="changed", after=1201, entering=entering, definition=("where: a → b",)),
                        difference(segment="other")])  # fmt: skip
    assert text == (
        "### Segments: what would change\n\n"
        "| segment | definition | before | enter | leave | after |\n"
        "| --- | --- | --: | --: | --: | --: |\n"
        "| big | changed | 1 | 1,200 | 0 | 1,201 |\n\n"
        "#### big\n\n"
        "- `where: a → b`\n\n"
        "**1,200 would enter**; 7 of them lack consent for marketing/email.\n\n"
        "| What did not hold before | customers |\n| --- | --: |\n"
        "| `not: orders > 1` | 1,200 |\n\n"
        "Nothing changes in 1 other segment.\n"
    )


def test_nothing_changes():
    """Then that is all there is to say."""
    assert as_markdown([difference()]).endswith("change\n\nNothing changes in 1 segment.\n")


@pytest.mark.parametrize(
    ("reason", "cell"),
    [
        ("a || b", "`a \\|\\| b`"),
        ("x = '`'", "`` x = '`' ``"),
        ("a\n  AND b", "`a AND b`"),
        ("x = '``'", "``` x = '``' ```"),
    ],
)
def test_a_reason_stays_in_its_cell(reason, cell):
    """Bars, backticks and line breaks would end it."""
    text = as_markdown([difference(leaving=Moved(1, {}, {reason: 1}, ()))])
    assert f"| {cell} | 1 |" in text


def test_what_is_wrong_is_plain_text():
    """It quotes a definition, which may hold anything; nothing becomes a link, an image or HTML."""
    text = as_markdown([difference(state="wrong", wrong="<img src=x> [a](b) *c*\nd_e")])
    assert "\\<img src=x\\> \\[a\\](b) \\*c\\* d\\_e" in text
