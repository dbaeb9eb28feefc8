"""Which rows of the ledger are out of date: those of files that no table took at first."""

from __future__ import annotations

import pytest

from lakehouse.books.copy_to_ops import files_loaded_later


@pytest.mark.parametrize(
    ("listed", "in_summaries", "later"),
    [
        ({}, {"a"}, set()),
        ({"a": {""}}, set(), set()),  # no table took it, and none has by now
        ({"a": {""}}, {"a"}, {"a"}),  # a commit carries it
        ({"a": {"", "raw.x"}}, set(), {"a"}),  # both are listed: an earlier correction was cut short
        ({"a": {"raw.x"}}, {"a"}, set()),
        ({"a": {""}, "b": {""}}, {"b"}, {"b"}),
    ],
)
def test_files_that_were_loaded_later(listed, in_summaries, later):
    """Listed without a table, and in one by now."""
    assert files_loaded_later(listed, in_summaries) == later
