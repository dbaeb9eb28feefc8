"""How far changes were pulled, and which are new."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.pulls.changes import Changed, Cursor, csv_of, file_key, milliseconds, unseen
from lakehouse.pulls.policy import PullPolicy

MINUTE = 60_000
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_is_shown_late_is_asked_for_and_what_was_landed_is_not_landed_again():
    """A change of four minutes before the last one known was not shown then; one of six would be lost."""
    cursor = Cursor().after([Changed("1", 10 * MINUTE, {}), Changed("2", 11 * MINUTE, {})])
    assert cursor.start == 11 * MINUTE - 5 * MINUTE
    late, again = Changed("3", 7 * MINUTE, {}), Changed("2", 11 * MINUTE, {})
    changed_since = Changed("1", 10 * MINUTE + 1, {})
    assert list(unseen([late, again, changed_since], cursor)) == [late, changed_since]
    assert list(unseen([Changed("9", 5 * MINUTE, {})], cursor)) == []


def test_the_cursor_goes_on_and_remembers_little():
    """What is older than the overlap is forgotten; an older change moves nothing back."""
    first = Cursor().after([Changed("1", MINUTE, {})])
    later = first.after([Changed("2", 20 * MINUTE, {}), Changed("3", 2 * MINUTE, {})])
    assert later == Cursor(20 * MINUTE, {"2": 20 * MINUTE})
    assert Cursor.from_json(later.to_json()) == later
    many = Cursor().after(Changed(str(n), MINUTE, {}) for n in range(PullPolicy.seen_records + 7))
    assert len(many.seen) == PullPolicy.seen_records


@pytest.mark.parametrize("value", [{}, {"through": "x", "seen": {}}, {"through": 1}])
def test_a_damaged_cursor_is_told(value):
    """By the errors that the store of objects understands."""
    with pytest.raises((ValueError, KeyError)):
        Cursor.from_json(value)


def test_a_file_has_a_header_and_a_key_of_what_it_says():
    """A value that is missing is an empty cell: the CRM has emptied it. The same rows have the same key."""
    body = csv_of(
        ["Id", "Note"], [Changed("1", 1, {"Id": "1", "Note": 'a "b"\nc'}), Changed("2", 1, {"Id": "2"})]
    )
    assert body.decode() == 'Id,Note\n1,"a ""b""\nc"\n2,\n'
    assert file_key("crm/people", body, NOW) == file_key("crm/people", body, NOW)
    assert file_key("crm/people", body, NOW).startswith("crm/people/2026/03/01/12/pull-")


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00.250Z", "2026-03-01T12:00:00.250+0000", "2026-03-01T20:00:00.250+08:00"]
)
def test_moments_are_read_as_crms_write_them(text):
    """To the millisecond."""
    assert milliseconds(text) == round(NOW.timestamp() * 1000) + 250
