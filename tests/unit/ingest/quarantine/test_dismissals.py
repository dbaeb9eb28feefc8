"""Which rows of which files a person dealt with otherwise."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse import objects, telemetry
from lakehouse.ingest.quarantine.dismissals import PREFIX, DismissedRows, among, ranges_of, read
from tests.support.packed_files import EXAMPLES

ROWS = st.frozensets(st.integers(0, 30))


@EXAMPLES
@given(ROWS, ROWS)
def test_ranges_hold_what_was_put_in(rows, asked):
    """No more, no less, and as few as there can be."""
    ranges = list(ranges_of(rows))
    assert {row for first, last in ranges for row in range(first, last + 1)} == rows
    assert all(earlier[1] + 1 < later[0] for earlier, later in pairwise(ranges))
    assert among(asked, DismissedRows(ranges=ranges)) == asked & rows


def test_a_whole_file_is_none_of_its_rows():
    """Nor the other way round: what a replay made of it is new."""
    assert among([None, 1], DismissedRows(whole_file=True)) == {None}
    assert among([None, 1], DismissedRows(ranges=[(1, 1)])) == {1}
    assert among([None, 1], None) == frozenset()


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"subject": "f2"}', '{"subject": "f2", "detail": {"rows": [7]}}', "\x00"]
)
def test_a_damaged_line_costs_itself(monkeypatch, damage):
    """Else one object would stop the list, the status and every replay; its rows are open again."""
    line = json.dumps({"subject": "f1", "detail": {"whole_file": False, "rows": [[2, 3]]}})
    bodies = {"a.json": f"{line}\n{damage}\n", "b.json": line.replace("f1", "f3")}
    monkeypatch.setattr(objects, "list_keys", lambda _bucket, _prefix: list(bodies))
    monkeypatch.setattr(objects, "get", lambda _bucket, key: bodies[key.removeprefix(PREFIX)].encode())
    logged = []
    monkeypatch.setattr(telemetry, "failed", lambda what, _error, **fields: logged.append((what, fields)))
    dismissed = read("ops")
    assert {file_id: rows.ranges for file_id, rows in dismissed.items()} == {"f1": [(2, 3)], "f3": [(2, 3)]}
    assert logged == [("a dismissal cannot be read", {"key": f"{PREFIX}a.json"})]
