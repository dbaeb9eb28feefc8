"""Which rows of which files a person dealt with otherwise."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.quarantine.dismissals import DismissedRows, among, ranges_of
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
